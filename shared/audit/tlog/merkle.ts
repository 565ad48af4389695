import { hash } from 'node:crypto';
import { LockkeeperError } from '../../base/error.ts';

/** A SHA-256 hash, 32 bytes. Nobody writes into one once it is made. */
export type Hash = Uint8Array;

/** Length of a Hash in bytes. */
export const hashBytes = 32;

/** The root of the tree without entries: SHA-256 of nothing. */
export const emptyRoot: Hash = sha256(new Uint8Array());

// One buffer each for all leaves and all nodes: nothing is allocated for a hash but the hash.
const leafInput = Buffer.alloc(1 + 65_536);
const nodeInput = Buffer.alloc(1 + 2 * hashBytes);
nodeInput[0] = 1;

/** RFC 6962 leaf: SHA-256(0x00 ‖ entry). */
export function leafHash(entry: Uint8Array): Hash {
  const input =
    entry.length < leafInput.length ? leafInput.subarray(0, 1 + entry.length) : Buffer.alloc(1 + entry.length);
  input.set(entry, 1);
  return sha256(input);
}

/**
 * RFC 6962 node: SHA-256(0x01 ‖ left ‖ right). Both are 32 bytes, else `bug`: a shorter one would hash what was there
 * before.
 */
export function nodeHash(left: Hash, right: Hash): Hash {
  if (left.length !== hashBytes || right.length !== hashBytes) {
    throw new LockkeeperError('bug', `a node of ${left.length} and ${right.length} bytes; hashes have ${hashBytes}`);
  }
  nodeInput.set(left, 1);
  nodeInput.set(right, 1 + hashBytes);
  return sha256(nodeInput);
}

/**
 * By way of a text of 32 letters, which takes half the time: a buffer that OpenSSL fills has memory of its own to be
 * freed.
 */
function sha256(input: Uint8Array): Hash {
  return Buffer.from(hash('sha256', input, 'binary'), 'latin1');
}

/**
 * The root over hashes of one level, at least one. To pair neighbours and let a last one without a neighbour rise as it
 * is gives RFC 6962's tree, which splits at the largest power of two.
 */
export function treeRoot(hashes: readonly Hash[]): Hash {
  let row = hashes;
  while (row.length > 1) row = parents(row);
  if (row[0]) return row[0];
  throw new LockkeeperError('bug', 'treeRoot of no hashes; the empty tree has emptyRoot');
}

function parents(row: readonly Hash[]): readonly Hash[] {
  const above: Hash[] = [];
  for (let at = 0; at < row.length; at += 2) {
    const [left, right] = [row[at], row[at + 1]];
    if (left) above.push(right ? nodeHash(left, right) : left);
  }
  return above;
}

/**
 * The right edge of a growing tree: the roots of the perfect subtrees it consists of, largest first, which is all one
 * needs to go on appending. Of 1 million leaves it keeps 7 hashes.
 */
export class RightEdge {
  readonly #roots: Hash[] = [];
  #size = 0;

  /** How many leaves the tree has. */
  get size(): number {
    return this.#size;
  }

  /** Appends one leaf, already hashed. */
  append(leaf: Hash): void {
    this.appendSubtree(0, leaf);
  }

