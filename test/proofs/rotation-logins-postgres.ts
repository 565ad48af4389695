import pg from 'pg';
import { setTimeout as pause } from 'node:timers/promises';
import { Sealed } from '../../shared/base/sealed.ts';
import { fastWorld } from '../../shared/base/world.ts';
import { parseInstant, second } from '../../shared/base/time.ts';
import { memoryObjects } from '../../shared/objects/memory.ts';
import { consumerForm } from '../../shared/rotation/forms/consumer-form.ts';
import { importLogin } from '../../shared/rotation/import.ts';
import type { RotationDeps } from '../../shared/rotation/plan.ts';
import { rotate } from '../../shared/rotation/run.ts';
import { MemoryVault, memorySecrets } from '../../shared/secrets/memory.ts';
import type { SecretStore } from '../../shared/secrets/contract.ts';
import type { Login } from '../../shared/services/contract.ts';
import { postgresService, type PostgresOptions } from '../../shared/services/postgres.ts';
import { atLeast, atMost, inform, type Figure } from '../bench/figure.ts';
import { makePair, type PostgresPair } from '../services/postgres-pair.ts';
import { startPostgres, type PostgresServer } from '../services/postgres-server.ts';

const form = consumerForm();
const rotations = 20;
const clients = 4;
const windowMs = 250;

/**
 * Clients that log in to a real PostgreSQL in a loop, with caches as old as the propagation window allows, through 20
 * rotations: none may ever be refused. The same clients against a single user must be refused, or the loop proves
 * nothing.
 */
export async function rotationLoginsPostgres(): Promise<Figure[]> {
  const server = await startPostgres();
  try {
    const pair = await loginsThrough(server, 'alternating');
    const single = await loginsThrough(server, 'single');
    return [
      atMost('rotation-logins-postgres', pair.failures, 'refused logins', 0),
      atLeast('rotation-logins-postgres-logins', pair.logins, 'logins', 400),
      atLeast('rotation-logins-postgres-rotations', pair.done, 'rotations', rotations),
      atLeast('rotation-logins-postgres-single-user-failures', single.failures, 'refused logins', 1),
      inform('rotation-logins-postgres-single-user-logins', single.logins, 'logins'),
    ];
  } finally {
    await server.stop();
  }
}

/** What clients and rotations came to. */
export interface Tally {
  logins: number;
  failures: number;
  done: number;
}

async function loginsThrough(server: PostgresServer, strategy: 'alternating' | 'single'): Promise<Tally> {
  const deps = await depsOn(server, strategy);
  const tally: Tally = { logins: 0, failures: 0, done: 0 };
  const end = new AbortController();
  const loops = Array.from({ length: clients }, async (_, index) => {
    const read = cachedReader(deps, index);
    while (!end.signal.aborted) await logInOnce(server.port, await read(), tally);
  });
  try {
    for (; tally.done < rotations; tally.done += 1) await oneRotation(deps);
  } finally {
    end.abort();
    await Promise.all(loops);
  }
  return tally;
}

/** Runs as a schedule would, until the rotation is done; nothing waits inside lockkeeper. */
export async function oneRotation(deps: RotationDeps): Promise<void> {
  for (let runs = 0; runs < 400; runs += 1) {
    const report = await rotate(deps, { now: runs === 0 });
    if (report.outcome === 'done') return await pause(20);
    if (report.outcome !== 'waiting') throw new Error(`${report.outcome}: ${report.text}`);
    await pause(25);
  }
  throw new Error('the rotation does not end');
}

/** A pair, or its first user, with its login imported into two stores; `admin` is lockkeeper's own login there. */
export async function depsOn(
  server: PostgresServer,
  strategy: 'alternating' | 'single',
  more: { readonly pair?: PostgresPair; readonly admin?: PostgresOptions['admin'] } = {},
): Promise<RotationDeps> {
  const pair = more.pair ?? (await makePair(server));
  const users = strategy === 'single' ? [pair.users[0]] : pair.users;
  const world = fastWorld(parseInstant('2026-10-01T00:00:00Z'), 1);
  const vaults = { one: new MemoryVault(), two: new MemoryVault() };
  for (const vault of Object.values(vaults)) vault.add('app-db');
  const deps: RotationDeps = {
    plan: {
      name: strategy,
      service: 'postgres',
      stores: [
        { store: 'one', secret: 'app-db', form },
        { store: 'two', secret: 'app-db', form },
      ],
      address: { engine: 'postgres', host: '127.0.0.1', port: server.port, dbname: 'postgres' },
      refreshes: [],
      propagationMs: windowMs,
      everyMs: second,
      acceptDowntime: true,
    },
    stores: { one: memorySecrets(vaults.one), two: memorySecrets(vaults.two) },
    service: postgresService(
      pair.options({ strategy, users, credential: pair.owner, ...(more.admin && { admin: more.admin }) }),
    ),
    state: memoryObjects(),
    audit: { record: async () => ({ run: 'none', n: 0, hash: '', at: world.now() }) },
    world,
    notify: async (notice) => void process.stderr.write(`${notice.text}\n`),
    actor: 'proof',
  };
  await importLogin(deps, pair.initial);
  return deps;
}

/**
 * Client 0 reads the store every time; the others keep what they read for up to six tenths of the window, so that a
 * login begun in time also arrives in time.
 */
export function cachedReader(deps: RotationDeps, index: number): () => Promise<Login> {
  const name = index % 2 === 0 ? 'one' : 'two';
  const store: SecretStore | undefined = deps.stores[name];
  const keepMs = (windowMs * 0.6 * index) / (clients - 1);
  let cached: { readonly login: Login; readonly readAt: number } | undefined;
  return async () => {
    const now = deps.world.now();
    if (cached && now - cached.readAt < keepMs) return cached.login;
    const { current } = (await store?.read('app-db')) ?? {};
    cached = { login: form.read(current?.value ?? new Sealed(''), []), readAt: now };
    return cached.login;
  };
}

/** A consumer's login, and now and then a session that stays a little, as pools have. */
export async function logInOnce(port: number, login: Login, tally: Tally): Promise<void> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: login.slot,
    password: login.value.open(),
    database: 'postgres',
  });
  client.on('error', () => undefined);
  tally.logins += 1;
  try {
    await client.connect();
    await client.query('SELECT 1');
    if (tally.logins % 10 === 0) await pause(30);
  } catch (thrown) {
    if (!(thrown instanceof pg.DatabaseError) || thrown.code !== '28P01') throw thrown;
    tally.failures += 1;
  } finally {
    await client.end();
  }
}
