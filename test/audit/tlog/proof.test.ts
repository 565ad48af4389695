import { fc } from '../../properties.ts';
import { describe, expect, test } from '@jest/globals';
import { formatCheckpoint } from '../../../shared/audit/tlog/checkpoint.ts';
import { cosignedText, formatCosignature } from '../../../shared/audit/tlog/cosignature.ts';
import {
  emptyRoot,
  leafHash,
  RightEdge,
  treeRoot,
  verifyConsistency,
  verifyInclusion,
  type Hash,
} from '../../../shared/audit/tlog/merkle.ts';
import { formatNote, parseNote, parseVerifierKey, verifierKey, verifyNote } from '../../../shared/audit/tlog/note.ts';
import {
  checkProof,
  consistencyProof,
  formatProof,
  inclusionProof,
  parseProof,
  subtreeReader,
  type ReadTile,
} from '../../../shared/audit/tlog/proof.ts';
import { tilePath, tilesOf } from '../../../shared/audit/tlog/tile.ts';
import { memorySigner } from '../../../shared/signers/memory.ts';
import { knownEntry, pathOf, proofOf } from './rfc6962.ts';

const invalid: unknown = expect.objectContaining({ code: 'invalid' });
const most = 70_000;
const rows = rowsOf(Array.from({ length: most }, (_, i) => leafHash(knownEntry(i))));

describe('proofs from tiles', () => {
  test('are the hashes that RFC 6962 says, in its order', async () => {
    const entries = Array.from({ length: 21 }, (_, i) => knownEntry(i));
    for (let size = 1; size <= 21; size += 1) {
      const read = subtreeReader(size, tilesFor(size));
      for (let at = 0; at < size; at += 1) {
        expect(hex(await inclusionProof(at, size, read))).toEqual(hex(pathOf(at, entries.slice(0, size))));
        expect(hex(await consistencyProof(at + 1, size, read))).toEqual(hex(proofOf(at + 1, entries.slice(0, size))));
      }
    }
  });

  test('prove what they should at any size, asking for no tile that the log has not, and for none twice', async () => {
    const sizes = fc.oneof(
      fc.constantFrom(1, 2, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, most),
      fc.integer({ min: 1, max: most }),
    );
    await fc.assert(
      fc.asyncProperty(sizes, sizes, fc.nat(), async (one, other, seed) => {
        const [oldSize, newSize] = [Math.min(one, other), Math.max(one, other)];
        const index = seed % newSize;
        const root = rootOf(newSize);
        const found = await inclusionProof(index, newSize, subtreeReader(newSize, tilesFor(newSize)));
        expect(verifyInclusion({ index, size: newSize, leaf: rows[0]?.[index] ?? root, proof: found, root })).toBe(
          true,
        );
        const grown = await consistencyProof(oldSize, newSize, subtreeReader(newSize, tilesFor(newSize)));
        expect(verifyConsistency({ oldSize, newSize, proof: grown, oldRoot: rootOf(oldSize), newRoot: root })).toBe(
          true,
        );
      }),
      { numRuns: 60 },
    );
  });

  test('are empty where nothing is to prove, and refused where nothing can be', async () => {
    const read = subtreeReader(5, tilesFor(5));
    expect(await inclusionProof(0, 1, read)).toEqual([]);
    expect(await consistencyProof(0, 5, read)).toEqual([]);
    expect(await consistencyProof(5, 5, read)).toEqual([]);
    for (const [index, size] of [
      [5, 5],
      [-1, 5],
      [0, 0],
      [0.5, 5],
    ] as const)
      await expect(inclusionProof(index, size, read)).rejects.toMatchObject({ code: 'invalid' });
    for (const from of [6, -1])
      await expect(consistencyProof(from, 5, read)).rejects.toMatchObject({ code: 'invalid' });
  });

  test('are not made from a tile of another length, nor from a subtree that is not whole', async () => {
    const read = subtreeReader(300, async (_, __, width) => new Uint8Array(width * 32 - 1));
    await expect(read(0, 299)).rejects.toMatchObject({ code: 'invalid' });
    await expect(read(8, 1)).rejects.toMatchObject({ code: 'bug' });
    await expect(read(0, 300)).rejects.toMatchObject({ code: 'bug' });
  });
});

