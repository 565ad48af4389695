import { constants, gunzipSync } from 'node:zlib';
import {
  brokenFile,
  brokenStream,
  bytesOf,
  claimedLength,
  encodingIn,
  megabytes,
  openedFile,
  smallBytes,
  unpackedAtOnce,
  type Encoding,
  type Opened,
} from './content.ts';
import { LockkeeperError } from '../base/error.ts';
import { most, mostUnpacked } from './limits.ts';
import { isMachines } from '../base/machine.ts';

/** What the beginning of a file shows. */
export interface Sample {
  readonly encoding: Encoding;
  readonly size: number;
  /** The first line that is not blank; undefined where there is none, and for Parquet. */
  readonly first: string | undefined;
  /** Mean bytes of a line, with its end. */
  readonly meanLine: number;
}

const textBytes = 131_072;

/**
 * Reads the beginning of a file, at once and never more than a bounded part. Errors: `invalid` where it is broken, is
 * named .gz and is not, or says that it unpacks to more than any flow log; what the file system throws.
 */
export function sampleOf(path: string): Sample {
  const opened = openedFile(path, textBytes);
  const { size, head } = opened;
  const encoding = encodingIn(head);
  if (encoding === 'parquet') return { encoding, size, first: undefined, meanLine: 0 };
  if (encoding !== 'gzip' && encoding !== 'empty' && path.endsWith('.gz'))
    throw brokenStream(path, new Error('it is not gzip'));
  const text = (encoding === 'gzip' ? beginning(path, opened) : head).subarray(0, textBytes);
  const lines = text.toString('utf8').split('\n');
  if (lines.at(-1) === '') lines.pop();
  const first = lines.find((line) => line.trim() !== '');
  if (first !== undefined && first.length > most.lineChars)
    throw brokenFile(path, `its first line is longer than ${most.lineChars} characters`);
  return { encoding, size, first, meanLine: text.length / Math.max(lines.length, 1) };
}

function beginning(path: string, { size, head, ...opened }: Opened): Buffer {
  const limit = mostUnpacked(size);
  const claims = claimedLength({ size, head, ...opened });
  if (claims > limit) throw brokenFile(path, `it says that it unpacks to ${megabytes(claims)}`);
  if (size <= smallBytes) return unpackedAtOnce(path, head);
  try {
    return gunzipSync(head.subarray(0, smallBytes), { finishFlush: constants.Z_SYNC_FLUSH });
  } catch (cause) {
    throw brokenStream(path, cause);
  }
}

/** What reading a text object from end to end shows. */
export interface Examined {
  /** Why it is broken (cut off, garbled, unpacks to too much); undefined where it is whole. */
  readonly broken: string | undefined;
  /** Lines that are not blank and not the header's. */
  readonly lines: number;
  /** Every line is short enough, and all end alike: DuckDB can take it. */
  readonly isPlain: boolean;
}

/** Reads a text object to its end, counting. Linear in its bytes. Errors: what the file system throws. */
export async function examine(path: string, header: string): Promise<Examined> {
  const seen = new LineCount(Buffer.from(header));
  try {
    for await (const chunk of bytesOf(path)) seen.add(chunk);
    seen.end();
    return { broken: undefined, lines: seen.lines, isPlain: seen.isPlain };
  } catch (thrown) {
    if (!(thrown instanceof LockkeeperError) || isMachines(thrown)) throw thrown;
    return { broken: thrown.message, lines: 0, isPlain: false };
  }
}

class LineCount {
  lines = 0;
  #crlf = 0;
  #ends = 0;
  #longest = 0;
  #rest: Buffer = Buffer.alloc(0);
  readonly #header: Buffer;

  constructor(header: Buffer) {
    this.#header = header;
  }

  get isPlain(): boolean {
    return this.#longest <= most.lineChars && (this.#crlf === 0 || this.#crlf === this.#ends);
  }

  add(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      this.#line(this.#joined(chunk.subarray(from, end)), true);
      from = end + 1;
    }
    // Of a line that is too long already only its length counts.
    this.#rest = this.#joined(chunk.subarray(from)).subarray(0, most.lineChars + 1);
  }

  end(): void {
    if (this.#rest.length > 0) this.#line(this.#rest, false);
  }

  #joined(more: Buffer): Buffer {
    const { length } = this.#rest;
    const joined = length === 0 ? more : length > most.lineChars ? this.#rest : Buffer.concat([this.#rest, more]);
    this.#rest = Buffer.alloc(0);
    return joined;
  }

  #line(line: Buffer, isEnded: boolean): void {
    const isCrlf = line.at(-1) === 13;
    if (isEnded) this.#ends += 1;
    if (isEnded && isCrlf) this.#crlf += 1;
    this.#longest = Math.max(this.#longest, line.length);
    const text = isCrlf ? line.subarray(0, -1) : line;
    if (text.length === 0 || text.equals(this.#header)) return;
    this.lines += 1;
  }
}
