import { connect } from 'node:net';
import { platform } from 'node:os';
import { LockkeeperError } from '../../../shared/base/error.ts';
import { systemCode } from '../system-code.ts';
import type { ServiceKind } from './miniature.ts';

/** What a client saw. */
export type Visit =
  | { readonly kind: 'answered'; readonly text: string }
  /** The connection was reset or refused before any answer. */
  | { readonly kind: 'refused'; readonly how: string };

/**
 * One real connection: connects from `from`, speaks, reads the answer to its end. `unreachable` where neither an answer
 * nor a refusal came within 5 s. Only Linux lets a client choose any loopback address; elsewhere all come from
 * 127.0.0.1.
 */
export async function visit(port: number, speaks: ServiceKind, from: string): Promise<Visit> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({
      host: '127.0.0.1',
      port,
      timeout: 5_000,
      ...(platform() === 'linux' ? { localAddress: from } : {}),
    });
    const late = (): void => {
      socket.destroy();
      reject(new LockkeeperError('unreachable', `127.0.0.1:${port} gave no answer to ${from} within 5 s`));
    };
    socket.once('connect', () => {
      socket.write(wordsOf(speaks));
      if (speaks === 'tcp') socket.end();
    });
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (speaks === 'postgres') socket.end();
    });
    socket.once('timeout', late);
    socket.once('end', () => resolve(ending(chunks)));
    socket.once('error', (error) => resolve({ kind: 'refused', how: systemCode(error) ?? error.message }));
  });
}

function ending(chunks: readonly Buffer[]): Visit {
  return chunks.length > 0
    ? { kind: 'answered', text: Buffer.concat(chunks).toString() }
    : { kind: 'refused', how: 'closed without an answer' };
}

/** What a client of that kind says first; to PostgreSQL, its question whether there is TLS. */
function wordsOf(speaks: ServiceKind): string | Buffer {
  if (speaks === 'http') return 'GET /items HTTP/1.1\r\nHost: service\r\nConnection: close\r\n\r\n';
  if (speaks === 'postgres') return Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
  return 'one line of data, as a nightly job sends it\n';
}
