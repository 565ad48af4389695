import { hasCode, LockkeeperError } from '../base/error.ts';
import type { ObjectStore } from '../objects/contract.ts';
import { decodeEntry, type Entry } from './entries/codec.ts';
import { sequencedEntries, type PlacedEntry } from './sealing/sequenced-entries.ts';
import { catchUp, nothingSequenced, readSequenced, type Sequenced } from './sealing/sequenced.ts';
import { newestSigned } from './sealing/published.ts';
import { tampered } from './tampered.ts';
import { decodeBundle } from './tlog/bundle.ts';
import { parseCheckpoint } from './tlog/checkpoint.ts';
import { parseNote } from './tlog/note.ts';
import { bundlePath, tileWidth } from './tlog/tile.ts';
import { InboxReader, type Refused } from './sealing/waiting.ts';
import type { LogWriter } from './writer-key.ts';

/** Where a log is read. */
export interface EntryRange {
  readonly log: ObjectStore;
  /** Saves reading every sequence record where entries wait for their place. */
  readonly state?: ObjectStore | undefined;
  /** The first index wanted; from the beginning if it is left out. */
  readonly from?: number;
  /** Whose proofs count. Without it, whatever is not signed yet is read as unproven. */
  readonly writer?: LogWriter | undefined;
  /** Is told of objects of the inbox that are left out: with a writer given, all that it did not write. */
  readonly refused?: (one: Refused) => void;
}

/** An entry as it is read; the index is undefined while it waits for its place in the tree. */
export interface IndexedEntry extends Entry {
  readonly index: number | undefined;
  /** Nobody signed it, and no proof of who wrote it was checked: anybody may have put it there. */
  readonly unproven?: true;
}

/** What stands in the place of an entry and is none that this version knows. */
export interface UnreadableEntry {
  readonly index: number | undefined;
  readonly bytes: Uint8Array;
  /** One phrase that continues "it is unreadable: …". */
  readonly unreadable: string;
  readonly unproven?: true;
}

/** The entries that can be read; see readEntries. */
export async function* entries(range: EntryRange): AsyncGenerator<IndexedEntry> {
  for await (const entry of readEntries(range)) if (!('unreadable' in entry)) yield entry;
}

/**
 * The entries of a log in their order, those that wait for their place last; memory does not grow with the log. Each is
 * checked by itself, not the tree: that is what `verify` does. One that is none is told as that. `conflict` where
 * objects are gone. Repeated pairs of intent and outcome are normal.
 */
export async function* readEntries(range: EntryRange): AsyncGenerator<IndexedEntry | UnreadableEntry> {
  const { log, state, from = 0, writer } = range;
  let next = from;
  let trust = { signed: await newestSigned({ log, state }), writer };
  let to = trust.signed;
  for (;;) {
    const before = next;
    for await (const placed of placedEntries(log, next, { to, signed: trust.signed })) {
      yield { ...decoded(placed.entry), index: placed.index };
      next = placed.index + 1;
    }
    trust = { signed: await newestSigned({ log, state }), writer };
    const sequenced = state ? await readSequenced({ log, state, trust }) : await catchUp(log, nothingSequenced, trust);
    if (sequenced.size <= next) {
      yield* waitingEntries(range, sequenced);
      return;
    }
    // Somebody sealed meanwhile: what waited has its place now, and is read there.
    if (next === before && to >= sequenced.size) throw tampered(`entry ${next} has its place and cannot be read`);
    to = sequenced.size;
  }
}

/**
 * The entries of a plain tlog-tiles directory, as far as its checkpoint goes. Nothing is checked but each entry by
 * itself.
 */
export async function* tilesEntries(store: ObjectStore): AsyncGenerator<IndexedEntry | UnreadableEntry> {
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
      yield { ...decoded(entry), index: begin + at };
  }
}

/**
 * The stored bytes of the entries that have their place, up to `to`, not included: from full bundles as far as they are
 * `signed`, for anybody may have put others there, then from the inbox.
 */
export async function* placedEntries(
  log: ObjectStore,
  from: number,
  { to, signed }: { readonly to: number; readonly signed: number },
): AsyncGenerator<PlacedEntry> {
  let next = from;
  for (;;) {
    const at = Math.floor(next / tileWidth);
    const end = (at + 1) * tileWidth;
    const bundle = end <= Math.min(to, signed) ? await log.get(bundlePath(at)) : undefined;
    if (!bundle) break;
    for (const [i, entry] of decodeBundle(bundle.bytes).entries()) {
      const index = at * tileWidth + i;
      if (index >= next) yield { index, entry };
    }
    next = end;
  }
  yield* sequencedEntries(log, { from: next, to });
}

async function* waitingEntries(
  { log, writer, refused }: EntryRange,
  sequenced: Sequenced,
): AsyncGenerator<IndexedEntry | UnreadableEntry> {
  const inbox = new InboxReader({ log, writer });
  while (!inbox.isDone)
    for (const { entries: all, standing } of await inbox.next(sequenced, atOnce))
      for (const bytes of all)
        yield { ...decoded(bytes), index: undefined, ...(standing !== 'proven' && { unproven: true }) };
  for (const one of inbox.refused) refused?.(one);
}

/** So many objects of the inbox are held at once. */
const atOnce = 500;

function decoded(bytes: Uint8Array): Entry | Omit<UnreadableEntry, 'index'> {
  try {
    return decodeEntry(bytes);
  } catch (thrown) {
    if (!hasCode(thrown, 'invalid')) throw thrown;
    return { bytes, unreadable: `${thrown.message}; a newer version of lockkeeper wrote it, or it is no entry` };
  }
}
