import pg from 'pg';
import { Sealed } from '../../../shared/base/sealed.ts';
import type { Login } from '../../../shared/services/contract.ts';
import type { PostgresOptions } from '../../../shared/services/postgres.ts';
import { testWorld } from '../../world.ts';
import { sqlOn, superuser } from '../postgres-server.ts';
import type { FoundServer } from './case.ts';

const keeperPassword = 'password-of-the-keeper-0123456789';
let pairs = 0;

/** Two users, an owner role, a database and a role of lockkeeper's own, all with fresh names. */
export interface FoundPair {
  readonly found: FoundServer;
  readonly a: string;
  readonly b: string;
  readonly owner: string;
  readonly database: string;
  readonly keeper: string;
  /** Unlike those of every other pair on the server, for further names. */
  readonly tag: string;
  readonly options: (more?: Partial<PostgresOptions>) => PostgresOptions;
  /** As the superuser; in the pair's database unless another is named. */
  readonly sql: <Row extends pg.QueryResultRow>(text: string, database?: string) => Promise<readonly Row[]>;
  /** What a consumer that uses this user shows the server. */
  readonly login: (user: string) => Login;
}

/**
 * Makes the names, the database and lockkeeper's own role. `plain`: only the first user is there, and uses the database
 * as people do who never heard of owner roles. `ready`: everything is as adoption wants it.
 */
export async function foundPair(found: FoundServer, start: 'plain' | 'ready', oddNames = false): Promise<FoundPair> {
  pairs += 1;
  const tag = `f${found.version}_${pairs}`;
  const pair = pairNamed(found, tag, oddNames ? odd : (name) => name);
  const { a, b, owner, database, keeper, sql } = pair;
  await sql(
    `CREATE ROLE ${q(keeper)} LOGIN CREATEROLE PASSWORD '${keeperPassword}';
    GRANT pg_signal_backend, pg_read_all_stats TO ${q(keeper)}; CREATE ROLE ${q(a)} LOGIN PASSWORD ${pg.escapeLiteral(passwordOf(a))};
    GRANT ${q(a)} TO ${q(keeper)} WITH ADMIN OPTION`,
    'postgres',
  );
  await sql(`CREATE DATABASE ${q(database)}`, 'postgres');
  if (start === 'ready')
    await sql(`CREATE ROLE ${q(b)} LOGIN PASSWORD ${pg.escapeLiteral(passwordOf(b))}; CREATE ROLE ${q(owner)} NOLOGIN;
      GRANT ${q(b)} TO ${q(keeper)} WITH ADMIN OPTION; GRANT ${q(owner)} TO ${q(a)}, ${q(b)};
      ALTER ROLE ${q(a)} SET role = ${pg.escapeLiteral(owner)}; ALTER ROLE ${q(b)} SET role = ${pg.escapeLiteral(owner)}`);
  return pair;
}

/** 63 bytes in UTF-8. */
function odd(name: string): string {
  const long = `Ünïcode-${name} "quoted" it's; `;
  return long + '-'.repeat(63 - Buffer.byteLength(long));
}

function pairNamed(found: FoundServer, tag: string, named: (name: string) => string): FoundPair {
  const { server } = found;
  const [a, b, owner] = [named(`${tag}_a`), named(`${tag}_b`), named(`${tag}_o`)];
  const [database, keeper] = [named(`${tag}_shop`), `${tag}_keeper`];
  const base: PostgresOptions = {
    credential: tag,
    strategy: 'alternating',
    users: [a, b],
    ownerRole: owner,
    database,
    endpoints: [server.endpoint],
    tls: 'off',
    admin: async () => ({ user: keeper, password: new Sealed(keeperPassword) }),
    world: testWorld('2026-10-01T00:00:00Z', tag),
  };
  return {
    found,
    a,
    b,
    owner,
    database,
    keeper,
    tag,
    options: (more) => ({ ...base, ...more }),
    sql: (text, other = database) => sqlOn({ port: server.port, ...superuser, database: other }, text),
    login: (user) => ({ slot: user, value: new Sealed(passwordOf(user)) }),
  };
}

/** The password that a user of a found pair has. */
export function passwordOf(user: string): string {
  return `password-of-${Buffer.from(user).toString('hex')}`;
}

/** A name in SQL. */
export function q(name: string): string {
  return pg.escapeIdentifier(name);
}
