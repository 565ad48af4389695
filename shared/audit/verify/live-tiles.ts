import type { ObjectStore } from '../../objects/contract.ts';
import { partialPrefix } from '../layout.ts';
import { encodeBundle, entriesIn } from '../tlog/bundle.ts';
import { hashBytes } from '../tlog/merkle.ts';
import { bundlePath, parseTilePath, tilePath, tileWidth, type TilePath } from '../tlog/tile.ts';
import type { TileStore } from './tree-check.ts';

/** The tiles of a live log: full ones in the log store, the others in the state store. */
export function liveTiles(log: ObjectStore, state: ObjectStore | undefined): TileStore {
  return {
    async get(path) {
      const tile = partialIn(path);
      if (!tile) return (await log.get(path))?.bytes;
      const stored = await state?.get(`${partialPrefix}${path}`);
      // Whoever seals meanwhile may have filled it, and swept the partial one away.
      return stored ? stored.bytes : beginOf(tile, (await log.get(fullPath(tile)))?.bytes);
    },
    keyOf: (path) => (partialIn(path) ? `${partialPrefix}${path}` : path),
    hasPartial: state !== undefined,
  };
}

function partialIn(path: string): TilePath | undefined {
  const tile = parseTilePath(path);
  return tile && tile.width < tileWidth ? tile : undefined;
}

function fullPath(tile: TilePath): string {
  return tile.kind === 'entries' ? bundlePath(tile.index) : tilePath(tile.level, tile.index);
}

/** What the partial tile held, of the full one. */
export function beginOf({ kind, width }: TilePath, full: Uint8Array | undefined): Uint8Array | undefined {
  if (kind === 'hashes') return full?.subarray(0, width * hashBytes);
  const entries = full && entriesIn(full);
  return entries && encodeBundle(entries.slice(0, width));
}
