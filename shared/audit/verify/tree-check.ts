import { tilePath, tileWidth } from '../tlog/tile.ts';
import { hashBytes, treeRoot, type Hash } from '../tlog/merkle.ts';
import { hashesOf, type TileFile, type TileRows } from '../tlog/tile-rows.ts';
import { noBundle, type CheckedBundle } from './bundle-check.ts';
import type { Note } from './finding.ts';

/** What the tree must be at some size, and what says so. */
export interface ExpectedRoot {
  readonly size: number;
  readonly root: Hash;
  /** The object that says so. */
  readonly key: string;
}

/** Where the tiles of a log are. */
export interface TileStore {
  /** The bytes of the tile or bundle at this path, full or partial; undefined where there is none. */
  get(path: string): Promise<Uint8Array | undefined>;
  /** The key of a path, for people. */
  keyOf(path: string): string;
  /** Whether it has tiles that are not full; they are derived, and a copy of the log store alone has none. */
  readonly hasPartial: boolean;
}

export interface TreeCheckOptions {
  readonly tiles: TileStore;
  /** How many entries were signed; further ones are not in tiles yet. */
  readonly size: number;
  /** The tree of the entries that are not read. */
  readonly from: TileRows;
  readonly note: Note;
}

/** One bundle of the log, in order. */
export interface NextBundle {
  /** Number of the bundle. */
  readonly index: number;
  /** Where its bytes come from, for people. */
  readonly key: string;
  readonly checked: CheckedBundle;
  /** What `tile` answered for it. */
  readonly tile: Uint8Array | undefined;
}

/** Builds the tree anew from bundles in order, and compares every tile with it. */
export class TreeCheck {
  readonly #options: TreeCheckOptions;
  readonly #rows: TileRows;
  /**
   * After entries that nothing vouches for, or that are gone, no root and no tile above can fit, and none is blamed.
   */
  #broken = false;

  constructor(options: TreeCheckOptions) {
    this.#options = options;
    this.#rows = options.from;
  }

  /**
   * The stored tile over the leaves of a bundle; undefined where there is none, which is told where there must be one.
   */
  async tile(index: number): Promise<Uint8Array | undefined> {
    const { tiles, note } = this.#options;
    const width = this.#wanted(index);
    if (width <= 0 || (width < tileWidth && !tiles.hasPartial)) return undefined;
    const path = tilePath(0, index, width);
    const tile = await tiles.get(path);
    if (!tile) note({ key: tiles.keyOf(path), index: index * tileWidth, kind: 'missing', what: 'is missing' });
    return tile;
  }

  /**
   * `expected`: the roots that are known of sizes in this bundle, ascending. False: its entries are not to be trusted.
   */
  async add(next: NextBundle, expected: readonly ExpectedRoot[]): Promise<boolean> {
    const { checked, tile, index } = next;
    const wanted = this.#wanted(index);
    const fromEntries = checked.leaves.subarray(0, wanted * hashBytes);
    const isWhole = tile !== undefined && Buffer.compare(fromEntries, tile) === 0;
    const end = (index + 1) * tileWidth;
    if (
      isWhole &&
      checked.root &&
      this.#rows.size + tileWidth === end &&
      end <= this.#options.size &&
      expected.every(({ size }) => size === end)
    ) {
      const above = this.#rows.appendTile(checked.root);
      this.#expect(expected);
      for (const { path, bytes } of above) await this.#compareAbove(path, bytes);
      return true;
    }
    return await this.#addLeaves(next, { fromEntries: hashesOf(fromEntries), wanted, expected });
  }