describe('a proof file', () => {
  test('is the text that C2SP tlog-proof says', async () => {
    const { proof } = await proven(2, 5);
    const text = formatProof({ ...proof, extra: Buffer.from('more') });
    const lines = proof.hashes.map((hash) => Buffer.from(hash).toString('base64'));
    expect(text).toBe(`c2sp.org/tlog-proof@v1\nextra bW9yZQ==\nindex 2\n${lines.join('\n')}\n\n${proof.checkpoint}`);
    expect(text.split('\n')).toHaveLength(3 + 3 + 1 + 3 + 1 + 2 + 1);
  });

  test('is read as it was written', async () => {
    const { proof } = await proven(0, 1);
    const allHashes = fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { maxLength: 10 });
    const extras = fc.option(fc.uint8Array(), { nil: undefined });
    fc.assert(
      fc.property(fc.maxSafeNat(), allHashes, extras, (index, hashes, extra) => {
        const made = { index, hashes, checkpoint: proof.checkpoint, ...(extra && { extra }) };
        expect(parseProof(formatProof(made))).toEqual(made);
      }),
    );
  });

  test('proves its entry, and tells the checkpoint and who signed it', async () => {
    const { proof, keys } = await proven(3, 300);
    const { checkpoint, signers } = checkProof({ proof: parseProof(formatProof(proof)), entry: knownEntry(3), keys });
    expect(checkpoint).toMatchObject({ origin: 'example.com/log', size: 300 });
    expect(signers.map(({ name }) => name)).toEqual(['example.com/log', 'witness.example']);
    expect(checkProof({ proof, entry: knownEntry(3), keys: keys.slice(0, 1) }).signers).toHaveLength(1);
  });

  test('proves no other entry, index, tree or log', async () => {
    const { proof, keys } = await proven(3, 300);
    const other = await proven(3, 301);
    const check =
      (change: Partial<typeof proof>, entry = knownEntry(3)) =>
      () =>
        checkProof({ proof: { ...proof, ...change }, entry, keys });
    expect(check({}, knownEntry(4))).toThrow(invalid);
    expect(check({ index: 2 })).toThrow(invalid);
    expect(check({ index: 300 })).toThrow(invalid);
    expect(check({ hashes: proof.hashes.slice(1) })).toThrow(invalid);
    expect(check({ hashes: proof.hashes.toReversed() })).toThrow(invalid);
    expect(check({ checkpoint: other.proof.checkpoint })).toThrow(invalid);
    expect(check({ checkpoint: proof.checkpoint.replace('\n300\n', '\n301\n') })).toThrow(invalid);
    expect(check({ checkpoint: 'nonsense' })).toThrow(invalid);
  });

  test('needs the log itself among those who signed: a witness alone, or the key of another log, proves nothing', async () => {
    const { proof, keys } = await proven(3, 300);
    const foreign = await proven(3, 300, 'example.com/other');
    const check =
      (checkpoint: string, trusted = keys) =>
      () =>
        checkProof({ proof: { ...proof, checkpoint }, entry: knownEntry(3), keys: trusted });
    expect(check(proof.checkpoint, [])).toThrow(invalid);
    expect(check(proof.checkpoint, keys.slice(1))).toThrow(invalid);
    expect(check(foreign.proof.checkpoint)).toThrow(invalid);
    const text = formatCheckpoint({ origin: 'example.com/log', size: 300, root: rootOf(300), extensions: [] });
    const bytes = await memorySigner(seedOf('example.com/other')).sign(Buffer.from(text));
    const borrowed = formatNote(
      text,
      foreign.keys.slice(0, 1).map(({ name, id }) => ({ name, id, bytes })),
    );
    expect(verifyNote(parseNote(borrowed), foreign.keys)).toHaveLength(1);
    expect(check(borrowed, foreign.keys)).toThrow(invalid);
  });

  test.each([
    ['nothing', ''],
    ['another version', 'c2sp.org/tlog-proof@v2\nindex 0\n\nlog\n'],
    ['no index', 'c2sp.org/tlog-proof@v1\n\nlog\n'],
    ['a leading zero', 'c2sp.org/tlog-proof@v1\nindex 01\n\nlog\n'],
    ['an index that no number holds exactly', 'c2sp.org/tlog-proof@v1\nindex 9007199254740992\n\nlog\n'],
    ['extra after the index', 'c2sp.org/tlog-proof@v1\nindex 0\nextra AA==\n\nlog\n'],
    ['extra that is not base64', 'c2sp.org/tlog-proof@v1\nextra !\nindex 0\n\nlog\n'],
    ['a hash of 31 bytes', `c2sp.org/tlog-proof@v1\nindex 0\n${Buffer.alloc(31).toString('base64')}\n\nlog\n`],
    ['a hash in hex', `c2sp.org/tlog-proof@v1\nindex 0\n${'0'.repeat(64)}\n\nlog\n`],
    ['no checkpoint', 'c2sp.org/tlog-proof@v1\nindex 0\n'],
    ['carriage returns', 'c2sp.org/tlog-proof@v1\r\nindex 0\r\n\r\nlog\r\n'],
  ])('with %s is refused', (_, text) => {
    expect(() => parseProof(text)).toThrow(invalid);
  });
});

