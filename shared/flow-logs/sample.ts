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
import { givenUp, isHopeless, most, mostUnpacked } from './limits.ts';
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
  /** Why it is broken (cut off, garbled, unpacks to too much, no flow log); undefined where it is whole. */
  readonly broken: string | undefined;
  /** Lines that are not blank and not the header's. */
  readonly lines: number;
  /** Every line is short enough and has as many columns as the header, and all end alike: DuckDB can take it. */
  readonly isPlain: boolean;
}

/** Reads a text object to its end, counting. Linear in its bytes. Errors: what the file system throws. */
export async function examine(path: string, header: string): Promise<Examined> {
  const seen = new LineCount(Buffer.from(header));
  try {
    for await (const chunk of bytesOf(path)) {
      seen.add(chunk);
      if (isHopeless(seen.misfits, seen.lines - seen.misfits))
        throw givenUp(seen.misfits, 'they have not the columns of the header');
    }
    seen.end();
    return { broken: undefined, lines: seen.lines, isPlain: seen.isPlain };
  } catch (thrown) {
    if (!(thrown instanceof LockkeeperError) || isMachines(thrown)) throw thrown;
    return { broken: thrown.message, lines: 0, isPlain: false };
  }
}

const newline = 10;
const carriageReturn = 13;
const space = 32;

/** Looks at each byte once, and makes nothing for a line. */
class LineCount {
  lines = 0;
  /** Lines without as many columns as the header has. */
  misfits = 0;
  #crlf = 0;
  #ends = 0;
  #longest = 0;
  /** The beginning of a line whose end has not come, and the spaces in it. */
  #rest: Buffer = Buffer.alloc(0);
  #spaces = 0;
  readonly #header: Buffer;
  readonly #headerSpaces: number;

  constructor(header: Buffer) {
    this.#header = header;
    this.#headerSpaces = header.filter((byte) => byte === space).length;
  }

  get isPlain(): boolean {
    const isOneEnd = this.#crlf === 0 || this.#crlf === this.#ends;
    return this.#longest <= most.lineChars && isOneEnd && this.misfits === 0;
  }

  add(chunk: Buffer): void {
    let from = 0;
    let spaces = this.#spaces;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (byte === space) spaces += 1;
      if (byte !== newline) continue;
      const joined = this.#rest.length === 0 ? undefined : this.#joined(chunk.subarray(from, at));
      if (joined === undefined) this.#line(chunk, { from, to: at, spaces, isEnded: true });
      else this.#line(joined, { from: 0, to: joined.length, spaces, isEnded: true });
      from = at + 1;
      spaces = 0;
    }
    this.#spaces = spaces;
    // Of a line that is too long already only its length counts.
    this.#rest = Buffer.from(this.#joined(chunk.subarray(from)).subarray(0, most.lineChars + 1));
  }

  end(): void {
    const { length } = this.#rest;
    if (length > 0) this.#line(this.#rest, { from: 0, to: length, spaces: this.#spaces, isEnded: false });
  }

  #joined(more: Buffer): Buffer {
    const { length } = this.#rest;
    const joined = length === 0 ? more : length > most.lineChars ? this.#rest : Buffer.concat([this.#rest, more]);
    this.#rest = Buffer.alloc(0);
    return joined;
  }

  #line(bytes: Buffer, { from, to, spaces, isEnded }: Line): void {
    const isCrlf = to > from && bytes[to - 1] === carriageReturn;
    if (isEnded) this.#ends += 1;
    if (isEnded && isCrlf) this.#crlf += 1;
    if (to - from > this.#longest) this.#longest = to - from;
    const stop = isCrlf ? to - 1 : to;
    if (stop === from || this.#isHeader(bytes, from, stop)) return;
    this.lines += 1;
    const columns = spaces - (bytes[stop - 1] === space ? 1 : 0);
    if (columns !== this.#headerSpaces) this.misfits += 1;
  }

  #isHeader(bytes: Buffer, from: number, stop: number): boolean {
    if (stop - from !== this.#header.length || bytes[from] !== this.#header[0]) return false;
    return this.#header.compare(bytes, from, stop) === 0;
  }
}

/** Where a line is in its bytes. */
interface Line {
  readonly from: number;
  readonly to: number;
  readonly spaces: number;
  readonly isEnded: boolean;
}
