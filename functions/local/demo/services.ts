import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { LockkeeperError } from '../../../shared/base/error.ts';

/** A service that listens on 127.0.0.1. */
export interface RunningService {
  readonly port: number;
  /** Ends it and every connection to it. */
  stop(): Promise<void>;
}

/** A web service: answers every request with a page of about 600 bytes. */
export async function startHttpService(name: string): Promise<RunningService> {
  const page = JSON.stringify({
    service: name,
    items: Array.from({ length: 20 }, (_, item) => ({ item, state: 'in stock' })),
  });
  const server = createHttpServer((_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.setHeader('connection', 'close');
    response.end(page);
  });
  return running(server);
}

/** A line service: answers every line with its own text and a number of bytes. */
export async function startTcpService(name: string): Promise<RunningService> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('data', (line: Buffer) => socket.write(`${name} has ${line.length} bytes: ${line.toString().trim()}\n`));
    socket.on('end', () => socket.end());
  });
  return running(server);
}

/** The address of a service that is gone: a port on which nobody listens. */
export async function absentService(): Promise<RunningService> {
  const gone = await running(createServer());
  await gone.stop();
  return { port: gone.port, stop: async () => undefined };
}

async function running(server: Server): Promise<RunningService> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(error));
    server.listen(0, '127.0.0.1', () => resolve());
  });
  const stop = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return { port: portOf(server.address()), stop };
}

function portOf(address: AddressInfo | string | null): number {
  if (typeof address === 'object' && address !== null) return address.port;
  throw new LockkeeperError('bug', 'a service listens without a port');
}
