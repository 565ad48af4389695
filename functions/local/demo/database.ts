import pg from 'pg';
import { writePrivateFile } from '../../../shared/base/private-files.ts';
import { Sealed } from '../../../shared/base/sealed.ts';
import type { World } from '../../../shared/base/world.ts';
import type { Login } from '../../../shared/services/contract.ts';
import type { PostgresServer } from './postgres-server.ts';

/** The users of the demo's database, as an administrator made them before lockkeeper came. */
export const roles = {
  admin: 'lockkeeper',
  owner: 'orders_owner',
  pair: ['orders_a', 'orders_b'],
  single: 'reports_app',
} as const;

/** The logins that consumers use on the first day. */
export interface FirstLogins {
  readonly orders: Login;
  readonly reports: Login;
}

/**
 * Makes lockkeeper's own role, a pair of users with the role that owns their objects, and a lone user. lockkeeper's
 * password goes to `passwordFile`, readable by its owner only.
 */
export async function makeRoles(server: PostgresServer, world: World, passwordFile: string): Promise<FirstLogins> {
  const fresh = (): Sealed => new Sealed(Buffer.from(world.random(18)).toString('base64url'));
  const [admin, orders, reports] = [fresh(), fresh(), fresh()];
  await writePrivateFile(passwordFile, `${admin.open()}\n`, { over: 'create' });
  const [a, b] = roles.pair;
  await runSql(server, [
    `CREATE ROLE ${roles.admin} LOGIN CREATEROLE PASSWORD ${quoted(admin)}`,
    `GRANT pg_signal_backend TO ${roles.admin}`,
    `CREATE ROLE ${roles.owner} NOLOGIN`,
    `CREATE ROLE ${a} LOGIN PASSWORD ${quoted(orders)}`,
    `CREATE ROLE ${b} LOGIN`,
    `CREATE ROLE ${roles.single} LOGIN PASSWORD ${quoted(reports)}`,
    `GRANT ${roles.owner} TO ${a}, ${b}`,
    `ALTER ROLE ${a} SET role = '${roles.owner}'`,
    `ALTER ROLE ${b} SET role = '${roles.owner}'`,
    `GRANT ${a}, ${b}, ${roles.single} TO ${roles.admin} WITH ADMIN OPTION`,
  ]);
  return { orders: { slot: a, value: orders }, reports: { slot: roles.single, value: reports } };
}

async function runSql(server: PostgresServer, statements: readonly string[]): Promise<void> {
  const { user, password } = server.superuser;
  const client = new pg.Client({
    host: '127.0.0.1',
    port: server.port,
    user,
    password: password.open(),
    database: 'postgres',
  });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

function quoted(value: Sealed): string {
  return pg.escapeLiteral(value.open());
}
