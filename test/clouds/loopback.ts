import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';

/** A server of a test. */
export interface Loopback {
  /** Where it answers: http://127.0.0.1:PORT. */
  readonly url: string;
  /** Ends it, and every connection to it. */
  close(): Promise<void>;
}

/** Serves on a free port of this machine alone. */
export async function listenOnLoopback(serve: RequestListener): Promise<Loopback> {
  const server = createServer(serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
