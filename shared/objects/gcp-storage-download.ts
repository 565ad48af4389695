import type { Readable } from 'node:stream';
import type { File } from '@google-cloud/storage';
import { z } from 'zod';
import { asLockkeeperError, LockkeeperError } from '../base/error.ts';
import { type StoredObject, longestObject } from './contract.ts';
import { expectSize } from './size-limit.ts';

const answered = z.object({
  statusCode: z.number(),
  headers: z.looseObject({ 'x-goog-generation': z.string().optional(), 'x-goog-hash': z.string().optional() }),
});

/**
 * Bytes and generation of one answer: a second request could see the next write. The sum that came with the bytes is
 * checked. Throws what the SDK throws, and for a refusal an error of the same shape (`code` is the HTTP status).
 *
 * Not by the SDK's createReadStream: where one download breaks off, it closes the connections of every other request of
 * this process, and the writes among them are `uncertain` then.
 */
export async function download(file: File, most = longestObject): Promise<StoredObject> {
  const headers = { 'accept-encoding': 'gzip', 'cache-control': 'no-store' };
  const stream = file.requestStream({ uri: '', qs: { alt: 'media' }, headers });
  let answer: z.infer<typeof answered> | undefined;
  stream.on('response', (response: unknown) => {
    answer = answered.safeParse(response).data;
  });
  const body = await all(stream, (bytes) => expectSize(`read ${file.name}`, bytes, most));
  if (answer === undefined || answer.statusCode >= 300) throw refusal(answer, body);
  await checkSum(body, answer.headers['x-goog-hash']);
  const version = answer.headers['x-goog-generation'];
  if (version !== undefined) return { bytes: new Uint8Array(body), version };
  throw new LockkeeperError('unsupported', `read ${file.name}: the answer has no x-goog-generation`, {
    hint: 'Something between here and the bucket leaves out headers, or the server is not compatible.',
  });
}

/** The SDK's stream can be written to as well, so it never closes: whoever waits for that waits for ever. */
async function all(stream: Readable, expectAtMost: (bytes: number) => void): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  return await new Promise((resolve, reject) => {
    stream.on('data', (part: Buffer) => {
      bytes += part.length;
      try {
        expectAtMost(bytes);
        parts.push(part);
      } catch (thrown) {
        reject(asLockkeeperError(thrown));
        stream.destroy();
      }
    });
    stream.on('end', () => resolve(Buffer.concat(parts)));
    stream.on('error', reject);
  });
}

/** Of a download Google words its refusals as bare text. */
function refusal(answer: z.infer<typeof answered> | undefined, body: Buffer): Error {
  return Object.assign(new Error(body.toString('utf8')), {
    code: answer?.statusCode,
    response: { headers: answer?.headers },
  });
}

/** crc32c=BASE64,md5=BASE64 or each in a header of its own; an object that was composed has no md5. */
async function checkSum(body: Buffer, told: string | undefined): Promise<void> {
  const expected = /\bcrc32c=([^,\s]+)/.exec(told ?? '')?.[1];
  if (expected === undefined || (await sumOf(body)) === expected) return;
  throw Object.assign(new Error('the bytes are not those that were stored'), { code: 'CONTENT_DOWNLOAD_MISMATCH' });
}

/** CRC-32C in base64, as Google tells and takes it. */
export async function sumOf(bytes: Buffer): Promise<string> {
  const { CRC32C } = await import('@google-cloud/storage');
  const sum = new CRC32C();
  sum.update(bytes);
  return sum.toString();
}
