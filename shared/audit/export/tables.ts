import { LockkeeperError } from '../../base/error.ts';
import { decodeEntry, type Entry } from '../entries/codec.ts';
import { tampered } from '../tampered.ts';
import type { TiledLog } from './tiled-log.ts';
import { decodeBundle } from '../tlog/bundle.ts';
import { leafHash, RightEdge } from '../tlog/merkle.ts';
import { bundlePath, tileWidth } from '../tlog/tile.ts';

/** One entry on its way into tables. */
export interface Row {
  readonly index: number;
  readonly entry: Entry;
  /** As it is in the log. */
  readonly bytes: Uint8Array;
}

/** A table of entries that is being written. */
export interface Table {
  /** Takes rows in their order. */
  add(rows: readonly Row[]): Promise<void>;
  /** Gives it its place; tells where it is, a folder with a "/" at its end. */
  end(): Promise<string>;
}

/**
 * Reads all entries once, in their order, and writes every table; memory does not grow with the log. The tables get
 * their places only where the entries have the signed root: else `conflict`. `unsupported` for entries that lockkeeper
 * did not write.
 */
export async function writeTables(tiles: TiledLog, tables: readonly Table[]): Promise<readonly string[]> {
  const { checkpoint } = tiles;
  const tree = new RightEdge();
  for (let begin = 0; begin < checkpoint.size; begin += tileWidth) {
    const entries = decodeBundle(
      await tiles.tile(bundlePath(begin / tileWidth, Math.min(tileWidth, checkpoint.size - begin))),
    );
    for (const entry of entries) tree.append(leafHash(entry));
    const rows = entries.map((bytes, at) => ({ index: begin + at, entry: decoded(bytes, begin + at), bytes }));
    for (const table of tables) await table.add(rows);
  }
  if (Buffer.compare(tree.root(), checkpoint.root) !== 0) throw tampered('its entries are not those that were signed');
  const written: string[] = [];
  for (const table of tables) written.push(await table.end());
  return written;
}

function decoded(bytes: Uint8Array, index: number): Entry {
  try {
    return decodeEntry(bytes);
  } catch (cause) {
    throw new LockkeeperError('unsupported', `no table is made of this log: entry ${index} is none of lockkeeper's`, {
      cause,
      hint: "Export --format tiles: it takes entries of any kind. Run `lockkeeper audit verify` where the log is lockkeeper's own.",
    });
  }
}
