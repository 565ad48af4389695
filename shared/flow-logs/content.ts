import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { Writable, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { LockkeeperError } from '../base/error.ts';

/** What the first bytes of a file say it is. */
export type Encoding = 'text' | 'gzip' | 'parquet' | 'empty';

/** Reads the first bytes only. Errors: what the file system throws. */
export async function encodingOf(path: string): Promise<Encoding> {
  const head = await bytesAt(path, 0, 4);
  if (head.length === 0) return 'empty';
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  return head.toString('latin1') === 'PAR1' ? 'parquet' : 'text';
}

/** The lines of a text object, unpacked, without line ends. Errors: `invalid` for a broken or cut-off gzip stream. */
export async function* linesOf(path: string): AsyncGenerator<string> {
  const file = createReadStream(path);
  const text = (await encodingOf(path)) === 'gzip' ? unpacked(file) : file;
  let rest = '';
  try {
    for await (const chunk of text.setEncoding('utf8')) {
      const lines = `${rest}${String(chunk)}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line;
    }
  } catch (cause) {
    throw brokenStream(path, cause);
  } finally {
    text.destroy();
    file.destroy();
  }
  if (rest !== '') yield rest;
}

/** `pipe` passes no errors on. */
function unpacked(file: Readable): Readable {
  const stream = createGunzip();
  file.on('error', (cause) => stream.destroy(cause));
  return file.pipe(stream);
}

/** What the beginning of a file shows. */
export interface Sample {
  readonly encoding: Encoding;
  /** The first line that is not blank; undefined where there is none, and for Parquet. */
  readonly first: string | undefined;
  /** Mean bytes of a line, with its end. */
  readonly meanLine: number;
  /** The sample is all there is, and it is sound. */
  readonly isWhole: boolean;
}

const sampleBytes = 131_072;

/** Reads the first 128 KB of text. Errors: as linesOf, and `invalid` for a file that is named .gz and is not. */
export async function sampleOf(path: string): Promise<Sample> {
  const encoding = await encodingOf(path);
  if (encoding === 'parquet') return { encoding, first: undefined, meanLine: 0, isWhole: false };
  if (encoding !== 'gzip' && path.endsWith('.gz')) throw brokenStream(path, new Error('it is not gzip'));
  let first: string | undefined;
  const read = { lines: 0, bytes: 0 };
  for await (const line of linesOf(path)) {
    read.lines += 1;
    read.bytes += Buffer.byteLength(line) + 1;
    if (line.trim() !== '') first ??= line;
    if (read.bytes >= sampleBytes) break;
  }
  return { encoding, first, meanLine: read.bytes / Math.max(read.lines, 1), isWhole: read.bytes < sampleBytes };
}

/** The first line that is not blank; undefined where there is none. Errors as linesOf. */
export async function firstLine(path: string): Promise<string | undefined> {
  for await (const line of linesOf(path)) {
    if (line.trim() !== '') return line;
  }
  return undefined;
}

/** Why a gzip file is not whole (cut off, garbled, wrong checksum), or undefined. Reads it to the end. */
export async function brokenGzip(path: string): Promise<string | undefined> {
  const drain = new Writable({ write: (_chunk, _encoding, done) => done() });
  try {
    await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), createGunzip({ chunkSize: 1 << 20 }), drain);
    return undefined;
  } catch (cause) {
    const code = systemCode(cause);
    if (code?.startsWith('Z_')) return `${code}: it is cut off or garbled`;
    throw cause;
  }
}

/** The length that a gzip file says it has unpacked, modulo 2^32; of its last member where it has several. */
export async function claimedLength(path: string): Promise<number> {
  const { size } = await stat(path);
  const tail = await bytesAt(path, Math.max(0, size - 4), 4);
  return tail.length === 4 ? tail.readUInt32LE(0) : 0;
}

/** The code of an error of the system or of zlib (ENOENT, Z_DATA_ERROR); undefined for anything else. */
export function systemCode(thrown: unknown): string | undefined {
  const isCoded = typeof thrown === 'object' && thrown !== null && 'code' in thrown && typeof thrown.code === 'string';
  return isCoded ? String(thrown.code) : undefined;
}

function brokenStream(path: string, cause: unknown): LockkeeperError {
  return new LockkeeperError('invalid', `${path} cannot be read: ${String(cause)}`, {
    cause,
    hint: 'Fetch the object again.',
  });
}

async function bytesAt(path: string, position: number, length: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, position);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
