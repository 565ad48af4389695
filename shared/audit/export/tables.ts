import { hasCode, LockkeeperError } from '../../base/error.ts';
import { decodeEntry, type Entry } from '../entries/codec.ts';
import { tampered } from '../tampered.ts';
import type { TiledLog } from './tiled-log.ts';
import { decodeBundle } from '../tlog/bundle.ts';
import { hasColumns } from './ocsf-columns.ts';
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

/** Entries that are in no table: how many, and the indexes of the first ones. */
export interface LeftOut {
  readonly count: number;
  readonly first: readonly number[];
}

/** Where the tables are, and what is in none of them. */
export interface WrittenTables {
  readonly files: readonly string[];
  readonly leftOut: LeftOut;
}

/** So many are named. */
const mostNamed = 20;

/**
 * Reads all entries once, in their order, and writes every table; memory does not grow with the log. The tables get
 * their places only where the entries have the signed root: else `conflict`. What is no entry of this version, or does
 * not have the columns that every entry has, is in no table, and told.
 */
export async function writeTables(tiles: TiledLog, tables: readonly Table[]): Promise<WrittenTables> {
  const { checkpoint } = tiles;
  const tree = new RightEdge();
  const leftOut: { count: number; first: number[] } = { count: 0, first: [] };
  for (let begin = 0; begin < checkpoint.size; begin += tileWidth) {
    const entries = decodeBundle(
      await tiles.tile(bundlePath(begin / tileWidth, Math.min(tileWidth, checkpoint.size - begin))),
    );
    for (const entry of entries) tree.append(leafHash(entry));
    const rows = entries.flatMap((bytes, at) => rowOf(bytes, begin + at) ?? []);
    leftOut.count += entries.length - rows.length;
    const taken = new Set(rows.map(({ index }) => index));
    for (let index = begin; index < begin + entries.length && leftOut.first.length < mostNamed; index += 1)
      if (!taken.has(index)) leftOut.first.push(index);
    for (const table of tables) await table.add(rows);
  }
  if (leftOut.count > 0 && leftOut.count === tree.size) throw noneOfOurs(leftOut.count);
  if (Buffer.compare(tree.root(), checkpoint.root) !== 0) throw tampered('its entries are not those that were signed');
  const files: string[] = [];
  for (const table of tables) files.push(await table.end());
  return { files, leftOut };
}

function noneOfOurs(count: number): LockkeeperError {
  return new LockkeeperError(
    'unsupported',
    `no table is made of this log: none of its ${count} entries is lockkeeper's`,
    {
      hint: "Export --format tiles: it takes entries of any kind. Run `lockkeeper audit verify` where the log is lockkeeper's own.",
    },
  );
}

function rowOf(bytes: Uint8Array, index: number): Row | undefined {
  try {
    const entry = decodeEntry(bytes);
    return hasColumns(bytes) ? { index, entry, bytes } : undefined;
  } catch (thrown) {
    if (hasCode(thrown, 'invalid')) return undefined;
    throw thrown;
  }
}
