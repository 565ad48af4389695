import type { IncomingMessage } from 'node:http';
import { LockkeeperError } from '../../shared/base/error.ts';

/**
 * The whole body of a request; undefined where it is longer than `maxBytes`. What is too much is read and dropped, so
 * that the sender hears the answer; `invalid` where it goes on and on.
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    if (!(chunk instanceof Uint8Array)) throw new LockkeeperError('bug', 'a request body arrived as text');
    bytes += chunk.length;
    if (bytes <= maxBytes) chunks.push(chunk);
    else if (bytes > 64 * maxBytes) throw new LockkeeperError('invalid', `the body is longer than ${maxBytes} bytes`);
  }
  return bytes > maxBytes ? undefined : Buffer.concat(chunks);
}
