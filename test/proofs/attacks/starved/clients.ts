import { spawn } from 'node:child_process';
import { connect, createServer, type Socket } from 'node:net';

/** A healthy service: it answers what it is sent, and keeps the connection. */
export async function healthyService(): Promise<{ readonly port: number; end(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => socket.write(chunk));
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 511 }, resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    async end() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A service that listens and takes no connection: its queue is full after a few. */
export async function stuckService(): Promise<{ readonly port: number; end(): Promise<void> }> {
  const script = `const server = require('node:net').createServer();
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      require('node:fs').writeSync(1, String(server.address().port) + '\\n');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30_000);
    });`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'], timeout: 40_000 });
  const port = await new Promise<number>((resolve) => child.stdout.once('data', (text) => resolve(Number(text))));
  return {
    port,
    async end() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** What became of one client. */
export type Fate = 'answered' | 'refused' | 'nothing';

/** So many clients at once, each with a connection of its own that it keeps until all have an end. */
export async function crowd(
  port: number,
  count: number,
  from = '127.0.0.1',
  patienceMs = 3_000,
): Promise<readonly Fate[]> {
  const sockets: Socket[] = [];
  const fates = await Promise.all(
    Array.from({ length: count }, async () => {
      const socket = connect({ host: '127.0.0.1', port, localAddress: from });
      sockets.push(socket);
      return fateOf(socket, patienceMs);
    }),
  );
  for (const socket of sockets) socket.destroy();
  return fates;
}

async function fateOf(socket: Socket, patienceMs: number): Promise<Fate> {
  return new Promise((resolve) => {
    socket.setTimeout(patienceMs, () => resolve('nothing'));
    socket.once('connect', () => socket.write('hello'));
    socket.once('data', () => resolve('answered'));
    socket.once('error', () => resolve('refused'));
    socket.once('close', () => resolve('refused'));
  });
}
