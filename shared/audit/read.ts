import { LockkeeperError } from '../base/error.ts';
import type { ObjectStore } from '../objects/contract.ts';
import { decodeEntry, type Entry } from './codec.ts';
import { entryKey, entryPrefix, indexOf } from './layout.ts';

export interface EntryRange {
  readonly log: ObjectStore;
  /** The first index wanted; from the beginning if it is left out. */
  readonly from?: number;
}

/**
 * The entries of a log in order, read a few at a time; memory does not grow with the log. Each is checked by itself, not the
 * chain: that is what `verify` does. `invalid` at an entry that was changed. Repeated pairs of intent and outcome are normal.
 */
export async function* entries({ log, from = 0 }: EntryRange): AsyncGenerator<Entry> {
  const after = from > 0 ? entryKey(from - 1) : undefined;
  let reading: Promise<Entry>[] = [];
  for await (const { key } of log.list(entryPrefix, after)) {
    if (indexOf(key) === undefined) continue;
    reading.push(read(log, key));
    if (reading.length < atOnce) continue;
    yield* await Promise.all(reading);
    reading = [];
  }
  yield* await Promise.all(reading);
}

const atOnce = 16;

async function read(log: ObjectStore, key: string): Promise<Entry> {
  const stored = await log.get(key);
  if (!stored) throw damaged(key, 'is gone');
  try {
    return decodeEntry(stored.bytes);
  } catch (cause) {
    throw damaged(key, 'was changed', cause);
  }
}

function damaged(key: string, what: string, cause?: unknown): LockkeeperError {
  const hint = 'Run `lockkeeper audit verify`: it names everything that was changed.';
  return new LockkeeperError('invalid', `the log cannot be read: ${key} ${what}`, { cause, hint });
}
