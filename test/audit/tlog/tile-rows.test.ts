import { expect, test } from '@jest/globals';
import { leafHash, treeRoot, type Hash } from '../../../shared/audit/tlog/merkle.ts';
import { TileRows } from '../../../shared/audit/tlog/tile-rows.ts';
import { tileWidth } from '../../../shared/audit/tlog/tile.ts';

const leaves = (count: number): readonly Hash[] =>
  Array.from({ length: count }, (_, at) => leafHash(Uint8Array.of(at % 256, Math.floor(at / 256))));

test('a tree to which whole tiles were appended by their roots is the one that got every leaf, tiles and all', () => {
  const all = leaves(3 * tileWidth + 5);
  const [one, other] = [new TileRows(), new TileRows()];
  const told = all.flatMap((leaf) => one.append(leaf));
  for (let at = 0; at < 3; at += 1)
    expect(other.appendTile(treeRoot(all.slice(at * tileWidth, (at + 1) * tileWidth)))).toEqual([]);
  for (const leaf of all.slice(3 * tileWidth)) other.append(leaf);
  expect(told.map(({ path }) => path)).toEqual(['tile/0/000', 'tile/0/001', 'tile/0/002']);
  expect([other.size, other.root(), other.partial()]).toEqual([one.size, one.root(), one.partial()]);
});

test('a tile of tiles is told when its last one is appended', () => {
  const root = treeRoot(leaves(tileWidth));
  const rows = new TileRows();
  for (let at = 0; at < tileWidth - 1; at += 1) expect(rows.appendTile(root)).toEqual([]);
  expect(rows.appendTile(root)).toEqual([
    { path: 'tile/1/000', bytes: Buffer.concat(Array.from({ length: tileWidth }, () => root)) },
  ]);
});

test('a tile is appended only where one begins', () => {
  const rows = new TileRows();
  const [leaf = new Uint8Array()] = leaves(1);
  rows.append(leaf);
  expect(() => rows.appendTile(leaf)).toThrow(expect.objectContaining({ code: 'bug' }));
});
