import { readFileSync } from 'node:fs';
import type { Server } from 'node:net';
import { LockkeeperError } from '../../../shared/base/error.ts';

/**
 * Listens on 127.0.0.1 at `preferred`, or where that is taken at the next free port outside the range that the system
 * hands out to clients. `near: false` takes `preferred` only. `conflict` where no port was free.
 */
export async function listenAt(
  server: Server,
  preferred: number,
  options: { readonly near: boolean },
): Promise<number> {
  const candidates = options.near ? nearby(preferred) : [preferred];
  for (const port of candidates) if (await triedListen(server, port)) return port;
  throw new LockkeeperError('conflict', `listening on 127.0.0.1:${preferred} failed: the port is taken`, {
    hint: 'End the program that holds the port, or choose another port in the configuration.',
  });
}

async function triedListen(server: Server, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      server.removeListener('listening', succeeded);
      if (error.code === 'EADDRINUSE') resolve(false);
      else
        reject(
          new LockkeeperError('denied', `listening on 127.0.0.1:${port} failed: ${error.message}`, {
            cause: error,
            hint: 'Choose a port above 1023.',
          }),
        );
    };
    const succeeded = (): void => {
      server.removeListener('error', failed);
      resolve(true);
    };
    server.once('error', failed);
    server.once('listening', succeeded);
    server.listen(port, '127.0.0.1');
  });
}

function nearby(preferred: number): readonly number[] {
  const [low, high] = clientPorts();
  const wanted = Array.from({ length: 200 }, (_, step) => preferred + step);
  return wanted.filter((port) => port <= 65_535 && (port < low || port > high));
}

/** The system's own range where it can be read (Linux); elsewhere what the usual systems use. */
function clientPorts(): readonly [number, number] {
  if (process.platform !== 'linux') return [32_768, 65_535];
  const [low = 32_768, high = 60_999] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
    .trim()
    .split(/\s+/)
    .map(Number);
  return [low, high];
}
