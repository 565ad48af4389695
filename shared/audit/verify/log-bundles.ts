import { encodeBundle, entriesIn } from '../tlog/bundle.ts';
import { bundlePath, tileWidth } from '../tlog/tile.ts';
import type { Note } from './finding.ts';
import type { Stretch } from './sequence-check.ts';
import type { TileStore } from './tree-check.ts';

/** A bundle to be checked; without bytes where nothing that can be trusted holds all of its entries. */
export interface BundleBytes {
  readonly index: number;
  /** Where the bytes come from, for people. */
  readonly key: string;
  readonly bytes: Uint8Array | undefined;
  /** How many entries may be in it; undefined where entries may follow that have their place and are not signed yet. */
  readonly most?: number;
}

export interface LogBundlesOptions {
  readonly stretches: AsyncIterable<Stretch>;
  /** Number of the first bundle. */
  readonly from: number;
  /** How many entries were signed: so far bundles must be there. */
  readonly size: number;
  readonly tiles: TileStore;
  readonly note: Note;
}

/**
 * Bundles made of what lies in the inbox, each compared with the bundle that was derived from it; entries whose object
 * cannot be trusted are taken from there.
 */
export async function* logBundles(options: LogBundlesOptions): AsyncGenerator<BundleBytes> {
  const filling = new Filling(options);
  for await (const { count, entries } of options.stretches) yield* filling.add(count, entries);
  // A record at the end may be lost: then the bundles know more than the records.
  yield* filling.add(Math.max(0, options.size - filling.size));
  yield* filling.end();
}

/**
 * After so many bundles in a row that nobody has, no more are looked for: a number that somebody made up, in a record
 * or under a key of his own, would keep the reader busy for ever, and hide what else was found.
 */
export const mostMissing = 256;

/** Bundles that are being filled, in order. */
class Filling {
  readonly #options: LogBundlesOptions;
  #index: number;
  #slots: (Uint8Array | undefined)[] = [];
  #missing = 0;

  constructor(options: LogBundlesOptions) {
    this.#options = options;
    this.#index = options.from;
  }

  /** Up to which entry bundles are filled. */
  get size(): number {
    return this.#index * tileWidth + this.#slots.length;
  }

  /** The next so many entries, as far as they are known. */
  async *add(count: number, entries: readonly Uint8Array[] = []): AsyncGenerator<BundleBytes> {
    for (let at = 0; at < count && this.#missing <= mostMissing; at += 1) {
      this.#slots.push(entries[at]);
      if (this.#slots.length === tileWidth) yield await this.#next();
    }
  }

  async *end(): AsyncGenerator<BundleBytes> {
    if (this.#slots.length > 0) yield await this.#next();
  }

  async #next(): Promise<BundleBytes> {
    const bundle = await bundleOf(this.#options, this.#index, this.#slots);
    this.#missing = bundle.bytes ? 0 : this.#missing + 1;
    [this.#index, this.#slots] = [this.#index + 1, []];
    return bundle;
  }
}

/** One bundle: `slots` are its entries as they lie in the inbox, undefined where no object there can be trusted. */
export async function bundleOf(
  { tiles, size, note }: Pick<LogBundlesOptions, 'tiles' | 'size' | 'note'>,
  index: number,
  slots: readonly (Uint8Array | undefined)[],
): Promise<BundleBytes> {
  const width = Math.min(tileWidth, size - index * tileWidth);
  const known = slots.filter((slot) => slot !== undefined);
  const own = known.length === slots.length ? encodeBundle(known) : undefined;
  if (width <= 0) return { index, key: `bundle ${index}`, bytes: own };
  const path = bundlePath(index, width);
  const key = tiles.keyOf(path);
  if (width < tileWidth && !tiles.hasPartial) return { index, key, bytes: own };
  const stored = await tiles.get(path);
  if (!stored) {
    note({ key, index: index * tileWidth, kind: 'missing', what: 'is missing' });
    return { index, key, bytes: own };
  }
  if (own) {
    const expected = width === known.length ? own : encodeBundle(known.slice(0, width));
    if (Buffer.compare(expected, stored) !== 0)
      note({
        key,
        index: index * tileWidth,
        kind: 'changed',
        what: 'was changed: it does not hold the entries that got their place',
      });
    return { index, key, bytes: own };
  }
  return { index, key, bytes: repaired({ slots, width, stored }) };
}

/** The stored bundle, if it fits what is known of it, with what comes after it. */
function repaired({
  slots,
  width,
  stored,
}: {
  readonly slots: readonly (Uint8Array | undefined)[];
  readonly width: number;
  readonly stored: Uint8Array;
}): Uint8Array | undefined {
  const entries = entriesIn(stored);
  if (entries?.length !== width) return undefined;
  const fits = entries.every((entry, at) => slots[at] === undefined || Buffer.compare(slots[at], entry) === 0);
  const rest = slots.slice(width).filter((slot) => slot !== undefined);
  return fits ? encodeBundle([...entries, ...rest]) : undefined;
}
