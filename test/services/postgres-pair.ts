import pg from 'pg';
import { Sealed } from '../../shared/base/sealed.ts';
import type { Login } from '../../shared/services/contract.ts';
import { postgresService, type PostgresOptions } from '../../shared/services/postgres.ts';
import type { HeldSession } from '../conformance/service-harness.ts';
import { testWorld } from '../world.ts';
import type { PostgresServer } from './postgres-server.ts';

export const adminPassword = 'password-of-lockkeepers-own-role';

let pairs = 0;

/**
 * A pair of users with an owner role, as an administrator sets it up, and lockkeeper's own role that may rotate them.
 */
export interface PostgresPair {
  readonly users: readonly [string, string];
  readonly owner: string;
  readonly initial: Login;
  options(more?: Partial<PostgresOptions>): PostgresOptions;
}

/** Makes a pair with fresh names; the first user has a password, the second has none. */
export async function makePair(server: PostgresServer): Promise<PostgresPair> {
  pairs += 1;
  const users = [`app${pairs}_a`, `app${pairs}_b`] as const;
  const owner = `app${pairs}_owner`;
  const value = `initial-value-of-pair-${pairs}-0123456789`;
  await server.sql(`DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'lockkeeper') THEN
      CREATE ROLE lockkeeper LOGIN CREATEROLE PASSWORD '${adminPassword}'; GRANT pg_signal_backend, pg_read_all_stats TO lockkeeper; END IF; END $$;
    CREATE ROLE ${owner} NOLOGIN; CREATE ROLE ${users[0]} LOGIN PASSWORD '${value}'; CREATE ROLE ${users[1]} LOGIN;
    GRANT ${owner} TO ${users[0]}, ${users[1]}; GRANT ${users[0]}, ${users[1]} TO lockkeeper WITH ADMIN OPTION;
    ALTER ROLE ${users[0]} SET role = '${owner}'; ALTER ROLE ${users[1]} SET role = '${owner}';`);
  const base: PostgresOptions = {
    credential: `pair-${pairs}`,
    strategy: 'alternating',
    users,
    ownerRole: owner,
    database: 'postgres',
    endpoints: [server.endpoint],
    tls: 'off',
    admin: async () => ({ user: 'lockkeeper', password: new Sealed(adminPassword) }),
    world: testWorld('2026-10-01T00:00:00Z', `pair-${pairs}`),
  };
  return {
    users,
    owner,
    initial: { slot: users[0], value: new Sealed(value) },
    options: (more) => ({ ...base, ...more }),
  };
}

/** A consumer's own connection, with no lockkeeper code in it. */
export async function connectAs(port: number, login: Login): Promise<pg.Client> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: login.slot,
    password: login.value.open(),
    database: 'postgres',
    application_name: 'consumer',
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** True if a consumer gets in; anything but a refusal is thrown. */
export async function logsIn(port: number, login: Login): Promise<boolean> {
  try {
    await (await connectAs(port, login)).end();
    return true;
  } catch (thrown) {
    if (thrown instanceof pg.DatabaseError && thrown.code === '28P01') return false;
    throw thrown;
  }
}

/** A consumer that stays logged in. */
export async function holdSession(port: number, login: Login): Promise<HeldSession> {
  const client = await connectAs(port, login);
  return {
    isOpen: async () =>
      client.query('SELECT 1').then(
        () => true,
        () => false,
      ),
    close: async () => client.end().catch((thrown: unknown) => void thrown),
  };
}

/** A driver whose server is not there. */
export function deadService(pair: PostgresPair, strategy: PostgresOptions['strategy'] = 'alternating') {
  const users = strategy === 'single' ? [pair.users[0]] : pair.users;
  return postgresService(pair.options({ strategy, users, endpoints: ['127.0.0.1:1'] }));
}