/** The rows that tiles store: leaf hashes, then the roots over every 256 of the row below. */
function rowsOf(leaves: readonly Hash[]): readonly (readonly Hash[])[] {
  const above = Array.from({ length: Math.floor(leaves.length / 256) }, (_, i) =>
    treeRoot(leaves.slice(i * 256, (i + 1) * 256)),
  );
  return above.length > 0 ? [leaves, ...rowsOf(above)] : [leaves];
}

/** Serves exactly the tiles of a log of `size` entries, each once. */
function tilesFor(size: number): ReadTile {
  const there = new Set(tilesOf(size).map(({ level, index, width }) => tilePath(level, index, width)));
  return async (level, index, width) => {
    const path = tilePath(level, index, width);
    if (!there.delete(path)) throw new Error(`${path}: asked for twice, or not there`);
    return Buffer.concat(rows[level]?.slice(index * 256, index * 256 + width) ?? []);
  };
}

function rootOf(size: number): Hash {
  const edge = new RightEdge();
  for (let row = rows.length - 1; row >= 0; row -= 1) {
    const width = 256 ** row;
    while (edge.size + width <= size) edge.appendSubtree(8 * row, rows[row]?.[edge.size / width] ?? emptyRoot);
  }
  return edge.root();
}

function seedOf(origin: string): Uint8Array {
  return Buffer.from(origin.padEnd(32));
}

async function proven(index: number, size: number, origin = 'example.com/log') {
  const [log, witness] = [memorySigner(seedOf(origin)), memorySigner(new Uint8Array(32).fill(9))];
  const lines = [
    verifierKey(origin, await log.publicKey()),
    verifierKey('witness.example', await witness.publicKey(), 0x04),
  ];
  const keys = lines.map(parseVerifierKey);
  const text = formatCheckpoint({ origin, size, root: rootOf(size), extensions: [] });
  const cosignature = formatCosignature({ time: 7, signature: await witness.sign(Buffer.from(cosignedText(7, text))) });
  const blobs = [await log.sign(Buffer.from(text)), cosignature];
  const signatures = keys.map(({ name, id }, at) => ({ name, id, bytes: blobs[at] ?? new Uint8Array() }));
  const hashes = await inclusionProof(index, size, subtreeReader(size, tilesFor(size)));
  return { proof: { index, hashes, checkpoint: formatNote(text, signatures) }, keys };
}

function hex(hashes: readonly Hash[]): readonly string[] {
  return hashes.map((hash) => Buffer.from(hash).toString('hex'));
}
