import { fc } from '../../properties.ts';
import { describe, expect, test } from '@jest/globals';
import {
  edgeOf,
  emptyRoot,
  leafHash,
  nodeHash,
  perfectLevels,
  RightEdge,
  treeRoot,
  verifyConsistency,
  verifyInclusion,
} from '../../../shared/audit/tlog/merkle.ts';
import { knownEntry, pathOf, proofOf, treeHash } from './rfc6962.ts';

const knownRoots = new Map([
  [1, '51qoly1yw7ctBukohSEX+A+6TpVlllwZjq8Wt9RSmlA='],
  [255, '+fb+qbBR/kZUOGv32HOZaeqlNUrY783iRTxiMMXujFo='],
  [256, 'vQD5xMvVwIc0Ryr2IIOa1CtXnibfx9WbSIsulAo8VFA='],
  [257, 'DvAQwVNlBYcdWm6aA2g0z/e3iCBZK1ZV6NgnH/fDyFw='],
  [70_000, 'C9vXFNN55laWr1YXlGQtz8rqfO8QUe+SLjeoAur9//I='],
]);

const entries = Array.from({ length: 300 }, (_, i) => knownEntry(i));
const leaves = entries.map(leafHash);
const sizes = fc.integer({ min: 1, max: entries.length });

test('roots are those that three verifiers of other projects accepted', () => {
  const edge = new RightEdge();
  expect(base64(edge.root())).toBe('47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=');
  const roots = new Map<number, string>();
  for (let i = 0; i < 70_000; i += 1) {
    edge.append(leafHash(knownEntry(i)));
    if (knownRoots.has(edge.size)) roots.set(edge.size, base64(edge.root()));
  }
  expect(roots).toEqual(knownRoots);
});

describe('leaves and nodes', () => {
  test('are told apart: a node is not the leaf with the same bytes', () => {
    const [left, right] = [leafHash(Buffer.from('a')), leafHash(Buffer.from('b'))];
    expect(base64(nodeHash(left, right))).not.toBe(base64(leafHash(Buffer.concat([left, right]))));
  });

  test('of every length hash as RFC 6962 says, one after the other', () => {
    for (const length of [0, 1, 64, 65_535, 65_536, 65_537, 200_000, 3]) {
      const entry = Buffer.alloc(length, length % 251);
      expect(base64(leafHash(entry))).toBe(base64(treeHash([entry])));
    }
  });

  test('a hash made earlier does not change when others are made', () => {
    const first = leafHash(Buffer.from('first'));
    const text = base64(first);
    for (let i = 0; i < 1000; i += 1) nodeHash(leafHash(knownEntry(i)), first);
    expect(base64(first)).toBe(text);
  });

  test('a node of anything else than two hashes is a defect', () => {
    expect(() => nodeHash(new Uint8Array(31), new Uint8Array(32))).toThrow(expect.objectContaining({ code: 'bug' }));
    expect(() => nodeHash(new Uint8Array(32), new Uint8Array(33))).toThrow(expect.objectContaining({ code: 'bug' }));
    expect(() => treeRoot([])).toThrow(expect.objectContaining({ code: 'bug' }));
  });
});

