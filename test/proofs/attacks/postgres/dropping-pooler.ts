import { connect, createServer, type Socket } from 'node:net';
import { once } from 'node:events';

/** A pooler before a server, which lets `options` of the startup message fall, as PgBouncer does where it is told to. */
export async function droppingPooler(port: number): Promise<{ readonly endpoint: string } & AsyncDisposable> {
  const sockets = new Set<Socket>();
  const pooler = createServer((client) => {
    const server = connect(port, '127.0.0.1');
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => void (client.destroy(), server.destroy()));
    }
    client.once('data', (startup: Buffer) => {
      server.write(withoutOptions(startup));
      client.pipe(server);
    });
    server.pipe(client);
  });
  pooler.listen(0, '127.0.0.1');
  await once(pooler, 'listening');
  const address = pooler.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    endpoint: `127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => void pooler.close(() => resolve()));
    },
  };
}

function withoutOptions(startup: Buffer): Buffer {
  const parts = startup.toString('utf8', 8).split('\0');
  const kept: string[] = [];
  for (let at = 0; parts[at]; at += 2) if (parts[at] !== 'options') kept.push(parts[at] ?? '', parts[at + 1] ?? '');
  const body = Buffer.from(`${kept.map((part) => `${part}\0`).join('')}\0`);
  const head = Buffer.alloc(8);
  head.writeInt32BE(body.length + 8, 0);
  startup.copy(head, 4, 4, 8);
  return Buffer.concat([head, body]);
}
