import type { ObjectStore } from '../../objects/contract.ts';
import { partialPrefix } from '../layout.ts';
import type { LogPlaces, LogDeps } from '../log-deps.ts';
import { sequencedEntries } from './sequenced-entries.ts';
import { tampered } from '../tampered.ts';
import { encodeBundle, entriesIn } from '../tlog/bundle.ts';
import type { Checkpoint } from '../tlog/checkpoint.ts';
import { hashBytes, leafHash, treeRoot, type Hash } from '../tlog/merkle.ts';
import { bundlePath, tilePath, tileWidth } from '../tlog/tile.ts';
import { edgeIndex, hashesOf, TileRows, type TileFile } from '../tlog/tile-rows.ts';

/** The right edge of a log: entries of the bundle that is not full, hashes of the tiles that are not. */
export class GrowingTree {
  #entries: Uint8Array[];
  readonly #rows: TileRows;

  constructor(
    edge: {
      readonly size: number;
      readonly entries: readonly Uint8Array[];
      readonly levels: readonly (readonly Hash[])[];
    } = { size: 0, entries: [], levels: [] },
  ) {
    this.#entries = [...edge.entries];
    this.#rows = new TileRows(edge);
  }

  get size(): number {
    return this.#rows.size;
  }

  /** Appends an entry; tells the bundle and the tiles that became full by it. */
  append(entry: Uint8Array): readonly TileFile[] {
    this.#entries.push(entry);
    const full = this.#rows.append(leafHash(entry));
    if (full.length === 0) return full;
    const bundle = { path: bundlePath(this.size / tileWidth - 1), bytes: encodeBundle(this.#entries) };
    this.#entries = [];
    return [bundle, ...full];
  }

  /** The bundle and the tiles that are not full. */
  partial(): readonly TileFile[] {
    const bundles =
      this.#entries.length === 0
        ? []
        : [
            {
              path: bundlePath(Math.floor(this.size / tileWidth), this.#entries.length),
              bytes: encodeBundle(this.#entries),
            },
          ];
    return [...bundles, ...this.#rows.partial()];
  }

  root(): Hash {
    return this.#rows.root();
  }
}

/**
 * Grows the tree to `size` entries. Full bundles and tiles go to the log store, the others to the state store; each is
 * a create of bytes that follow from the entries, so a second integrator, or the same after a crash, writes the same.
 * `conflict` where other bytes are there.
 */
export async function growTo(
  { log, state }: Pick<LogDeps, 'log' | 'state'>,
  tree: GrowingTree,
  size: number,
): Promise<void> {
  for await (const { entry } of sequencedEntries(log, { from: tree.size, to: size })) {
    for (const { path, bytes } of tree.append(entry)) await createSame(log, path, bytes);
  }
  if (tree.size !== size) throw tampered(`entry ${tree.size} has its place and cannot be read`);
  for (const { path, bytes } of tree.partial()) await createSame(state, `${partialPrefix}${path}`, bytes);
}

/**
 * The tree of a checkpoint, from what the state store has of it; where that is lost, wrong or not given, from the log
 * store.
 */
export async function openTree(
  { log, state }: LogPlaces,
  { size, root }: Pick<Checkpoint, 'size' | 'root'>,
): Promise<GrowingTree> {
  const remembered = state && (await remember(state, size));
  if (remembered && Buffer.compare(remembered.root(), root) === 0) return remembered;
  const tree = await rebuild(log, size);
  if (Buffer.compare(tree.root(), root) === 0) return tree;
  throw tampered(`the first ${size} entries are not those that were signed`);
}

/** Whether the state store has everything of a tree of this size that is not full. */
export async function hasPartials(state: ObjectStore, size: number): Promise<boolean> {
  const found = await Promise.all(partialPaths(size).map((path) => state.get(`${partialPrefix}${path}`)));
  return found.every((stored) => stored !== undefined);
}

function partialPaths(size: number): readonly string[] {
  const paths = size % tileWidth === 0 ? [] : [bundlePath(Math.floor(size / tileWidth), size % tileWidth)];
  for (let level = 0; 256 ** level <= size; level += 1) {
    const width = Math.floor(size / 256 ** level) % tileWidth;
    if (width > 0) paths.push(tilePath(level, edgeIndex(level, size), width));
  }
  return paths;
}

async function remember(state: ObjectStore, size: number): Promise<GrowingTree | undefined> {
  const levels: (readonly Hash[])[] = [];
  for (let level = 0; 256 ** level <= size; level += 1) {
    const width = Math.floor(size / 256 ** level) % tileWidth;
    const tile =
      width === 0
        ? new Uint8Array()
        : (await state.get(`${partialPrefix}${tilePath(level, edgeIndex(level, size), width)}`))?.bytes;
    if (tile?.length !== width * hashBytes) return undefined;
    levels.push(hashesOf(tile));
  }
  const width = size % tileWidth;
  const bundle =
    width === 0
      ? new Uint8Array()
      : (await state.get(`${partialPrefix}${bundlePath(Math.floor(size / tileWidth), width)}`))?.bytes;
  const entries = bundle && entriesIn(bundle);
  const isLevel0 =
    entries?.length === width &&
    entries.every((entry, at) => Buffer.compare(leafHash(entry), levels[0]?.[at] ?? new Uint8Array()) === 0);
  return isLevel0 ? new GrowingTree({ size, entries, levels }) : undefined;
}

/** Deletes partial tiles that have become full between two published sizes: the full ones hold all that they held. */
export async function sweepPartials(state: ObjectStore, from: number, to: number): Promise<void> {
  for (let level = 0; 256 ** level <= to; level += 1) {
    const [before, now] = [edgeIndex(level, from), edgeIndex(level, to)];
    if (before === now) return;
    const grown = [tilePath(level, before), ...(level === 0 ? [bundlePath(before)] : [])];
    for (const path of grown) {
      for await (const { key } of state.list(`${partialPrefix}${path}.p/`)) {
        const stored = await state.get(key);
        if (stored) await state.delete(key, stored.version);
      }
    }
  }
}

/** From full tiles, and from the inbox what comes after the last full bundle. */
async function rebuild(log: ObjectStore, size: number): Promise<GrowingTree> {
  const begin = size - (size % tileWidth);
  const levels: Hash[][] = [[]];
  for (let level = 1; 256 ** level <= begin; level += 1) {
    const first = edgeIndex(level, begin) * tileWidth;
    const width = Math.floor(begin / 256 ** level) % tileWidth;
    levels.push(
      await Promise.all(
        Array.from({ length: width }, async (_, at) =>
          treeRoot(hashesOf(await fullTile(log, tilePath(level - 1, first + at)))),
        ),
      ),
    );
  }
  const tree = new GrowingTree({ size: begin, entries: [], levels });
  for await (const { entry } of sequencedEntries(log, { from: begin, to: size })) tree.append(entry);
  return tree;
}

async function fullTile(log: ObjectStore, path: string): Promise<Uint8Array> {
  const stored = await log.get(path);
  if (stored?.bytes.length === tileWidth * hashBytes) return stored.bytes;
  throw tampered(`${path} ${stored ? 'was changed' : 'is gone'}`);
}

async function createSame(store: ObjectStore, key: string, bytes: Uint8Array): Promise<void> {
  const { outcome } = await store.create(key, bytes);
  if (outcome === 'exists') throw tampered(`${key} holds other bytes than follow from the entries`);
}