describe('a right edge', () => {
  test('has the root of RFC 6962 at every size, and so has treeRoot', () => {
    const edge = new RightEdge();
    expect(base64(edge.root())).toBe(base64(treeHash([])));
    for (const [at, leaf] of leaves.slice(0, 70).entries()) {
      edge.append(leaf);
      expect(edge.size).toBe(at + 1);
      expect(base64(edge.root())).toBe(base64(treeHash(entries.slice(0, at + 1))));
      expect(base64(treeRoot(leaves.slice(0, at + 1)))).toBe(base64(edge.root()));
    }
  });

  test('goes on from its roots as if it had never been written down, and a copy does not move the original', () => {
    fc.assert(
      fc.property(sizes, sizes, (one, other) => {
        const [from, to] = [Math.min(one, other), Math.max(one, other)];
        const edge = edgeOf(from, edgeUpTo(from).roots());
        const copy = edge.copy();
        for (const leaf of leaves.slice(from, to)) copy.append(leaf);
        expect(base64(copy.root())).toBe(base64(treeHash(entries.slice(0, to))));
        expect([edge.size, base64(edge.root())]).toEqual([from, base64(treeHash(entries.slice(0, from)))]);
      }),
      { numRuns: 30 },
    );
  });

  test('takes perfect subtrees wherever they fit, and comes to the same root', () => {
    fc.assert(
      fc.property(sizes, fc.infiniteStream(fc.nat(8)), (to, levels) => {
        const edge = new RightEdge();
        while (edge.size < to) {
          const wished = Number(levels.next().value);
          const level = edge.size % 2 ** wished === 0 && edge.size + 2 ** wished <= to ? wished : 0;
          edge.appendSubtree(level, treeRoot(leaves.slice(edge.size, edge.size + 2 ** level)));
        }
        expect(base64(edge.root())).toBe(base64(edgeUpTo(to).root()));
      }),
      { numRuns: 50 },
    );
  });

  test('refuses a subtree that does not fit, and roots whose number does not', () => {
    const edge = edgeUpTo(6);
    for (const level of [2, 3, -1, 0.5, 53])
      expect(() => edge.appendSubtree(level, emptyRoot)).toThrow(expect.objectContaining({ code: 'bug' }));
    expect(() => edgeOf(6, [emptyRoot])).toThrow(expect.objectContaining({ code: 'bug' }));
    expect(base64(edge.root())).toBe(base64(treeHash(entries.slice(0, 6))));
  });

  test('works beyond 32 bits', () => {
    const large = 2 ** 52 + 2 ** 33 + 1;
    expect(perfectLevels(large)).toEqual([52, 33, 0]);
    const edge = edgeOf(large, [emptyRoot, emptyRoot, emptyRoot]);
    edge.append(emptyRoot);
    expect(edge.size).toBe(large + 1);
    expect(edge.roots()).toEqual([emptyRoot, emptyRoot, nodeHash(emptyRoot, emptyRoot)]);
  });
});

