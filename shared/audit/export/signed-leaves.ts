import { tampered } from '../tampered.ts';
import { RightEdge, treeRoot, type Hash } from '../tlog/merkle.ts';
import { tilePath, tileWidth } from '../tlog/tile.ts';
import { hashesOf } from '../tlog/tile-rows.ts';
import type { TiledLog } from './tiled-log.ts';

/**
 * The leaf hashes that a checkpoint signs, to compare with what is read. Remembers one hash a tile; memory grows by an
 * eighth of a byte an entry.
 */
export class SignedLeaves {
  readonly #tiles: TiledLog;
  readonly #roots: readonly Hash[];
  #at = -1;
  #leaves: readonly Hash[] = [];

  private constructor(tiles: TiledLog, roots: readonly Hash[]) {
    this.#tiles = tiles;
    this.#roots = roots;
  }

  /** Reads the lowest tiles once; `conflict` where they are not what was signed. */
  static async of(tiles: TiledLog): Promise<SignedLeaves> {
    const { size, root } = tiles.checkpoint;
    const [edge, roots] = [new RightEdge(), [] as Hash[]];
    for (let index = 0; index * tileWidth < size; index += 1) {
      const leaves = await leavesAt(tiles, index);
      const tileRoot = treeRoot(leaves);
      roots.push(tileRoot);
      if (leaves.length === tileWidth) edge.appendSubtree(8, tileRoot);
      else for (const leaf of leaves) edge.append(leaf);
    }
    if (Buffer.compare(edge.root(), root) !== 0) throw tampered('its tiles are not those that were signed');
    return new SignedLeaves(tiles, roots);
  }

  /** How many entries were signed. */
  get size(): number {
    return this.#tiles.checkpoint.size;
  }

  /** `conflict` unless the entry of this index was signed with this leaf hash, hex. */
  async expect(index: number, hash: string): Promise<void> {
    const at = Math.floor(index / tileWidth);
    if (at !== this.#at) {
      this.#leaves = await leavesAt(this.#tiles, at);
      // Somebody may write there while it is read.
      if (Buffer.compare(treeRoot(this.#leaves), this.#roots[at] ?? new Uint8Array()) !== 0)
        throw tampered(`${pathAt(this.#tiles, at)} was changed while it was read`);
      this.#at = at;
    }
    const signed = this.#leaves[index % tileWidth];
    if (!signed || Buffer.from(signed).toString('hex') !== hash)
      throw tampered(`entry ${index} is not the one that was signed`);
  }
}

async function leavesAt(tiles: TiledLog, index: number): Promise<readonly Hash[]> {
  const path = pathAt(tiles, index);
  const leaves = hashesOf(await tiles.tile(path));
  if (leaves.length === widthAt(tiles, index)) return leaves;
  throw tampered(`${path} was changed: it has ${leaves.length} hashes`);
}

function pathAt(tiles: TiledLog, index: number): string {
  return tilePath(0, index, widthAt(tiles, index));
}

function widthAt({ checkpoint: { size } }: TiledLog, index: number): number {
  return Math.min(tileWidth, size - index * tileWidth);
}
