import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { basename } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { LockkeeperError } from '../../shared/base/error.ts';
import { second } from '../../shared/base/time.ts';

/** A running server of this test's own. */
export interface Server {
  readonly port: number;
  /** host:port; the host is 127.0.0.1. */
  readonly endpoint: string;
  readonly url: string;
  /** Everything it wrote so far. */
  log(): string;
  /** Ends it by its own handle: asks, and kills after a grace. Repeatable. */
  stop(): Promise<void>;
}

/** What to start. */
export interface ServerOptions {
  /** The server itself, not a script that starts it: else `stop` would leave it running. */
  readonly program: string;
  /** Its words; they have to bind it to 127.0.0.1 and this port. */
  readonly words: (port: number) => readonly string[];
  /** Added to the environment of this process. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly workDirectory?: string;
  /** How long it may take until its port answers; 20 s if left out. */
  readonly readyMs?: number;
  /** How long it may take to end; 3 s if left out. */
  readonly graceMs?: number;
}

/**
 * Starts a server on a free port of 127.0.0.1 and waits until the port answers. `unreachable` where it ends or is late.
 */
export async function startServer({
  program,
  words,
  environment,
  workDirectory,
  readyMs = 20 * second,
  graceMs = 3 * second,
}: ServerOptions): Promise<Server> {
  const port = await freePort();
  const said: string[] = [];
  const child = spawn(program, words(port), {
    cwd: workDirectory,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => void said.push(part));
  const log = () => said.join('');
  const trouble = await untilReady(child, port, readyMs);
  if (trouble !== undefined) {
    await stop(child, graceMs);
    throw new LockkeeperError(
      'unreachable',
      `${basename(program)} on 127.0.0.1:${port} ${trouble}: ${log().slice(-1_500).trim() || 'it said nothing'}`,
    );
  }
  return {
    port,
    endpoint: `127.0.0.1:${port}`,
    url: `http://127.0.0.1:${port}`,
    log,
    stop: () => stop(child, graceMs),
  };
}

/** A port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => void probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise<void>((resolve) => void probe.close(() => resolve()));
  if (address === null || typeof address === 'string') throw new LockkeeperError('bug', 'the system gave no port');
  return address.port;
}

/** Undefined once the port answers; else what happened instead. */
async function untilReady(child: ChildProcess, port: number, readyMs: number): Promise<string | undefined> {
  let failed: string | undefined;
  child.once('error', ({ message }) => (failed = `did not start (${message})`));
  // Not at its exit: what it said last may come after that.
  child.once('close', (code, signal) => (failed = `ended with ${code ?? signal ?? 'no code'}`));
  const ends = Date.now() + readyMs;
  while (Date.now() < ends) {
    // An answer counts only while the server lives: else it is somebody else's.
    const isAnswered = await answers(port);
    if (failed !== undefined) return failed;
    if (isAnswered) return undefined;
    await pause(25);
  }
  return `did not answer within ${readyMs / second} s`;
}

async function answers(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: second });
    const end = (isOpen: boolean) => {
      socket.destroy();
      resolve(isOpen);
    };
    socket
      .once('connect', () => end(true))
      .once('error', () => end(false))
      .once('timeout', () => end(false));
  });
}

async function stop(child: ChildProcess, graceMs: number): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), graceMs);
  await ended;
  clearTimeout(late);
}
