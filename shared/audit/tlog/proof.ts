import { LockkeeperError } from '../../base/error.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { parseCheckpoint, type Checkpoint } from './checkpoint.ts';
import { edgeOf, hashBytes, leafHash, perfectLevels, treeRoot, verifyInclusion, type Hash } from './merkle.ts';
import { parseNote, verifyNote, type VerifierKey } from './note.ts';
import { tileWidth } from './tile.ts';

/**
 * The hash at (level, index): the root of the perfect subtree over the leaves from index · 2^level on, 2^level of them.
 */
export type ReadSubtree = (level: number, index: number) => Promise<Hash>;

/** Leaves of a tree, `to` excluded. In a proof it is a perfect subtree, or one that ends at the right edge. */
interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * The hashes that prove the leaf at `index` in the tree of `size` leaves, sibling first (RFC 6962, 2.1.1). `invalid`
 * where it has no such leaf.
 */
export async function inclusionProof(index: number, size: number, read: ReadSubtree): Promise<readonly Hash[]> {
  if (!isCount(index) || !isCount(size) || index >= size) {
    throw new LockkeeperError('invalid', `a tree of ${size} leaves has none at index ${index}`);
  }
  return await Promise.all(inclusionRanges(index, size).map(async (range) => rangeRoot(range, read)));
}

/**
 * The hashes that prove that the tree of `to` leaves begins with that of `from` (RFC 6962, 2.1.2); none where `from` is
 * 0 or
 * `to`. `invalid` where `from` is larger.
 */
export async function consistencyProof(from: number, to: number, read: ReadSubtree): Promise<readonly Hash[]> {
  if (!isCount(from) || !isCount(to) || from > to) {
    throw new LockkeeperError('invalid', `a tree of ${to} leaves does not begin with one of ${from}`);
  }
  const ranges = from === 0 || from === to ? [] : consistencyRanges(from, to);
  return await Promise.all(ranges.map(async (range) => rangeRoot(range, read)));
}

/** Down from the root towards the leaf; at each fork the other side belongs to the proof. */
function inclusionRanges(index: number, size: number): readonly Range[] {
  const ranges: Range[] = [];
  for (let [from, to] = [0, size]; to - from > 1;) {
    const middle = from + largestPowerBelow(to - from);
    ranges.unshift(index < middle ? { from: middle, to } : { from, to: middle });
    [from, to] = index < middle ? [from, middle] : [middle, to];
  }
  return ranges;
}

/** Down towards the largest subtree that ends where the old tree ends: both trees have it. */
function consistencyRanges(oldSize: number, newSize: number): readonly Range[] {
  const ranges: Range[] = [];
  let [from, to] = [0, newSize];
  while (to !== oldSize) {
    const middle = from + largestPowerBelow(to - from);
    ranges.unshift(oldSize <= middle ? { from: middle, to } : { from, to: middle });
    [from, to] = oldSize <= middle ? [from, middle] : [middle, to];
  }
  // Where it is the whole old tree, its root is known to whoever checks.
  return from === 0 ? ranges : [{ from, to }, ...ranges];
}

/** For 2 and more. */
function largestPowerBelow(count: number): number {
  return 2 ** (perfectLevels(count - 1)[0] ?? 0);
}

async function rangeRoot({ from, to }: Range, read: ReadSubtree): Promise<Hash> {
  let at = from;
  const wanted = perfectLevels(to - from).map((level) => {
    const index = at / 2 ** level;
    at += 2 ** level;
    return { level, index };
  });
  const roots = await Promise.all(wanted.map(async ({ level, index }) => read(level, index)));
  return edgeOf(to - from, roots).root();
}

/** A tile's bytes: 32 for each of its `width` hashes. */
export type ReadTile = (level: number, index: number, width: number) => Promise<Uint8Array>;

/**
 * A ReadSubtree over the tiles of a log of `size` entries, for one proof: it reads each tile once and keeps it. The
 * hash at level 8t + k is the root over 2^k hashes of a tile of level t. `invalid` where a tile has another length than
 * its place says.
 */
export function subtreeReader(size: number, tile: ReadTile): ReadSubtree {
  const read = new Map<string, Promise<Uint8Array>>();
  return async (level, index) => {
    if ((index + 1) * 2 ** level > size) {
      throw new LockkeeperError('bug', `a log of ${size} entries has no whole subtree ${index} at level ${level}`);
    }
    const row = Math.floor(level / 8);
    const count = 2 ** (level % 8);
    const number = Math.floor((index * count) / tileWidth);
    const width = Math.min(tileWidth, Math.floor(size / tileWidth ** row) - number * tileWidth);
    const name = `${row}/${number}`;
    const bytes = read.get(name) ?? tile(row, number, width);
    read.set(name, bytes);
    const hashes = splitTile(await bytes, width, `tile ${number} of level ${row}`);
    const first = (index * count) % tileWidth;
    return treeRoot(hashes.slice(first, first + count));
  };
}

