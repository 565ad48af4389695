import { LockkeeperError } from '../base/error.ts';
import type { ObjectStore } from '../objects/contract.ts';
import { decodeEntry, type Entry } from './entries/codec.ts';
import { sequencedEntries, type PlacedEntry } from './sealing/sequenced-entries.ts';
import { catchUp, nothingSequenced, readSequenced, type Sequenced } from './sealing/sequenced.ts';
import { tampered } from './tampered.ts';
import { decodeBundle } from './tlog/bundle.ts';
import { parseCheckpoint } from './tlog/checkpoint.ts';
import { parseNote } from './tlog/note.ts';
import { bundlePath, tileWidth } from './tlog/tile.ts';
import { readInbox } from './sealing/waiting.ts';

/** Where a log is read. */
export interface EntryRange {
  readonly log: ObjectStore;
  /** Saves reading every sequence record where entries wait for their place. */
  readonly state?: ObjectStore | undefined;
  /** The first index wanted; from the beginning if it is left out. */
  readonly from?: number;
}

/** An entry as it is read; the index is undefined while it waits for its place in the tree. */
export interface IndexedEntry extends Entry {
  readonly index: number | undefined;
}

/**
 * The entries of a log in their order, those that wait for their place last; memory does not grow with the log. Each is
 * checked by itself, not the tree: that is what `verify` does. `invalid` at an entry that was changed, `conflict` where
 * objects are gone. Repeated pairs of intent and outcome are normal.
 */
export async function* entries({ log, state, from = 0 }: EntryRange): AsyncGenerator<IndexedEntry> {
  let next = from;
  for (;;) {
    const before = next;
    for await (const placed of placedEntries(log, next)) {
      yield { ...decoded(placed.entry, `entry ${placed.index}`), index: placed.index };
      next = placed.index + 1;
    }
    const sequenced = state ? await readSequenced({ log, state }) : await catchUp(log, nothingSequenced);
    if (sequenced.size <= next) {
      yield* waitingEntries(log, sequenced);
      return;
    }
    // Somebody sealed meanwhile: what waited has its place now, and is read there.
    if (next === before) throw tampered(`entry ${next} has its place and cannot be read`);
  }
}

/**
 * The entries of a plain tlog-tiles directory, as far as its checkpoint goes. Nothing is checked but each entry by
 * itself.
 */
export async function* tilesEntries(store: ObjectStore): AsyncGenerator<IndexedEntry> {
  const stored = await store.get('checkpoint');
  const { size } = parseCheckpoint(parseNote(stored?.bytes ?? '').text);
  for (let begin = 0; begin < size; begin += tileWidth) {
    const width = Math.min(tileWidth, size - begin);
    const path = bundlePath(begin / tileWidth, width);
    const bundle = await store.get(path);
    if (!bundle)
      throw new LockkeeperError('conflict', `the log cannot be read: ${path} is gone`, {
        hint: 'Run `lockkeeper audit verify`.',
      });
    for (const [at, entry] of decodeBundle(bundle.bytes).slice(0, width).entries())
      yield { ...decoded(entry, `entry ${begin + at}`), index: begin + at };
  }
}

/**
 * The stored bytes of the entries that have their place, from full bundles as far as there are any, then from the
 * inbox.
 */
export async function* placedEntries(log: ObjectStore, from: number): AsyncGenerator<PlacedEntry> {
  let next = from;
  for (;;) {
    const at = Math.floor(next / tileWidth);
    const bundle = await log.get(bundlePath(at));
    if (!bundle) break;
    for (const [i, entry] of decodeBundle(bundle.bytes).entries()) {
      const index = at * tileWidth + i;
      if (index >= next) yield { index, entry };
    }
    next = (at + 1) * tileWidth;
  }
  yield* sequencedEntries(log, { from: next });
}

async function* waitingEntries(log: ObjectStore, sequenced: Sequenced): AsyncGenerator<IndexedEntry> {
  const { batches } = await readInbox(log, sequenced, { limit: Infinity, without: [] });
  for (const { key, entries: bytes } of batches)
    for (const entry of bytes) yield { ...decoded(entry, key), index: undefined };
}

function decoded(bytes: Uint8Array, where: string): Entry {
  try {
    return decodeEntry(bytes);
  } catch (cause) {
    throw new LockkeeperError('invalid', `the log cannot be read: ${where} is none that this version knows`, {
      cause,
      hint: 'Run `lockkeeper audit verify`. If it finds nothing, a newer version of lockkeeper wrote the entry: read it with that.',
    });
  }
}
