import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort, sqlOn, superuser, type PostgresServer } from './postgres-server.ts';

const run = promisify(execFile);
const secondMs = 1_000;

/**
 * A PostgreSQL from Debian's packages on 127.0.0.1, with its own data and its own user where this process is root.
 * Throws where the version is not installed. `settings` are `name=value`.
 */
export async function startDebianPostgres(version: number, settings: readonly string[] = []): Promise<PostgresServer> {
  const programs = programsOf(version);
  if (!existsSync(join(programs, 'postgres')))
    throw new Error(`no PostgreSQL ${version} in ${programs}: apt-get install postgresql-${version}`);
  return startPostgresIn(programs, settings);
}

/** True where Debian's package of this version is installed. */
export function hasDebianPostgres(version: number): boolean {
  return existsSync(join(programsOf(version), 'postgres'));
}

function programsOf(version: number): string {
  return `/usr/lib/postgresql/${version}/bin`;
}

/** As startDebianPostgres, with the programs of another place, like an older version unpacked by hand. */
export async function startPostgresIn(programs: string, settings: readonly string[] = []): Promise<PostgresServer> {
  const owner = await serverAccount();
  const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-pg-'));
  const passwordFile = join(directory, 'password');
  await writeFile(passwordFile, superuser.password);
  await chmod(directory, 0o755);
  if (owner) for (const path of [directory, passwordFile]) await chown(path, owner.uid, owner.gid);
  const data = join(directory, 'data');
  await run(
    join(programs, 'initdb'),
    ['-D', data, '-U', superuser.user, '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '--no-sync', '-E', 'UTF8'],
    { ...owner, cwd: directory, timeout: 60 * secondMs },
  );
  return serve({ programs, owner, directory, data }, settings);
}

/**
 * A hot standby of `primary`, which must be a server of the same version whose superuser may replicate. Takes some
 * seconds.
 */
export async function startDebianStandby(version: number, primary: PostgresServer): Promise<PostgresServer> {
  const programs = programsOf(version);
  const owner = await serverAccount();
  const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-pg-'));
  await chmod(directory, 0o755);
  if (owner) await chown(directory, owner.uid, owner.gid);
  const data = join(directory, 'data');
  const source = ['-h', '127.0.0.1', '-p', String(primary.port), '-U', superuser.user];
  await run(join(programs, 'pg_basebackup'), [...source, '-D', data, '-R', '-X', 'stream', '-c', 'fast', '--no-sync'], {
    ...owner,
    cwd: directory,
    env: { PGPASSWORD: superuser.password },
    timeout: 60 * secondMs,
  });
  return serve({ programs, owner, directory, data }, []);
}

interface Place {
  readonly programs: string;
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  readonly directory: string;
  readonly data: string;
}

async function serve(
  { programs, owner, directory, data }: Place,
  settings: readonly string[],
): Promise<PostgresServer> {
  const port = await freePort();
  const all = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off', ...settings];
  const flags = ['-D', data, '-p', String(port), ...all.flatMap((setting) => ['-c', setting])];
  const server = spawn(join(programs, 'postgres'), flags, {
    ...owner,
    cwd: directory,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const lines: string[] = [];
  server.stderr.setEncoding('utf8').on('data', (text: string) => void lines.push(text));
  await untilReady(server, lines);
  return {
    port,
    endpoint: `127.0.0.1:${port}`,
    log: () => lines.join(''),
    sql: (text, values) => sqlOn({ port, ...superuser }, text, values),
    async stop() {
      await ended(server);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** PostgreSQL refuses to run as root; the account `postgres` comes with the package. */
export async function serverAccount(): Promise<{ readonly uid: number; readonly gid: number } | undefined> {
  if (userInfo().uid !== 0) return undefined;
  const line = (await readFile('/etc/passwd', 'utf8')).split('\n').find((one) => one.startsWith('postgres:'));
  const [, , uid, gid] = line?.split(':') ?? [];
  if (uid === undefined || gid === undefined) throw new Error('there is no account postgres to run the server as');
  return { uid: Number(uid), gid: Number(gid) };
}

async function untilReady(server: ChildProcess, lines: readonly string[]): Promise<void> {
  for (let waited = 0; waited < 20 * secondMs; waited += 50) {
    if (lines.join('').match(/ready to accept (?:read-only )?connections/)) return;
    if (server.exitCode !== null) break;
    await pause(50);
  }
  server.kill('SIGQUIT');
  throw new Error(`PostgreSQL did not start: ${lines.join('').slice(-600)}`);
}

/** SIGINT is the fast shutdown; who does not go in time is killed. */
async function ended(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null) return;
  const gone = once(server, 'exit');
  server.kill('SIGINT');
  const timer = setTimeout(() => server.kill('SIGQUIT'), 5 * secondMs);
  await gone;
  clearTimeout(timer);
}
