import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { chmod, chown } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LockkeeperError } from '../../../shared/base/error.ts';
import { makePrivateFolder, writePrivateFile } from '../../../shared/base/private-files.ts';
import { Sealed } from '../../../shared/base/sealed.ts';
import type { World } from '../../../shared/base/world.ts';
import { postgresBinaries } from './postgres-binaries.ts';

/** A running PostgreSQL of this process. */
export interface PostgresServer {
  readonly port: number;
  /** The superuser's login, made for this server alone. */
  readonly superuser: { readonly user: string; readonly password: Sealed };
  /** Ends it by its own handle: open sessions are cut, data is written down. Repeatable. */
  stop(): Promise<void>;
}

export interface PostgresServerOptions {
  readonly world: World;
  /** For data and, where needed, a copy of the program. The caller removes it after `stop`. */
  readonly directory: string;
  readonly port: number;
}

/**
 * Starts a real PostgreSQL on 127.0.0.1; takes about a second. PostgreSQL refuses to run as root, so root starts it as
 * `nobody`. It runs in a session of its own: Ctrl-C in the terminal reaches lockkeeper first, which stops it in order.
 */
export async function startPostgres({ world, directory, port }: PostgresServerOptions): Promise<PostgresServer> {
  const account = serverAccount();
  const program = await postgresBinaries(directory, account !== undefined);
  const data = join(directory, 'data');
  const password = new Sealed(Buffer.from(world.random(24)).toString('hex'));
  await makePrivateFolder(data);
  if (account !== undefined) await Promise.all([chmod(directory, 0o711), chown(data, account.uid, account.gid)]);
  await initialise({ program, data, account }, password);
  const flags = [
    '-D',
    data,
    '-p',
    String(port),
    '-c',
    'listen_addresses=127.0.0.1',
    '-c',
    'unix_socket_directories=',
    '-c',
    'fsync=off',
  ];
  const server = spawn(join(program, 'bin', 'postgres'), flags, {
    ...account,
    cwd: data,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await ready(server, port);
  return { port, superuser: { user: 'postgres', password }, stop: () => stop(server) };
}

interface Installation {
  readonly program: string;
  readonly data: string;
  readonly account: { readonly uid: number; readonly gid: number } | undefined;
}

/** Undefined: the present user can run it. */
function serverAccount(): Installation['account'] {
  return userInfo().uid === 0 ? { uid: 65_534, gid: 65_534 } : undefined;
}

/** The password travels in a file that only the server's user can read, never on a command line. */
async function initialise({ program, data, account }: Installation, password: Sealed): Promise<void> {
  const passwordFile = join(data, '..', 'superuser');
  await writePrivateFile(passwordFile, password.open(), { over: 'create' });
  if (account !== undefined) await chown(passwordFile, account.uid, account.gid);
  const flags = [
    '-D',
    data,
    '-U',
    'postgres',
    '-A',
    'scram-sha-256',
    '--pwfile',
    passwordFile,
    '--no-sync',
    '-E',
    'UTF8',
    '--locale',
    'C',
  ];
  try {
    await promisify(execFile)(join(program, 'bin', 'initdb'), flags, { ...account, cwd: data, timeout: 60_000 });
  } catch (cause) {
    throw new LockkeeperError('unreachable', `making a PostgreSQL database in ${data} failed`, {
      cause,
      hint: 'See the cause; a full disk is the usual one.',
    });
  }
}

async function ready(server: ChildProcess, port: number): Promise<void> {
  const said: string[] = [];
  await new Promise<void>((resolve, reject) => {
    const failed = (what: string): void =>
      reject(
        new LockkeeperError('unreachable', `PostgreSQL on 127.0.0.1:${port} ${what}: ${said.join('').slice(-600)}`),
      );
    const late = setTimeout(() => failed('was not ready within 30 s'), 30_000);
    server.stderr?.on('data', (chunk: Buffer) => {
      if (said.length < 100) said.push(chunk.toString());
      if (!said.join('').includes('ready to accept connections')) return;
      clearTimeout(late);
      resolve();
    });
    server.once('error', (error) => failed(`did not start (${error.message})`));
    server.once('exit', (code) => failed(`ended with ${code ?? 'a signal'}`));
  });
}

/** SIGINT is PostgreSQL's fast shutdown; one that takes longer than 3 s is killed. */
async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  server.kill('SIGINT');
  const late = setTimeout(() => server.kill('SIGKILL'), 3_000);
  await ended;
  clearTimeout(late);
}
