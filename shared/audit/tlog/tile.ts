import { LockkeeperError } from '../../base/error.ts';

/** How many hashes, or entries, a full tile holds. */
export const tileWidth = 256;

/** One tile of hashes. `width` is how many hashes it holds: 256 for a full one, 1 to 255 for a partial one. */
export interface Tile {
  /** 0 holds leaf hashes; the hash i of level L + 1 is the root over the full tile i of level L. */
  readonly level: number;
  readonly index: number;
  readonly width: number;
}

/** What a path of the log's tiles names. */
export type TilePath =
  ({ readonly kind: 'hashes' } & Tile) | { readonly kind: 'entries'; readonly index: number; readonly width: number };

/** Where a tile is: `tile/0/x001/067`, or `tile/0/x001/067.p/8` for a partial one. */
export function tilePath(level: number, index: number, width: number = tileWidth): string {
  if (!Number.isInteger(level) || level < 0 || level > 63)
    throw new LockkeeperError('bug', `no tile has level ${level}`);
  return `tile/${level}/${place(index, width)}`;
}

/** Where an entry bundle is: as its tile of level 0, under `tile/entries/`. */
export function bundlePath(index: number, width: number = tileWidth): string {
  return `tile/entries/${place(index, width)}`;
}

/** Groups of three digits, all but the last marked with x; a partial tile is in a folder of its own. */
function place(index: number, width: number): string {
  if (!Number.isSafeInteger(index) || index < 0) throw new LockkeeperError('bug', `no tile has index ${index}`);
  if (!Number.isInteger(width) || width < 1 || width > tileWidth)
    throw new LockkeeperError('bug', `no tile has width ${width}`);
  const digits = String(index);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0');
  const groups = padded.replace(/\d{3}(?=\d)/g, 'x$&/');
  return width === tileWidth ? groups : `${groups}.p/${width}`;
}

/** What `path` names; undefined unless it is exactly what tilePath or bundlePath gives. */
export function parseTilePath(path: string): TilePath | undefined {
  const [, row, groups, partial] =
    /^tile\/(entries|\d{1,2})\/((?:x\d{3}\/)*\d{3})(?:\.p\/(\d{1,3}))?$/.exec(path) ?? [];
  if (row === undefined || groups === undefined) return undefined;
  const index = Number(groups.replaceAll(/[x/]/g, ''));
  const width = partial === undefined ? tileWidth : Number(partial);
  const level = row === 'entries' ? 0 : Number(row);
  if (!Number.isSafeInteger(index) || width < 1 || width > tileWidth || level > 63) return undefined;
  if (row === 'entries') return bundlePath(index, width) === path ? { kind: 'entries', index, width } : undefined;
  return tilePath(level, index, width) === path ? { kind: 'hashes', level, index, width } : undefined;
}

/**
 * Every tile that a log of `size` entries has, full and partial, from level 0 up, left to right. Bundles are as level
 * 0.
 */
export function tilesOf(size: number): readonly Tile[] {
  return newTiles(0, size);
}

/**
 * The tiles that a log of `to` entries has and one of `from` entries has not, in the order of tilesOf: those that
 * became full, and the partial ones at the right edge where they grew. Where `from` is complete, writing these
 * completes `to`.
 */
export function newTiles(from: number, to: number): readonly Tile[] {
  return [...eachNewTile(from, to)];
}

/** The same one by one: a size that somebody else signed may be of more tiles than there is memory. */
export function* eachNewTile(from: number, to: number): Generator<Tile> {
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from < 0 || from > to) {
    throw new LockkeeperError('bug', `a log does not grow from ${from} to ${to} entries`);
  }
  for (let level = 0, before = from, hashes = to; hashes > 0; level += 1) {
    const full = { before: Math.floor(before / tileWidth), now: Math.floor(hashes / tileWidth) };
    for (let index = full.before; index < full.now; index += 1) yield { level, index, width: tileWidth };
    const width = hashes % tileWidth;
    if (width > 0 && before !== hashes) yield { level, index: full.now, width };
    [before, hashes] = [full.before, full.now];
  }
}
