import { adminLogin } from '../../functions/local/own-logins.ts';
import { ownVersions } from '../../functions/local/own-versions.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import { parseInstant, second } from '../../shared/base/time.ts';
import { fastWorld } from '../../shared/base/world.ts';
import { memoryObjects } from '../../shared/objects/memory.ts';
import { consumerForm } from '../../shared/rotation/forms/consumer-form.ts';
import { importLogin } from '../../shared/rotation/import.ts';
import type { RotationDeps } from '../../shared/rotation/plan.ts';
import { MemoryVault, memorySecrets } from '../../shared/secrets/memory.ts';
import { postgresService, type PostgresOptions } from '../../shared/services/postgres.ts';
import { atLeast, atMost, inform, type Figure } from '../bench/figure.ts';
import { adminPassword, makePair, type PostgresPair } from '../services/postgres-pair.ts';
import { startPostgres, type PostgresServer } from '../services/postgres-server.ts';
import { CachedLogin, session } from './login-clients.ts';
import { depsOn, oneRotation, windowMs } from './rotation-logins-postgres.ts';

const rotations = 50;
const credentials = 4;
const place = { store: 'own', name: 'login' };

/**
 * lockkeeper's own login is rotated fifty times, in both ways, while four credentials of the same server are rotated all
 * the time by that very login, and their consumers log in all the time: nobody is refused, and no rotation stops.
 */
export async function rotationOwnLogin(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const way of ['itself', 'pair'] as const) {
    const server = await startPostgres();
    try {
      const { consumers, others, own, refused } = await through(server, way);
      const name = `rotation-own-login-${way}`;
      figures.push(
        atMost(name, consumers.failures, 'refused logins', 0),
        atMost(`${name}-stopped`, others.failures, 'rotations', 0),
        atLeast(`${name}-rotations`, own, 'rotations', rotations),
        atLeast(`${name}-others`, others.done, 'rotations', 20),
        atLeast(`${name}-logins`, consumers.logins, 'logins', 200),
        inform(`${name}-second-tries`, refused, 'own logins'),
      );
    } finally {
      await server.stop();
    }
  }
  return figures;
}

async function through(server: PostgresServer, way: 'itself' | 'pair') {
  const pairs: PostgresPair[] = [];
  for (let at = 0; at < credentials; at += 1) pairs.push(await makePair(server));
  const own = await (way === 'itself' ? itself(server) : pairOfOwn(server, pairs));
  const secrets = own.stores;
  const versionsOf = ownVersions({ ...own, services: [{ name: own.plan.name, credential: { secrets: [place] } }] });
  const admin = adminLogin({ secret: place }, { environment: {}, secrets, versionsOf });
  const all = await Promise.all(pairs.map((pair) => depsOn(server, 'alternating', { pair, admin })));
  const consumers = { logins: 0, failures: 0 };
  const others = { failures: 0, done: 0 };
  const end = new AbortController();
  const loops = all.flatMap((deps, index) => {
    const keepMs = (windowMs * 0.6 * index) / (credentials - 1);
    const cached = new CachedLogin({ deps }, index % 2 === 0 ? 'one' : 'two', keepMs);
    return [
      logsInUntil(end.signal, async () => session({ port: server.port, tally: consumers }, await cached.read())),
      rotatesUntil(end.signal, deps, others),
    ];
  });
  let done = 0;
  try {
    for (; done < rotations; done += 1) await oneRotation(own);
  } finally {
    end.abort();
    await Promise.all(loops);
  }
  const refused = server.log().match(/password authentication failed for user "(lockkeeper|lk_a|lk_b)"/g)?.length ?? 0;
  return { consumers, others, own: done, refused };
}

async function logsInUntil(signal: AbortSignal, once: () => Promise<void>): Promise<void> {
  while (!signal.aborted) await once();
}

async function rotatesUntil(
  signal: AbortSignal,
  deps: RotationDeps,
  tally: { done: number; failures: number },
): Promise<void> {
  while (!signal.aborted) {
    try {
      await oneRotation(deps);
      tally.done += 1;
    } catch (thrown) {
      tally.failures += 1;
      process.stderr.write(`${String(thrown)}\n`);
    }
  }
}

/** The role that makePair lets administer every pair changes itself. */
async function itself(server: PostgresServer): Promise<RotationDeps> {
  return ownDeps(server, { users: ['lockkeeper'], strategy: 'single' }, new Sealed(adminPassword));
}

/** Two roles with the rights of docs/own-login.md, which the one of makePair changes. */
async function pairOfOwn(server: PostgresServer, pairs: readonly PostgresPair[]): Promise<RotationDeps> {
  await server.sql(`CREATE ROLE lk_owner NOLOGIN; CREATE ROLE lk_a LOGIN CREATEROLE PASSWORD '${adminPassword}';
    CREATE ROLE lk_b LOGIN CREATEROLE; GRANT lk_owner TO lk_a, lk_b; ALTER ROLE lk_a SET role = 'lk_owner';
    ALTER ROLE lk_b SET role = 'lk_owner'; GRANT pg_signal_backend, pg_read_all_stats TO lk_owner;
    GRANT lk_a, lk_b TO lockkeeper WITH ADMIN OPTION, INHERIT FALSE, SET FALSE;
    GRANT ${pairs.flatMap(({ users }) => users).join(', ')} TO lk_owner WITH ADMIN OPTION, INHERIT FALSE, SET FALSE`);
  const admin = async () => ({ user: 'lockkeeper', password: new Sealed(adminPassword) });
  const pair = { users: ['lk_a', 'lk_b'], ownerRole: 'lk_owner', strategy: 'alternating', admin } as const;
  return ownDeps(server, pair, new Sealed(adminPassword));
}

type Own = Pick<PostgresOptions, 'users' | 'strategy'> & Partial<Pick<PostgresOptions, 'ownerRole' | 'admin'>>;

async function ownDeps(server: PostgresServer, own: Own, value: Sealed): Promise<RotationDeps> {
  const world = fastWorld(parseInstant('2026-10-01T00:00:00Z'), 1);
  const vault = new MemoryVault();
  vault.add(place.name);
  const stores = { [place.store]: memorySecrets(vault) };
  const state = memoryObjects();
  const versionsOf = ownVersions({
    state,
    world,
    services: [{ name: 'own', credential: { secrets: [place] } }],
  });
  const admin = own.admin ?? adminLogin({ secret: place }, { environment: {}, secrets: stores, versionsOf });
  const as = (by: PostgresOptions['admin']) =>
    postgresService({
      credential: 'own',
      database: 'postgres',
      endpoints: [server.endpoint],
      tls: 'off',
      world,
      ...own,
      admin: by,
    });
  const deps: RotationDeps = {
    plan: {
      name: 'own',
      service: 'own',
      stores: [{ store: place.store, secret: place.name, form: consumerForm() }],
      address: { engine: 'postgres', host: '127.0.0.1', port: server.port },
      refreshes: [],
      propagationMs: 0,
      everyMs: second,
      acceptDowntime: false,
      changesItself: own.admin === undefined,
    },
    stores,
    service: as(admin),
    ...(own.admin === undefined && {
      serviceAs: ({ slot, value: password }) => as(async () => ({ user: slot, password })),
    }),
    state,
    audit: { record: async () => ({ run: 'none', n: 0, hash: '', at: world.now() }) },
    world,
    notify: async (notice) => void process.stderr.write(`${notice.text}\n`),
    actor: 'proof',
  };
  await importLogin(deps, { slot: own.users[0] ?? '', value });
  return deps;
}