  async #addLeaves(
    next: NextBundle,
    {
      fromEntries,
      wanted,
      expected,
    }: { fromEntries: readonly Hash[]; wanted: number; expected: readonly ExpectedRoot[] },
  ): Promise<boolean> {
    const { checked, tile } = next;
    const leaves = tile ? await this.#authentic(next, { fromEntries, tile, wanted, expected }) : fromEntries;
    if (leaves.length < wanted) this.#endsEarly(next, leaves.length);
    if (tile) this.#compare(next, { tile, leaves, fromEntries });
    const full: TileFile[] = [];
    let at = 0;
    for (const one of expected) {
      for (; at < leaves.length && next.index * tileWidth + at < one.size; at += 1) this.#append(leaves[at], full);
      this.#expect([one]);
    }
    for (; at < leaves.length; at += 1) this.#append(leaves[at], full);
    for (const { path, bytes } of full.slice(1)) await this.#compareAbove(path, bytes);
    return isSame(fromEntries, leaves) && checked.count >= wanted;
  }

  /** A bundle without all of its entries, and no tile that knows better. */
  #endsEarly(next: NextBundle, leaves: number): void {
    this.#broken = true;
    if (!isSaid(next))
      this.#options.note({
        key: next.key,
        index: next.index * tileWidth + leaves,
        kind: 'changed',
        what: 'was changed: it ends before this entry',
      });
  }

  /** How many leaves of a bundle were signed. */
  #wanted(index: number): number {
    return Math.min(tileWidth, this.#options.size - index * tileWidth);
  }

  /** Roots that the tree has to have as it is now. */
  #expect(expected: readonly ExpectedRoot[]): void {
    if (this.#broken) return;
    for (const { size, root, key } of expected) {
      if (Buffer.compare(this.#rows.root(), root) !== 0)
        this.#options.note({ key, kind: 'forked', what: `signs another tree of ${size} entries` });
    }
  }

  /**
   * Compares the tiles that are not full, once all bundles came. `expected`: roots that no bundle was asked for, as
   * none came after them.
   */
  async end(expected: readonly ExpectedRoot[] = []): Promise<void> {
    this.#expect(expected.filter(({ size }) => size === this.#rows.size));
    const above = this.#options.tiles.hasPartial ? this.#rows.partial() : [];
    for (const { path, bytes } of above) if (!path.startsWith('tile/0/')) await this.#compareAbove(path, bytes);
  }

  #append(leaf: Hash | undefined, full: TileFile[]): void {
    if (leaf) full.push(...this.#rows.append(leaf));
  }

  /**
   * Of entries and tile those that the tree above vouches for; the entries where it vouches for neither. A tile of
   * another length would move every entry after it, so it never counts, though a checkpoint of some of its leaves fits.
   */
  async #authentic(
    next: NextBundle,
    {
      fromEntries,
      tile,
      wanted,
      expected,
    }: { fromEntries: readonly Hash[]; tile: Uint8Array; wanted: number; expected: readonly ExpectedRoot[] },
  ): Promise<readonly Hash[]> {
    const fromTile = hashesOf(tile);
    if (isSame(fromEntries, fromTile)) return fromEntries;
    if (tile.length === wanted * hashBytes && (await this.#isSigned(next, fromTile, expected))) return fromTile;
    if (await this.#isSigned(next, fromEntries, expected)) return fromEntries;
    this.#broken = true;
    return fromEntries;
  }

  /** Whether the tile above, or a checkpoint where there is none, says that these are the leaves of a bundle. */
  async #isSigned({ index }: NextBundle, leaves: readonly Hash[], expected: readonly ExpectedRoot[]): Promise<boolean> {
    const above = leaves.length === tileWidth ? await this.#options.tiles.get(this.#pathAbove(index)) : undefined;
    const said = above?.subarray((index % tileWidth) * hashBytes, ((index % tileWidth) + 1) * hashBytes);
    if (said) return Buffer.compare(treeRoot(leaves), said) === 0;
    const last = expected.at(-1);
    if (!last || leaves.length < last.size - index * tileWidth) return false;
    const rows = this.#rows.copy();
    for (const leaf of leaves.slice(0, last.size - index * tileWidth)) rows.append(leaf);
    return Buffer.compare(rows.root(), last.root) === 0;
  }

  /** The tile above, as wide as it is in a log of this size. */
  #pathAbove(index: number): string {
    const at = Math.floor(index / tileWidth);
    const hashes = Math.floor(this.#options.size / tileWidth);
    return tilePath(1, at, Math.min(tileWidth, hashes - at * tileWidth));
  }

  #compare(
    next: NextBundle,
    { tile, leaves, fromEntries }: { tile: Uint8Array; leaves: readonly Hash[]; fromEntries: readonly Hash[] },
  ): void {
    const begin = next.index * tileWidth;
    const differs = (hashes: readonly Hash[]) =>
      leaves.findIndex((leaf, at) => Buffer.compare(leaf, hashes[at] ?? new Uint8Array()) !== 0);
    const path = tilePath(0, next.index, Math.max(1, Math.min(tileWidth, this.#options.size - begin)));
    const inTile = differs(hashesOf(tile));
    if (inTile >= 0 || tile.length !== leaves.length * hashBytes) {
      this.#options.note({
        key: this.#options.tiles.keyOf(path),
        index: begin + Math.max(0, inTile),
        kind: 'changed',
        what: 'was changed: it does not hold the hash of this entry',
      });
    }
    const inEntries = differs(fromEntries);
    if (inEntries >= 0 && !isSaid(next))
      this.#options.note({
        key: next.key,
        index: begin + inEntries,
        kind: 'changed',
        what: 'was changed: this entry is not the one that was signed',
      });
  }

  async #compareAbove(path: string, bytes: Uint8Array): Promise<void> {
    const { tiles, note } = this.#options;
    if (this.#broken) return;
    const stored = await tiles.get(path);
    if (!stored) note({ key: tiles.keyOf(path), kind: 'missing', what: 'is missing' });
    else if (Buffer.compare(stored, bytes) !== 0)
      note({
        key: tiles.keyOf(path),
        kind: 'changed',
        what: 'was changed: it does not hold the hashes of the tiles below it',
      });
  }
}

/**
 * A bundle that is not there was told where it was looked for; one that cannot be read has a problem. An empty one is
 * neither.
 */
function isSaid({ checked }: NextBundle): boolean {
  return checked === noBundle || checked.problems.some(({ kind }) => kind === 'changed');
}

function isSame(some: readonly Hash[], others: readonly Hash[]): boolean {
  return Buffer.compare(Buffer.concat(some), Buffer.concat(others)) === 0;
}
