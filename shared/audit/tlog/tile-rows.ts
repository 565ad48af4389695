import { LockkeeperError } from '../../base/error.ts';
import { hashBytes, RightEdge, treeRoot, type Hash } from './merkle.ts';
import { tilePath, tileWidth } from './tile.ts';

/** One tile or bundle with its path below the log's prefix. */
export interface TileFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** The right edge of a tree in tiles: of each level the hashes of the tile that is not full yet. */
export class TileRows {
  #size: number;
  readonly #levels: Hash[][];

  /** A tree of `size` leaves, with the hashes of its partial tiles from level 0 up; empty by default. */
  constructor(
    { size, levels }: { readonly size: number; readonly levels: readonly (readonly Hash[])[] } = {
      size: 0,
      levels: [],
    },
  ) {
    this.#size = size;
    this.#levels = levels.map((level) => [...level]);
  }

  /** How many leaves the tree has. */
  get size(): number {
    return this.#size;
  }

  /** Appends a leaf, already hashed; tells the tiles that became full by it, from level 0 up. */
  append(leaf: Hash): readonly TileFile[] {
    this.#size += 1;
    return this.#push(0, leaf);
  }

  /**
   * Appends as many leaves as a tile holds by the root over them, where the tiles so far are full; tells the tiles
   * above that became full by it.
   */
  appendTile(root: Hash): readonly TileFile[] {
    if (this.#size % tileWidth !== 0) throw new LockkeeperError('bug', `a tile does not begin at leaf ${this.#size}`);
    this.#size += tileWidth;
    this.#levels[0] ??= [];
    return this.#push(1, root);
  }

  /** The tiles that are not full, from level 0 up. */
  partial(): readonly TileFile[] {
    return this.#levels.flatMap((hashes, level) =>
      hashes.length === 0
        ? []
        : [{ path: tilePath(level, edgeIndex(level, this.#size), hashes.length), bytes: Buffer.concat(hashes) }],
    );
  }

  /** The root of the whole tree. */
  root(): Hash {
    const edge = new RightEdge();
    for (const [level, hashes] of [...this.#levels.entries()].toReversed())
      for (const hash of hashes) edge.appendSubtree(8 * level, hash);
    return edge.root();
  }

  /** The same tree, growing on its own. */
  copy(): TileRows {
    return new TileRows({ size: this.#size, levels: this.#levels });
  }

  #push(level: number, hash: Hash): readonly TileFile[] {
    const hashes = (this.#levels[level] ??= []);
    hashes.push(hash);
    if (hashes.length < tileWidth) return [];
    this.#levels[level] = [];
    const tile = { path: tilePath(level, edgeIndex(level, this.#size) - 1), bytes: Buffer.concat(hashes) };
    return [tile, ...this.#push(level + 1, treeRoot(hashes))];
  }
}

/** Index of the tile of `level` at the right edge of a tree of `size` leaves: of the first that is not full. */
export function edgeIndex(level: number, size: number): number {
  return Math.floor(size / 256 ** (level + 1));
}

/** The hashes of a tile, as views of its bytes. */
export function hashesOf(tile: Uint8Array): readonly Hash[] {
  return Array.from({ length: Math.floor(tile.length / hashBytes) }, (_, at) =>
    tile.subarray(at * hashBytes, (at + 1) * hashBytes),
  );
}
