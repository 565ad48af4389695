import { createHash } from 'node:crypto';

/** Entry i of the tree that three verifiers of other projects accepted: their roots are in merkle.test.ts. */
export function knownEntry(i: number): Uint8Array {
  return Buffer.from(`{"i":${i},"action":"rotate","t":${1_700_000_000 + i}}`);
}

/** RFC 6962, section 2.1, word for word, over entries: slow, and without a line of the product. */
export function treeHash(entries: readonly Uint8Array[]): Buffer {
  const [only] = entries;
  if (!only) return sha256();
  if (entries.length === 1) return sha256(Uint8Array.of(0), only);
  const k = split(entries.length);
  return sha256(Uint8Array.of(1), treeHash(entries.slice(0, k)), treeHash(entries.slice(k)));
}

/** PATH(m, D[n]) of section 2.1.1. */
export function pathOf(m: number, entries: readonly Uint8Array[]): readonly Buffer[] {
  if (entries.length === 1) return [];
  const k = split(entries.length);
  const [left, right] = [entries.slice(0, k), entries.slice(k)];
  return m < k ? [...pathOf(m, left), treeHash(right)] : [...pathOf(m - k, right), treeHash(left)];
}

/** PROOF(m, D[n]) of section 2.1.2, for 0 < m. */
export function proofOf(m: number, entries: readonly Uint8Array[]): readonly Buffer[] {
  return subproof(m, entries, true);
}

function subproof(m: number, entries: readonly Uint8Array[], isWhole: boolean): readonly Buffer[] {
  if (m === entries.length) return isWhole ? [] : [treeHash(entries)];
  const k = split(entries.length);
  const [left, right] = [entries.slice(0, k), entries.slice(k)];
  return m <= k ? [...subproof(m, left, isWhole), treeHash(right)] : [...subproof(m - k, right, false), treeHash(left)];
}

/** The largest power of two below n. */
function split(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

function sha256(...parts: readonly Uint8Array[]): Buffer {
  return createHash('sha256').update(Buffer.concat(parts)).digest();
}