describe('an inclusion proof', () => {
  const claim = fc.tuple(sizes, fc.nat()).map(([size, seed]) => claimOf(seed % size, size));

  test('of RFC 6962 verifies for every index of every small tree', () => {
    for (let size = 1; size <= 40; size += 1)
      for (let index = 0; index < size; index += 1) expect(verifyInclusion(claimOf(index, size))).toBe(true);
  });

  test('verifies, and with any one thing changed it does not', () => {
    fc.assert(
      fc.property(claim, fc.nat(), (good, seed) => {
        expect(verifyInclusion(good)).toBe(true);
        const { index, size, leaf, proof: hashes, root } = good;
        expect(verifyInclusion({ ...good, leaf: flipped(leaf, seed) })).toBe(false);
        expect(verifyInclusion({ ...good, root: flipped(root, seed) })).toBe(false);
        expect(verifyInclusion({ ...good, proof: [...hashes, leaf] })).toBe(false);
        for (const wrong of [index + 1, index - 1, index + size, index + 0.5, -1, NaN])
          expect(verifyInclusion({ ...good, index: wrong })).toBe(false);
        for (const bad of spoiled(hashes, seed)) expect(verifyInclusion({ ...good, proof: bad })).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  test('does not hold for a tree of a size that would need another path', () => {
    for (let index = 0; index < 20; index += 1) {
      const good = claimOf(index, 20);
      for (const size of [0, index, 16, 40, 257, 2 ** 40]) expect(verifyInclusion({ ...good, size })).toBe(false);
    }
  });
});

describe('a consistency proof', () => {
  test('of RFC 6962 verifies for every pair of small trees, and for no other pair of roots', () => {
    for (let newSize = 1; newSize <= 34; newSize += 1) {
      for (let oldSize = 1; oldSize <= newSize; oldSize += 1) {
        const good = growth(oldSize, newSize);
        expect([oldSize, newSize, verifyConsistency(good)]).toEqual([oldSize, newSize, true]);
        expect(verifyConsistency({ ...good, oldRoot: flipped(good.oldRoot, newSize) })).toBe(false);
        expect(verifyConsistency({ ...good, newRoot: flipped(good.newRoot, oldSize) })).toBe(false);
        expect(verifyConsistency({ ...good, proof: [...good.proof, good.oldRoot] })).toBe(false);
      }
    }
  });

  test('with a hash changed, left out or moved does not verify', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 150 }),
        fc.integer({ min: 1, max: 150 }),
        fc.nat(),
        (oldSize, more, seed) => {
          const good = growth(oldSize, oldSize + more);
          for (const bad of spoiled(good.proof, seed)) expect(verifyConsistency({ ...good, proof: bad })).toBe(false);
          for (const wrong of [oldSize + 1, oldSize - 1, 0, -1, 0.5])
            expect(verifyConsistency({ ...good, oldSize: wrong })).toBe(false);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('is empty for the empty tree and for the same tree, and then nothing else passes', () => {
    const root = edgeUpTo(5).root();
    expect(verifyConsistency({ oldSize: 0, newSize: 5, proof: [], oldRoot: emptyRoot, newRoot: root })).toBe(true);
    expect(verifyConsistency({ oldSize: 0, newSize: 0, proof: [], oldRoot: emptyRoot, newRoot: emptyRoot })).toBe(true);
    expect(verifyConsistency({ oldSize: 0, newSize: 5, proof: [], oldRoot: root, newRoot: root })).toBe(false);
    expect(verifyConsistency({ oldSize: 0, newSize: 5, proof: [root], oldRoot: emptyRoot, newRoot: root })).toBe(false);
    expect(verifyConsistency({ oldSize: 0, newSize: 0, proof: [], oldRoot: emptyRoot, newRoot: root })).toBe(false);
    expect(verifyConsistency({ oldSize: 5, newSize: 5, proof: [], oldRoot: root, newRoot: emptyRoot })).toBe(false);
    expect(verifyConsistency({ oldSize: 5, newSize: 5, proof: [root], oldRoot: root, newRoot: root })).toBe(false);
    expect(verifyConsistency({ oldSize: 5, newSize: 4, proof: [], oldRoot: root, newRoot: root })).toBe(false);
    expect(verifyConsistency({ oldSize: 3, newSize: 5, proof: [], oldRoot: root, newRoot: root })).toBe(false);
  });
});

function claimOf(index: number, size: number) {
  const some = entries.slice(0, size);
  return { index, size, leaf: leaves[index] ?? emptyRoot, proof: pathOf(index, some), root: edgeUpTo(size).root() };
}

function growth(oldSize: number, newSize: number) {
  return {
    oldSize,
    newSize,
    proof: proofOf(oldSize, entries.slice(0, newSize)),
    oldRoot: edgeUpTo(oldSize).root(),
    newRoot: edgeUpTo(newSize).root(),
  };
}

function edgeUpTo(size: number): RightEdge {
  const edge = new RightEdge();
  for (const leaf of leaves.slice(0, size)) edge.append(leaf);
  return edge;
}

/** The proof with one hash flipped, left out, of a wrong length; and with all turned round, where there are several. */
function spoiled(hashes: readonly Uint8Array[], seed: number): readonly (readonly Uint8Array[])[] {
  const at = seed % Math.max(1, hashes.length);
  const hash = hashes[at];
  if (!hash) return [];
  const one = [
    hashes.with(at, flipped(hash, seed)),
    hashes.toSpliced(at, 1),
    hashes.with(at, hash.subarray(1)),
    hashes.with(at, Buffer.concat([hash, hash])),
  ];
  return hashes.length > 1 ? [...one, hashes.toReversed()] : one;
}

function flipped(hash: Uint8Array, seed: number): Uint8Array {
  const bit = seed % (hash.length * 8);
  return hash.map((byte, at) => (at === Math.floor(bit / 8) ? byte ^ (1 << (bit % 8)) : byte));
}

function base64(hash: Uint8Array): string {
  return Buffer.from(hash).toString('base64');
}
