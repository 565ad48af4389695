import { LockkeeperError } from '../base/error.ts';
import { after, day, dayOf, type Instant } from '../base/time.ts';
import type { ObjectStore } from '../objects/contract.ts';
import { decodeEntry, type Entry } from './entries/codec.ts';
import { inboxPrefix, parseBatchKey } from './layout.ts';
import { strangeness } from './sealing/waiting.ts';
import { tampered } from './tampered.ts';
import { decodeBundle } from './tlog/bundle.ts';

/** Entries by when they were written. */
export interface RecentEntries {
  /**
   * Those written from `from` to `to`, by time. Durable ones all: also who has no place in the tree yet. Errors: what
   * the store throws; `conflict` where a batch is gone, `invalid` where a wanted entry cannot be read.
   */
  between(from: Instant, to: Instant): Promise<readonly Entry[]>;
}

/**
 * Reads a log by days, from the log store alone: what the state store says of the log is not believed. Each batch is
 * read once; only entries whose action begins with one of `stories` are kept in memory.
 */
export function recentEntries(log: ObjectStore, stories: readonly string[]): RecentEntries {
  const batches = new Map<string, readonly Entry[]>();
  const wanted = stories.map((story) => `"action":"${story}.`);
  return {
    async between(from, to) {
      const keys = await keysBetween(log, from, to);
      const unread = keys.filter(({ key }) => !batches.has(key));
      for (let at = 0; at < unread.length; at += atOnce) {
        const group = unread.slice(at, at + atOnce);
        const read = await Promise.all(group.map(({ key, run }) => readBatch(log, { key, run, wanted })));
        for (const [i, { key }] of group.entries()) batches.set(key, read[i] ?? []);
      }
      const found = keys.flatMap(({ key }) => batches.get(key) ?? []);
      return found.filter(({ at }) => at >= from && at <= to).toSorted(inOrder);
    },
  };
}

const atOnce = 16;

/** A run is kept under the day it began, or the integrator's where its clock lags, and is written for two days. */
async function keysBetween(
  log: ObjectStore,
  from: Instant,
  to: Instant,
): Promise<readonly { key: string; run: string }[]> {
  const [first, last] = [dayOf(after(from, -2 * day)), dayOf(after(to, 2 * day))];
  const found: { key: string; run: string }[] = [];
  for await (const { key } of log.list(inboxPrefix, `${inboxPrefix}${first}`)) {
    const name = parseBatchKey(key);
    if (name && name.day > last) break;
    if (name) found.push({ key, run: name.run });
  }
  return found;
}

interface Wanted {
  readonly key: string;
  readonly run: string;
  readonly wanted: readonly string[];
}

/** A batch that no run can have written holds no entries: `verify` names it. */
async function readBatch(log: ObjectStore, { key, run, wanted }: Wanted): Promise<readonly Entry[]> {
  const stored = await log.get(key);
  if (!stored) throw tampered(`${key} was listed and is gone`);
  const bytes = Buffer.from(stored.bytes);
  if (!wanted.some((text) => bytes.includes(text)) || strangeness(stored.bytes, run) !== undefined) return [];
  return decodeBundle(stored.bytes)
    .filter((entry) => wanted.some((text) => Buffer.from(entry).includes(text)))
    .map((entry) => decoded(entry, key));
}

/** What a newer version wrote may be somebody's no: whoever acts on entries must not go on without it. */
function decoded(entry: Uint8Array, key: string): Entry {
  try {
    return decodeEntry(entry);
  } catch (cause) {
    throw new LockkeeperError('invalid', `the log cannot be read: an entry of ${key} is none that this version knows`, {
      cause,
      hint: 'Run `lockkeeper audit verify`. If it finds nothing, a newer version of lockkeeper wrote the entry.',
    });
  }
}

function inOrder(a: Entry, b: Entry): number {
  return a.at - b.at || (a.run < b.run ? -1 : a.run > b.run ? 1 : a.n - b.n);
}
