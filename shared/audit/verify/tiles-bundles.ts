import { bundlePath, tileWidth } from '../tlog/tile.ts';
import type { Note } from './finding.ts';
import type { BundleBytes } from './log-bundles.ts';
import type { TileStore } from './tree-check.ts';

/** The bundles of a plain tlog-tiles directory, from number `from` on, in order. */
export async function* tilesBundles(tiles: TileStore, { from, size, note }: { readonly from: number; readonly size: number; readonly note: Note }): AsyncGenerator<BundleBytes> {
  for (let index = from; index * tileWidth < size; index += 1) {
    const path = bundlePath(index, Math.min(tileWidth, size - index * tileWidth));
    const bytes = await tiles.get(path);
    if (!bytes) note({ key: tiles.keyOf(path), index: index * tileWidth, kind: 'missing', what: 'is missing' });
    yield { index, key: tiles.keyOf(path), bytes };
  }
}