  /** Appends a perfect subtree of 2^level leaves by its root; `bug` unless the size is a multiple of 2^level. */
  appendSubtree(level: number, root: Hash): void {
    let width = 2 ** level;
    const size = this.#size + width;
    if (!Number.isSafeInteger(level) || level < 0 || !Number.isSafeInteger(size) || this.#size % width !== 0) {
      throw new LockkeeperError('bug', `a subtree of 2^${level} leaves does not fit after ${this.#size} leaves`);
    }
    let node = root;
    // A subtree as wide as the last one closes it: the two become one, and so on leftwards.
    for (; Math.floor(this.#size / width) % 2 === 1; width *= 2) {
      const left = this.#roots.pop();
      if (left) node = nodeHash(left, node);
    }
    this.#roots.push(node);
    this.#size = size;
  }

  /** The root of the whole tree. */
  root(): Hash {
    let root = this.#roots.at(-1) ?? emptyRoot;
    for (let at = this.#roots.length - 2; at >= 0; at -= 1) root = nodeHash(this.#roots[at] ?? root, root);
    return root;
  }

  /** Another edge of the same tree that grows on its own. */
  copy(): RightEdge {
    return edgeOf(this.#size, this.#roots);
  }

  /** The roots of the perfect subtrees, left to right, largest first: what `edgeOf` takes. */
  roots(): readonly Hash[] {
    return [...this.#roots];
  }
}

/**
 * The edge of a tree of `size` leaves from the roots of its perfect subtrees, left to right; `bug` where their number
 * does not fit.
 */
export function edgeOf(size: number, roots: readonly Hash[]): RightEdge {
  const levels = perfectLevels(size);
  if (levels.length !== roots.length) {
    throw new LockkeeperError(
      'bug',
      `a tree of ${size} leaves has ${levels.length} perfect subtrees, not ${roots.length}`,
    );
  }
  const edge = new RightEdge();
  for (const [at, root] of roots.entries()) edge.appendSubtree(levels[at] ?? 0, root);
  return edge;
}

/**
 * Levels of the perfect subtrees of a tree of `size` leaves, left to right: the ones in its binary form, highest first.
 */
export function perfectLevels(size: number): readonly number[] {
  const levels: number[] = [];
  for (let level = 0, rest = size; rest > 0; level += 1, rest = Math.floor(rest / 2))
    if (rest % 2 === 1) levels.unshift(level);
  return levels;
}

/** Says that the leaf at `index` is in the tree of `size` leaves with this root. */
export interface InclusionClaim {
  readonly index: number;
  readonly size: number;
  readonly leaf: Hash;
  /** From the leaf's sibling up to the root's child. */
  readonly proof: readonly Hash[];
  readonly root: Hash;
}

/** True where the proof proves it (RFC 9162, 2.1.3.2); false for everything else, malformed claims included. */
export function verifyInclusion({ index, size, leaf, proof, root }: InclusionClaim): boolean {
  if (!isCount(index) || !isCount(size) || index >= size || ![leaf, root, ...proof].every(isHash)) return false;
  let [place, last, node] = [index, size - 1, leaf];
  for (const sibling of proof) {
    if (last === 0) return false;
    if (place % 2 === 1 || place === last) {
      node = nodeHash(sibling, node);
      [place, last] = risen(place, last);
    } else {
      node = nodeHash(node, sibling);
    }
    [place, last] = [half(place), half(last)];
  }
  return last === 0 && isSame(node, root);
}

/** Says that the tree of `newSize` leaves begins with all of the tree of `oldSize` leaves. */
export interface ConsistencyClaim {
  readonly oldSize: number;
  readonly newSize: number;
  readonly proof: readonly Hash[];
  readonly oldRoot: Hash;
  readonly newRoot: Hash;
}

/**
 * True where the proof proves it (RFC 9162, 2.1.4.2); false for everything else, malformed claims included. The empty
 * tree is the beginning of every tree and needs no proof, nor does a tree that is the same.
 */
export function verifyConsistency({ oldSize, newSize, proof, oldRoot, newRoot }: ConsistencyClaim): boolean {
  if (!isCount(oldSize) || !isCount(newSize) || oldSize > newSize || ![oldRoot, newRoot, ...proof].every(isHash))
    return false;
  if (newSize === 0 && !isSame(newRoot, emptyRoot)) return false;
  if (oldSize === 0) return proof.length === 0 && isSame(oldRoot, emptyRoot);
  if (oldSize === newSize) return proof.length === 0 && isSame(oldRoot, newRoot);
  return consistent({ oldSize, newSize, proof, oldRoot, newRoot });
}

/** For 0 < oldSize < newSize. Rebuilds both roots from the largest subtree that both trees have. */
function consistent({ oldSize, newSize, proof, oldRoot, newRoot }: ConsistencyClaim): boolean {
  let [place, last] = [oldSize - 1, newSize - 1];
  while (place % 2 === 1) [place, last] = [half(place), half(last)];
  // A perfect old tree is such a subtree itself, and its root is known.
  const [shared, ...rest] = place === 0 ? [oldRoot, ...proof] : proof;
  if (!shared) return false;
  let [old, grown] = [shared, shared];
  for (const node of rest) {
    if (last === 0) return false;
    if (place % 2 === 1 || place === last) {
      [old, grown] = [nodeHash(node, old), nodeHash(node, grown)];
      [place, last] = risen(place, last);
    } else {
      grown = nodeHash(grown, node);
    }
    [place, last] = [half(place), half(last)];
  }
  return last === 0 && isSame(old, oldRoot) && isSame(grown, newRoot);
}

/** Past the levels where a last node without a neighbour rises as it is. */
function risen(place: number, last: number): [number, number] {
  let [at, end] = [place, last];
  while (at % 2 === 0 && at !== 0) [at, end] = [half(at), half(end)];
  return [at, end];
}

/** Sizes go beyond 32 bits, where `>> 1` would cut. */
function half(count: number): number {
  return Math.floor(count / 2);
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isHash(value: Hash): boolean {
  return value.length === hashBytes;
}

function isSame(one: Hash, other: Hash): boolean {
  return Buffer.compare(one, other) === 0;
}