function splitTile(bytes: Uint8Array, width: number, name: string): readonly Hash[] {
  if (bytes.length !== width * hashBytes) {
    throw new LockkeeperError(
      'invalid',
      `${name} has ${bytes.length} bytes; ${width} hashes have ${width * hashBytes}`,
    );
  }
  return Array.from({ length: width }, (_, at) => bytes.subarray(at * hashBytes, (at + 1) * hashBytes));
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/**
 * C2SP tlog-proof: what one needs, beside the entry and the log's key, to see without the log that the entry is in it.
 */
export interface Proof {
  readonly index: number;
  /** From the leaf's sibling up to the root's child. */
  readonly hashes: readonly Hash[];
  /** The whole signed note. */
  readonly checkpoint: string;
  /** Anything; nothing vouches for it. */
  readonly extra?: Uint8Array;
}

const proofHead = 'c2sp.org/tlog-proof@v1';

/** The proof as the text of a .tlog-proof file. */
export function formatProof({ index, hashes, checkpoint, extra }: Proof): string {
  const lines = [
    proofHead,
    ...(extra ? [`extra ${encodeBase64(extra)}`] : []),
    `index ${index}`,
    ...hashes.map(encodeBase64),
  ];
  return `${lines.join('\n')}\n\n${checkpoint}`;
}

/** The proof in such a text; `invalid` unless it has the form. Whether it proves anything says checkProof. */
export function parseProof(text: string): Proof {
  const blank = text.indexOf('\n\n');
  if (blank < 0) throw badProof('no blank line is before its checkpoint');
  const [head, ...lines] = text.slice(0, blank).split('\n');
  if (head !== proofHead) throw badProof(`its first line is not ${proofHead}`);
  const encoded = /^extra (.*)$/.exec(lines[0] ?? '')?.[1];
  const extra = encoded === undefined ? undefined : bytesOf(encoded);
  const [place, ...hashes] = encoded === undefined ? lines : lines.slice(1);
  const index = /^index (0|[1-9]\d*)$/.exec(place ?? '')?.[1];
  if (index === undefined || !isCount(Number(index)))
    throw badProof(`${JSON.stringify(place ?? '')} is no line with an index`);
  const proof = { index: Number(index), hashes: hashes.map(bytesOf), checkpoint: text.slice(blank + 2) };
  if (proof.hashes.some((hash) => hash.length !== hashBytes)) throw badProof(`a hash has not ${hashBytes} bytes`);
  return extra === undefined ? proof : { ...proof, extra };
}

function bytesOf(line: string): Uint8Array {
  const bytes = decodeBase64(line);
  if (bytes) return bytes;
  throw badProof(`${JSON.stringify(line)} is not base64`);
}

function badProof(why: string, hint = 'It was cut off or changed: ask for it again.'): LockkeeperError {
  return new LockkeeperError('invalid', `no proof: ${why}`, { hint });
}

/** Who says so: the checkpoint that the entry is in, and those of the keys that signed it. */
export interface Proven {
  readonly checkpoint: Checkpoint;
  readonly signers: readonly VerifierKey[];
}

/**
 * Answers where the entry, byte for byte, is at the proof's index in a checkpoint signed by the log: by the one of
 * `keys` that bears the checkpoint's origin as its name. How many witnesses are enough is for the caller to say.
 * `invalid`, with why, otherwise.
 */
export function checkProof({
  proof,
  entry,
  keys,
}: {
  readonly proof: Proof;
  readonly entry: Uint8Array;
  readonly keys: readonly VerifierKey[];
}): Proven {
  const note = parseNote(proof.checkpoint);
  const checkpoint = parseCheckpoint(note.text);
  const signers = verifyNote(note, keys);
  if (!signers.some(({ name, type }) => name === checkpoint.origin && type === 0x01)) {
    throw badProof(
      `its checkpoint is not signed by ${checkpoint.origin} with a known key`,
      'Give the verifier key of this log.',
    );
  }
  const { index, hashes } = proof;
  const { size, root } = checkpoint;
  if (verifyInclusion({ index, size, leaf: leafHash(entry), proof: hashes, root })) return { checkpoint, signers };
  throw badProof(
    `this entry is not at index ${index} of ${checkpoint.origin} as of ${size} entries`,
    'The entry, the proof or both were changed.',
  );
}
