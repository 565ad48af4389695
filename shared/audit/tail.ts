import { LockkeeperError } from '../base/error.ts';
import type { ObjectStore } from '../objects/contract.ts';
import { decodeEntry, firstPrevious, type Entry } from './codec.ts';
import type { Head } from './head.ts';
import { entryKey, entryPrefix } from './layout.ts';

/**
 * The head that the next entry is chained to, found from what the state store remembers. `conflict` where the log is
 * shorter or other than that: then nothing may be appended, or the next entry would cover it up.
 */
export async function findTail(log: ObjectStore, known: Head): Promise<Head> {
  if (known.size > 0) {
    const last = await readEntry(log, known.size - 1);
    if (last?.hash !== known.hash) throw tampered(`entry ${known.size - 1} is ${last ? 'another one' : 'gone'}`);
  }
  return await walkForward(log, known);
}

/** `tail` moved past everything that was appended to it, each entry checked. */
export async function walkForward(log: ObjectStore, tail: Head, seen: (entry: Entry) => void = () => {}): Promise<Head> {
  let { size, hash } = tail;
  for (let next = await readEntry(log, size); next; next = await readEntry(log, size)) {
    if (next.previous !== hash) throw tampered(`entry ${size} does not follow entry ${size - 1}`);
    seen(next);
    size += 1;
    hash = next.hash;
  }
  return { size, hash };
}

/** Throws `conflict` unless the log has no entry. A head is written before the first entry: a log without one lost it. */
export async function expectNoEntries(log: ObjectStore): Promise<void> {
  for await (const { key } of log.list(entryPrefix)) throw tampered(`${key} is there, but the head of the log is gone`);
}

async function readEntry(log: ObjectStore, index: number): Promise<Entry | undefined> {
  const stored = await log.get(entryKey(index));
  if (!stored) return undefined;
  const entry = decodeStored(index, stored.bytes);
  if (entry.index !== index) throw tampered(`entry ${index} holds entry ${entry.index}`);
  if (index === 0 && entry.previous !== firstPrevious) throw tampered('entry 0 follows another one');
  return entry;
}

function decodeStored(index: number, bytes: Uint8Array): Entry {
  try {
    return decodeEntry(bytes);
  } catch (cause) {
    throw tampered(`entry ${index} was changed`, cause);
  }
}

/** What stops a writer: the stores were changed by somebody else. */
export function tampered(what: string, cause?: unknown): LockkeeperError {
  return new LockkeeperError('conflict', `nothing is appended to the audit log: ${what}`, {
    cause,
    hint: 'Run `lockkeeper audit verify` and restore the log and state stores. If they are lost, begin a new log in an empty place.',
  });
}
