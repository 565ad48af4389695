import { constants, closeSync, createReadStream, fstatSync, openSync, readSync } from 'node:fs';
import { Transform, type Readable } from 'node:stream';
import { createGunzip, gunzipSync } from 'node:zlib';
import { LockkeeperError } from '../base/error.ts';
import { most, mostUnpacked } from './limits.ts';

/** What the first bytes of a file say it is. */
export type Encoding = 'text' | 'gzip' | 'parquet' | 'empty';

/** A file that was looked at: its size, and its first bytes. */
export interface Opened {
  readonly size: number;
  readonly head: Buffer;
  readonly tail: Buffer;
}

/**
 * Looks at the first `bytes` of a regular file and at its last 8. Never waits: a FIFO or a device is no file. Errors:
 * `invalid` for what is no regular file or larger than any flow log; what the file system throws.
 */
export function openedFile(path: string, bytes = 4): Opened {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { size } = regular(path, file);
    return { size, head: bytesAt(file, 0, Math.min(bytes, size)), tail: bytesAt(file, Math.max(0, size - 8), 8) };
  } finally {
    closeSync(file);
  }
}

function regular(path: string, file: number): { readonly size: number } {
  const found = fstatSync(file);
  if (!found.isFile()) throw brokenFile(path, 'it is no regular file');
  if (found.size > most.fileBytes) throw brokenFile(path, `it has ${found.size} bytes, more than any flow log`);
  return found;
}

/** What the first bytes say. */
export function encodingIn(head: Buffer): Encoding {
  if (head.length === 0) return 'empty';
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  return head.subarray(0, 4).toString('latin1') === 'PAR1' ? 'parquet' : 'text';
}

/** Reads the first bytes only. Errors as openedFile. */
export function encodingOf(path: string): Encoding {
  return encodingIn(openedFile(path).head);
}

/** So small files are read at once: zlib makes at most 1,032 bytes of one, so 17 MB. */
export const smallBytes = 16_384;

/** What a gzip file of at most `smallBytes` holds. Errors: `invalid` where it is cut off or garbled. */
export function unpackedAtOnce(path: string, bytes: Buffer): Buffer {
  try {
    return gunzipSync(bytes);
  } catch (cause) {
    throw brokenStream(path, cause);
  }
}

/** The bytes of a text object, unpacked. Errors: `invalid` where the file is broken, or unpacks to too much. */
export async function* bytesOf(path: string): AsyncGenerator<Buffer> {
  const { size, head } = openedFile(path, smallBytes);
  if (size <= smallBytes) {
    yield encodingIn(head) === 'gzip' ? unpackedAtOnce(path, head) : head;
    return;
  }
  const file = createReadStream(path, { highWaterMark: 1 << 18 });
  const bytes = encodingIn(head) === 'gzip' ? unpacked(path, file, mostUnpacked(size)) : file;
  try {
    for await (const chunk of bytes) if (Buffer.isBuffer(chunk)) yield chunk;
  } catch (cause) {
    throw cause instanceof LockkeeperError ? cause : brokenStream(path, cause);
  } finally {
    bytes.destroy();
    file.destroy();
  }
}

/** `pipe` passes no errors on. */
function unpacked(path: string, file: Readable, limit: number): Readable {
  const stream = createGunzip({ chunkSize: 1 << 18 });
  let given = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      given += chunk.length;
      if (given > limit) done(brokenFile(path, `it unpacks to more than ${megabytes(limit)}`));
      else done(null, chunk);
    },
  });
  file.on('error', (cause) => stream.destroy(cause));
  stream.on('error', (cause) => counted.destroy(cause));
  counted.on('close', () => stream.destroy());
  return file.pipe(stream).pipe(counted);
}

/** A line, or a part of one that is longer than was asked for. */
export interface Part {
  readonly text: string;
  /** The line ends here. */
  readonly ends: boolean;
}

/**
 * The lines of a text object in parts of at most `chars`, unpacked, without line ends; some at a time, to be taken in
 * order. Work is linear in the bytes whatever they are. Errors as bytesOf.
 */
export async function* partsOf(path: string, chars: number): AsyncGenerator<Iterable<Part>> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const lines = new Lines(chars);
  for await (const chunk of bytesOf(path)) yield lines.cut(decoder.decode(chunk, { stream: true }));
  yield lines.cut(decoder.decode());
  yield lines.end();
}

class Lines {
  readonly #chars: number;
  /** Of a line whose end has not come. Text is only added to it: looking at it each time would be quadratic. */
  #begun = '';

  constructor(chars: number) {
    this.#chars = chars;
  }

  *cut(text: string): Generator<Part> {
    let from = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      yield* this.#begin(text.slice(from, end));
      const line = this.#begun;
      this.#begun = '';
      yield { text: line.endsWith('\r') ? line.slice(0, -1) : line, ends: true };
      from = end + 1;
    }
    yield* this.#begin(text.slice(from));
  }

  *end(): Generator<Part> {
    if (this.#begun !== '') yield { text: this.#begun, ends: true };
  }

  #begin(text: string): readonly Part[] {
    this.#begun = this.#begun === '' ? text : this.#begun + text;
    if (this.#begun.length <= this.#chars) return none;
    const parts: Part[] = [];
    let from = 0;
    for (; this.#begun.length - from > this.#chars; from += this.#chars)
      parts.push({ text: this.#begun.slice(from, from + this.#chars), ends: false });
    this.#begun = this.#begun.slice(from);
    return parts;
  }
}

const none: readonly Part[] = [];

/** The lines of a text object. Of a line that is longer than any flow log's only the beginning. Errors as bytesOf. */
export async function* linesOf(path: string): AsyncGenerator<string> {
  let begun: string | undefined;
  for await (const parts of partsOf(path, most.lineChars)) {
    for (const { text, ends } of parts) {
      begun ??= text;
      if (!ends) continue;
      yield begun;
      begun = undefined;
    }
  }
  if (begun !== undefined) yield begun;
}

/** The first line that is not blank; undefined where there is none. Errors as bytesOf. */
export async function firstLine(path: string): Promise<string | undefined> {
  for await (const line of linesOf(path)) {
    if (line.trim() !== '') return line;
  }
  return undefined;
}

/** The length that a gzip file says it has unpacked, modulo 2^32; of its last member where it has several. */
export function claimedLength({ tail }: Opened): number {
  return tail.length >= 4 ? tail.readUInt32LE(tail.length - 4) : 0;
}

/** The code of an error of the system or of zlib (ENOENT, Z_DATA_ERROR); undefined for anything else. */
export function systemCode(thrown: unknown): string | undefined {
  const isCoded = typeof thrown === 'object' && thrown !== null && 'code' in thrown && typeof thrown.code === 'string';
  return isCoded ? String(thrown.code) : undefined;
}

/** What zlib and the file system throw about one file. */
export function brokenStream(path: string, cause: unknown): LockkeeperError {
  return new LockkeeperError('invalid', `${path} cannot be read: ${String(cause)}`, {
    cause,
    hint: 'Fetch the object again.',
  });
}

/** A file that is no flow log as a cloud writes it. */
export function brokenFile(path: string, why: string): LockkeeperError {
  return new LockkeeperError('invalid', `${path} cannot be read: ${why}`, {
    hint: 'Find out who put it there, and fetch the object again.',
  });
}

/** Bytes in words. */
export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

function bytesAt(file: number, position: number, length: number): Buffer {
  const buffer = Buffer.allocUnsafe(length);
  return buffer.subarray(0, readSync(file, buffer, 0, length, position));
}
