import type { IncomingMessage } from 'node:http';
import { LockkeeperError } from '../../shared/base/error.ts';

/** The whole body of a request; `invalid` where it is longer than `maxBytes`. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    if (!(chunk instanceof Uint8Array)) throw new LockkeeperError('bug', 'a request body arrived as text');
    bytes += chunk.length;
    if (bytes > maxBytes) throw new LockkeeperError('invalid', `the body is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
