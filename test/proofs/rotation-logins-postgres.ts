import { setTimeout as pause } from 'node:timers/promises';
import { fastWorld } from '../../shared/base/world.ts';
import { parseInstant, second } from '../../shared/base/time.ts';
import { memoryObjects } from '../../shared/objects/memory.ts';
import { importLogin } from '../../shared/rotation/import.ts';
import type { RotationDeps } from '../../shared/rotation/plan.ts';
import { rotate } from '../../shared/rotation/run.ts';
import { MemoryVault, memorySecrets } from '../../shared/secrets/memory.ts';
import { postgresService, type PostgresOptions } from '../../shared/services/postgres.ts';
import { atLeast, atMost, inform, type Figure } from '../bench/figure.ts';
import { hasPgBouncer, startPgBouncer } from '../services/pgbouncer.ts';
import { makePair, type PostgresPair } from '../services/postgres-pair.ts';
import { startPostgres, type PostgresServer } from '../services/postgres-server.ts';
import {
  form,
  loginsThroughPooler,
  longSessions,
  loopsOfLogins,
  pooledWork,
  type ConsumerPlace,
  type LoginTally,
} from './login-clients.ts';

type Strategy = 'alternating' | 'single';

const rotations: Readonly<Record<Strategy, number>> = { alternating: 100, single: 15 };
/** The propagation window of `depsOn`, in milliseconds. */
export const windowMs = 250;

interface Tally extends LoginTally {
  done: number;
  seconds: number;
}

/**
 * Clients that log in to a real PostgreSQL in a loop, sessions that stay, pools, and clients of a PgBouncer, with caches as
 * old as the propagation window allows, through 100 rotations: none may ever be refused or cut off. The same clients
 * against a single user must be refused, or the loop proves nothing.
 */
export async function rotationLoginsPostgres(): Promise<Figure[]> {
  const server = await startPostgres();
  try {
    const pair = await loginsThrough(server, 'alternating');
    const single = await loginsThrough(server, 'single');
    return [
      atMost('rotation-logins-postgres', pair.failures, 'failures', 0),
      atLeast('rotation-logins-postgres-logins', pair.logins, 'logins', 5_000),
      atLeast('rotation-logins-postgres-pooled', pair.pooled, 'logins', 500),
      pooler(pair),
      atLeast('rotation-logins-postgres-rotations', pair.done, 'rotations', rotations.alternating),
      atLeast('rotation-logins-postgres-single-user-failures', single.failures, 'failures', 1),
      inform('rotation-logins-postgres-single-user-logins', single.logins, 'logins'),
      inform('rotation-logins-postgres-seconds', pair.seconds + single.seconds, 's'),
    ];
  } finally {
    await server.stop();
  }
}

function pooler({ throughPooler }: Tally): Figure {
  const name = 'rotation-logins-postgres-through-pgbouncer';
  if (hasPgBouncer()) return atLeast(name, throughPooler, 'logins', 500);
  process.stderr.write('PgBouncer is not installed (apt-get install pgbouncer): nobody logged in through it\n');
  return inform(name, 0, 'logins');
}

async function loginsThrough(server: PostgresServer, strategy: Strategy): Promise<Tally> {
  const began = performance.now();
  const deps = await depsOn(server, strategy);
  const tally: Tally = { logins: 0, pooled: 0, throughPooler: 0, failures: 0, done: 0, seconds: 0 };
  const end = new AbortController();
  // A login that begins six tenths of the window after it was read also arrives in time.
  const place = { deps, port: server.port, keepMs: windowMs * 0.6, tally, end: end.signal };
  const behind = hasPgBouncer() ? await startPooler(server) : undefined;
  const all = [
    ...loopsOfLogins(place),
    ...longSessions(place, windowMs * 2.5),
    pooledWork(place, 'one'),
    pooledWork(place, 'two'),
    ...(behind ? clientsOfPooler({ ...place, port: behind.port }) : []),
  ];
  try {
    for (; tally.done < rotations[strategy]; tally.done += 1) await oneRotation(deps);
  } finally {
    end.abort();
    await Promise.all(all);
    await behind?.stop();
  }
  return { ...tally, seconds: (performance.now() - began) / 1_000 };
}

/** Its own sessions end soon after its clients went, else every drain would wait for them. */
async function startPooler(server: PostgresServer) {
  const settings = ['server_idle_timeout = 0.1', 'server_lifetime = 0.3', 'max_client_conn = 100'];
  return startPgBouncer({ server, mode: 'transaction', auth: 'query', settings });
}

function clientsOfPooler(place: ConsumerPlace): readonly Promise<void>[] {
  return [loginsThroughPooler(place, 'one'), pooledWork(place, 'two', true)];
}

/** Runs as a schedule would, until the rotation is done; nothing waits inside lockkeeper. */
export async function oneRotation(deps: RotationDeps): Promise<void> {
  for (let runs = 0; runs < 400; runs += 1) {
    const report = await rotate(deps, { now: runs === 0 });
    if (report.outcome === 'done') return await pause(20);
    if (report.outcome !== 'waiting') throw new Error(`${report.outcome}: ${report.text}`);
    await pause(50);
  }
  throw new Error('the rotation does not end');
}

/** A pair, or its first user, with its login imported into two stores; `admin` is lockkeeper's own login there. */
export async function depsOn(
  server: PostgresServer,
  strategy: Strategy,
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
