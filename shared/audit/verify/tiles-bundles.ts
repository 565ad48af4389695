import { bundlePath, tileWidth } from '../tlog/tile.ts';
import { ahead, objectsAhead } from './ahead.ts';
import type { Note } from './finding.ts';
import { mostMissing, type BundleBytes } from './log-bundles.ts';
import type { TileStore } from './tree-check.ts';

/** The bundles of a plain tlog-tiles directory, from number `from` on, in order. */
export async function* tilesBundles(
  tiles: TileStore,
  { from, size, note }: { readonly from: number; readonly size: number; readonly note: Note },
): AsyncGenerator<BundleBytes> {
  let missing = 0;
  for await (const bundle of ahead(
    numbers(from, Math.ceil(size / tileWidth)),
    (index) => bundleOf(tiles, index, size),
    objectsAhead,
  )) {
    if (!bundle.bytes) note({ key: bundle.key, index: bundle.index * tileWidth, kind: 'missing', what: 'is missing' });
    missing = bundle.bytes ? 0 : missing + 1;
    yield bundle;
    if (missing > mostMissing) return;
  }
}

function* numbers(from: number, to: number): Generator<number> {
  for (let number = from; number < to; number += 1) yield number;
}

async function bundleOf(tiles: TileStore, index: number, size: number): Promise<BundleBytes> {
  const most = Math.min(tileWidth, size - index * tileWidth);
  const path = bundlePath(index, most);
  return { index, key: tiles.keyOf(path), bytes: await tiles.get(path), most };
}
