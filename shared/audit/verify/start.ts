import { edgeIndex, hashesOf, TileRows } from '../tlog/tile-rows.ts';
import { tilePath, tileWidth } from '../tlog/tile.ts';
import type { Hash } from '../tlog/merkle.ts';
import type { Note } from './finding.ts';
import type { TileStore } from './tree-check.ts';

/**
 * The tree of all full bundles before `since`, from the tiles above them; the root that the caller trusts checks it
 * later. Where a tile is not to be had, the tree begins with nothing, and everything is read.
 */
export async function rowsFrom(
  tiles: TileStore,
  { since, size, note }: { readonly since: number; readonly size: number; readonly note: Note },
): Promise<TileRows> {
  const begin = since > size ? 0 : since - (since % tileWidth);
  const levels: (readonly Hash[])[] = [[]];
  for (let level = 1; 256 ** level <= begin; level += 1) {
    const index = edgeIndex(level, begin);
    const width = Math.floor(begin / 256 ** level) % tileWidth;
    const stored = Math.min(tileWidth, Math.floor(size / 256 ** level) - index * tileWidth);
    const isThere = width === 0 || stored === tileWidth || tiles.hasPartial;
    const path = tilePath(level, index, stored === 0 ? tileWidth : stored);
    const tile = isThere && width > 0 ? await tiles.get(path) : undefined;
    if (isThere && width > 0 && !tile) note({ key: tiles.keyOf(path), kind: 'missing', what: 'is missing' });
    if (width > 0 && !tile) return new TileRows();
    levels.push(hashesOf(tile ?? new Uint8Array()).slice(0, width));
  }
  return new TileRows({ size: begin, levels });
}
