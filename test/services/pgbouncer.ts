import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { serverAccount } from './debian-postgres.ts';
import { freePort, sqlOn, superuser, type PostgresServer } from './postgres-server.ts';

/** How a PgBouncer is set up in front of a server. */
export interface PgBouncerOptions {
  readonly server: PostgresServer;
  readonly mode: 'session' | 'transaction';
  /** `scram-sha-256` unless given. */
  readonly type?: 'scram-sha-256' | 'md5' | 'plain' | 'trust';
  /**
   * `query`: passwords are read from the server, by a function that this makes in `databases`; a list: a userlist
   * (auth_file) with these passwords or verifiers, written by hand.
   */
  readonly auth: 'query' | readonly PoolUser[];
  /** Where clients log in; `postgres` unless given. */
  readonly databases?: readonly string[];
  /** Lines of [databases] before the one that takes every database to the server. */
  readonly lines?: readonly string[];
  /** More lines of its configuration, `name = value`. */
  readonly settings?: readonly string[];
}

/** A line of a userlist. */
export interface PoolUser {
  readonly user: string;
  readonly password: string;
}

/** A real PgBouncer of this test's own on 127.0.0.1. */
export interface PgBouncer {
  readonly port: number;
  readonly endpoint: string;
  /** Everything it wrote to its log so far. */
  log(): string;
  /** Runs a command of its console, like `RECONNECT`, as an administrator of it. */
  console(command: string): Promise<readonly pg.QueryResultRow[]>;
  /** Writes the userlist anew and has it read. */
  setUsers(users: readonly PoolUser[]): Promise<void>;
  /** Stops it by its handle and removes its directory. */
  stop(): Promise<void>;
}

const program = '/usr/sbin/pgbouncer';
const secondMs = 1_000;
const consoleUser = { user: 'console', password: 'password-of-the-console' };
const lookupUser = { user: 'pgbouncer_lookup', password: 'password-of-the-lookup' };

/** True where Debian's package pgbouncer is installed. */
export function hasPgBouncer(): boolean {
  return existsSync(program);
}

/** Starts one; takes a tenth of a second. Throws where the package is not installed. */
export async function startPgBouncer(options: PgBouncerOptions): Promise<PgBouncer> {
  if (!hasPgBouncer()) throw new Error('no PgBouncer: apt-get install pgbouncer');
  if (options.auth === 'query') await makeLookup(options);
  const owner = await serverAccount();
  const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-pgbouncer-'));
  await chmod(directory, 0o755);
  const paths = { ini: join(directory, 'pgbouncer.ini'), users: join(directory, 'userlist.txt') };
  const port = await freePort();
  const write = async (path: string, text: string) => {
    await writeFile(path, text, { mode: 0o600 });
    if (owner) await chown(path, owner.uid, owner.gid);
  };
  const setUsers = async (users: readonly PoolUser[]) => write(paths.users, userlist(users));
  await setUsers(options.auth === 'query' ? [lookupUser] : options.auth);
  await write(paths.ini, configuration(options, port, paths.users));
  const pooler = spawn(program, [paths.ini], { ...owner, cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
  const lines: string[] = [];
  pooler.stderr.setEncoding('utf8').on('data', (text: string) => void lines.push(text));
  await untilReady(pooler, lines);
  const command = (text: string) => onConsole(port, text);
  return {
    port,
    endpoint: `127.0.0.1:${port}`,
    log: () => lines.join(''),
    console: command,
    async setUsers(users) {
      await setUsers(users);
      await command('RELOAD');
    },
    async stop() {
      await ended(pooler);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** As its manual proposes: a login of its own, and a function of a superuser that reads one user's verifier. */
async function makeLookup({ server, databases = ['postgres'] }: PgBouncerOptions): Promise<void> {
  const { user, password } = lookupUser;
  await server.sql(`DO $$ BEGIN CREATE ROLE ${user} LOGIN PASSWORD '${password}';
    EXCEPTION WHEN duplicate_object THEN NULL; END $$`);
  for (const database of databases)
    await sqlOn(
      { port: server.port, ...superuser, database },
      `CREATE SCHEMA IF NOT EXISTS pooler; GRANT USAGE ON SCHEMA pooler TO ${user};
      CREATE OR REPLACE FUNCTION pooler.lookup(name text) RETURNS TABLE (usename name, passwd text)
      LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS
      'SELECT rolname, rolpassword FROM pg_catalog.pg_authid WHERE rolname = $1 AND rolcanlogin';
      REVOKE ALL ON FUNCTION pooler.lookup(text) FROM PUBLIC; GRANT EXECUTE ON FUNCTION pooler.lookup(text) TO ${user};`,
    );
}

function configuration(options: PgBouncerOptions, port: number, users: string): string {
  const { server, mode, type = 'scram-sha-256', auth, lines = [], settings = [] } = options;
  const lookup = [`auth_user = ${lookupUser.user}`, 'auth_query = SELECT usename, passwd FROM pooler.lookup($1)'];
  return [
    '[databases]',
    ...lines,
    `* = host=127.0.0.1 port=${server.port}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    `pool_mode = ${mode}`,
    `auth_type = ${type}`,
    `auth_file = ${users}`,
    `admin_users = ${consoleUser.user}`,
    ...(auth === 'query' ? lookup : []),
    ...settings,
    '',
  ].join('\n');
}

function userlist(users: readonly PoolUser[]): string {
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  return [...users, consoleUser].map(({ user, password }) => `${quoted(user)} ${quoted(password)}\n`).join('');
}

/** The console knows simple statements only. */
async function onConsole(port: number, command: string): Promise<readonly pg.QueryResultRow[]> {
  const client = new pg.Client({ host: '127.0.0.1', port, database: 'pgbouncer', ...consoleUser });
  await client.connect();
  try {
    return (await client.query<pg.QueryResultRow>(command)).rows;
  } finally {
    await client.end();
  }
}

async function untilReady(pooler: ChildProcess, lines: readonly string[]): Promise<void> {
  for (let waited = 0; waited < 10 * secondMs; waited += 20) {
    if (lines.join('').includes('process up')) return;
    if (pooler.exitCode !== null) break;
    await pause(20);
  }
  pooler.kill('SIGKILL');
  throw new Error(`PgBouncer did not start: ${lines.join('').slice(-600)}`);
}

/** SIGTERM is the immediate shutdown; who does not go in time is killed. */
async function ended(pooler: ChildProcess): Promise<void> {
  if (pooler.exitCode !== null || pooler.signalCode !== null) return;
  const gone = once(pooler, 'exit');
  pooler.kill('SIGTERM');
  const timer = setTimeout(() => pooler.kill('SIGKILL'), 5 * secondMs);
  await gone;
  clearTimeout(timer);
}
