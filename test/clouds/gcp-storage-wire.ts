import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { z } from 'zod';
import { crc32c, md5, type KeptGeneration } from './gcp-storage-state.ts';

/** An answer that is not a success, in the words of the JSON API. */
export class Refusal extends Error {
  readonly status: number;
  readonly reason: string;
  readonly retryAfter: string | undefined;

  constructor(status: number, reason: string, said: { readonly message: string; readonly retryAfter?: string }) {
    super(said.message);
    this.status = status;
    this.reason = reason;
    this.retryAfter = said.retryAfter;
  }
}

/** What is not imitated is refused loudly. */
export function notImitated(what: string): Refusal {
  return new Refusal(501, 'notImplemented', { message: `this stand-in does not imitate ${what}` });
}

/** The parameters of a request, of which no other than `known` may be there. */
export function parameters(url: URL, known: readonly string[]): URLSearchParams {
  for (const name of url.searchParams.keys()) if (!known.includes(name)) throw notImitated(`the parameter ${name}`);
  return url.searchParams;
}

/** A whole request body. */
export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  return await buffer(request);
}

const sentMetadata = z.looseObject({
  contentType: z.string().optional(),
  crc32c: z.string().optional(),
  md5Hash: z.string().optional(),
});

export interface Upload {
  readonly bytes: Buffer;
  readonly contentType: string;
}

/** multipart/related of two parts: metadata as JSON, then the bytes. Sums that were sent have to be right. */
export function parseUpload(request: IncomingMessage, body: Buffer, damage?: 'changed' | 'cut'): Upload {
  const boundary = /^multipart\/related; boundary="?([^"]+)"?$/.exec(request.headers['content-type'] ?? '')?.[1];
  if (boundary === undefined) throw new Refusal(400, 'invalid', { message: 'Upload must be multipart/related.' });
  const [first, second, ...more] = partsOf(body, `--${boundary}`);
  if (!first || !second || more.length > 0 || first.type !== 'application/json')
    throw new Refusal(400, 'invalid', { message: 'Malformed multipart body.' });
  if (damage) second.bytes[0] = (second.bytes[0] ?? 0) ^ 1;
  const metadata = sentMetadata.parse(JSON.parse(first.bytes.toString('utf8')));
  const { contentType = second.type, crc32c: crc, md5Hash, ...others } = metadata;
  if (Object.keys(others).length > 0) throw notImitated(`the metadata ${Object.keys(others).join(', ')}`);
  if (crc !== undefined && crc !== crc32c(second.bytes)) throw wrongSum(`CRC32C "${crc}"`, crc32c(second.bytes));
  if (md5Hash !== undefined && md5Hash !== md5(second.bytes))
    throw wrongSum(`MD5 hash "${md5Hash}"`, md5(second.bytes));
  return { bytes: second.bytes, contentType };
}

function wrongSum(provided: string, calculated: string): Refusal {
  return new Refusal(400, 'invalid', { message: `Provided ${provided} doesn't match calculated "${calculated}".` });
}

function partsOf(body: Buffer, mark: string): readonly { readonly type: string; readonly bytes: Buffer }[] {
  const parts: { readonly type: string; readonly bytes: Buffer }[] = [];
  let at = body.indexOf(mark);
  for (;;) {
    const next = body.indexOf(`\r\n${mark}`, at + mark.length);
    if (at !== 0 && body.subarray(at, at + 2).toString() !== '\r\n')
      throw new Refusal(400, 'invalid', { message: 'Malformed multipart body.' });
    if (next < 0) return parts;
    const begin = at + mark.length + (at === 0 ? 2 : 4);
    const split = body.indexOf('\r\n\r\n', begin);
    const type = /content-type: *(\S+)/i.exec(body.subarray(begin, split).toString('latin1'))?.[1] ?? '';
    parts.push({ type, bytes: body.subarray(split + 4, next) });
    at = next;
  }
}

/** A page of a listing as `fields` cuts it: items(name,size),nextPageToken. */
export function cut(
  page: { readonly items: readonly Readonly<Record<string, string>>[]; readonly nextPageToken?: string },
  fields: string | null,
): unknown {
  if (fields === null) return page;
  const asked = /^items\(([\w,]+)\),nextPageToken$/.exec(fields)?.[1]?.split(',');
  if (!asked) throw notImitated(`fields=${fields}`);
  const items = page.items.map((item) =>
    Object.fromEntries(Object.entries(item).filter(([name]) => asked.includes(name))),
  );
  return { ...page, items };
}

/** Answers with JSON. */
export function sendJson(
  answer: ServerResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  answer
    .writeHead(status, { 'content-type': 'application/json; charset=UTF-8', ...headers })
    .end(JSON.stringify(value));
}

/** Of a download the service tells errors as bare text, of everything else as JSON. */
export function sendRefusal(answer: ServerResponse, refusal: Refusal, asText: boolean): void {
  const { status, reason, message, retryAfter } = refusal;
  const headers = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
  if (asText) answer.writeHead(status, { 'content-type': 'text/html; charset=UTF-8', ...headers }).end(message);
  else
    sendJson(
      answer,
      status,
      { error: { code: status, message, errors: [{ message, domain: 'global', reason }] } },
      headers,
    );
}

/** Answers with the bytes; `damage` changes one, or ends the connection in the middle. */
export function sendBytes(answer: ServerResponse, one: KeptGeneration, damage?: 'changed' | 'cut'): void {
  const sums = [`crc32c=${crc32c(one.bytes)}`, `md5=${md5(one.bytes)}`];
  answer.writeHead(200, {
    'content-type': one.contentType,
    'content-length': one.bytes.length,
    'x-goog-generation': one.generation,
    'x-goog-metageneration': '1',
    'x-goog-stored-content-encoding': 'identity',
    'x-goog-stored-content-length': one.bytes.length,
    'x-goog-hash': sums,
  });
  const half = one.bytes.length >> 1;
  if (damage === 'cut') answer.write(one.bytes.subarray(0, half), () => answer.destroy());
  else if (damage === 'changed') answer.end(Buffer.from(one.bytes.map((byte, at) => (at === half ? byte ^ 1 : byte))));
  else answer.end(one.bytes);
}
