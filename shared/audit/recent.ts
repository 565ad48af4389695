import { sha256 } from '../base/canonical.ts';
import { LockkeeperError } from '../base/error.ts';
import { after, day, dayOf, type Instant } from '../base/time.ts';
import type { ObjectStore } from '../objects/contract.ts';
import { decodeEntry, type Entry } from './entries/codec.ts';
import { inboxPrefix, parseBatchKey } from './layout.ts';
import { newestSigned } from './sealing/published.ts';
import { sequencesFrom } from './sealing/sequence.ts';
import { readBatch } from './sealing/waiting.ts';
import { tampered } from './tampered.ts';
import type { LogWriter } from './writer-key.ts';

/** Entries by when they were written. */
export interface RecentEntries {
  /**
   * Those written from `from` to `to`, by time. Durable ones all: also who has no place in the tree yet. Errors: what
   * the store throws; `conflict` where a batch is gone, `invalid` where a wanted entry cannot be read.
   */
  between(from: Instant, to: Instant): Promise<readonly Entry[]>;
}

export interface RecentOptions {
  readonly log: ObjectStore;
  /** Whose proofs count. */
  readonly writer: () => Promise<LogWriter>;
  /** Only entries whose action begins with one of these are kept in memory. */
  readonly stories: readonly string[];
}

/**
 * Reads a log by days, from the log store alone: what the state store says of the log is not believed. A batch counts
 * by its writer's proof, or by its place in the signed tree where an earlier version wrote it. Each batch is read once.
 */
export function recentEntries({ log, writer, stories }: RecentOptions): RecentEntries {
  const batches = new Map<string, readonly Entry[]>();
  const wanted = stories.map((story) => `"action":"${story}.`);
  return {
    async between(from, to) {
      const keys = await keysBetween(log, from, to);
      const unread = keys.filter((key) => !batches.has(key));
      const trust = { log, writer: await writer(), wanted, sealed: sealedBatches(log, writer) };
      for (let at = 0; at < unread.length; at += atOnce) {
        const group = unread.slice(at, at + atOnce);
        const read = await Promise.all(group.map((key) => entriesOf(key, trust)));
        for (const [i, key] of group.entries()) batches.set(key, read[i] ?? []);
      }
      const found = keys.flatMap((key) => batches.get(key) ?? []);
      return found.filter(({ at }) => at >= from && at <= to).toSorted(inOrder);
    },
  };
}

const atOnce = 16;

/** A run is kept under the day it began, or the integrator's where its clock lags, and is written for two days. */
async function keysBetween(log: ObjectStore, from: Instant, to: Instant): Promise<readonly string[]> {
  const [first, last] = [dayOf(after(from, -2 * day)), dayOf(after(to, 2 * day))];
  const found: string[] = [];
  for await (const { key, oddity } of log.list(inboxPrefix, `${inboxPrefix}${first}`)) {
    const name = oddity === undefined ? parseBatchKey(key) : undefined;
    if (name && name.day > last) break;
    if (name) found.push(key);
  }
  return found;
}

interface Trust {
  readonly log: ObjectStore;
  readonly writer: LogWriter;
  readonly wanted: readonly string[];
  readonly sealed: () => Promise<ReadonlyMap<string, string>>;
}

/** A batch that nobody with the key wrote, and that has no place, holds no entries: `verify` names it. */
async function entriesOf(key: string, { log, writer, wanted, sealed }: Trust): Promise<readonly Entry[]> {
  const stored = await log.get(key);
  if (!stored) throw tampered(`${key} was listed and is gone`);
  const bytes = Buffer.from(stored.bytes);
  if (!wanted.some((text) => bytes.includes(text))) return [];
  const proven = readBatch(stored.bytes, key, { writer, isAdmitted: false });
  const isSealed = typeof proven === 'string' && (await sealed()).get(key) === sha256(stored.bytes);
  const batch = isSealed ? readBatch(stored.bytes, key) : proven;
  if (typeof batch === 'string') return [];
  return batch.entries
    .filter((entry) => wanted.some((text) => Buffer.from(entry).includes(text)))
    .map((entry) => decoded(entry, key));
}

/** Every batch that has its place, with its hash; the records are read once, and only where something asks. */
function sealedBatches(log: ObjectStore, writer: () => Promise<LogWriter>): () => Promise<ReadonlyMap<string, string>> {
  let known: Promise<ReadonlyMap<string, string>> | undefined;
  const read = async (): Promise<ReadonlyMap<string, string>> => {
    const hashes = new Map<string, string>();
    const trust = { signed: await newestSigned({ log }), writer: await writer() };
    for await (const { batches } of sequencesFrom(log, 0, trust))
      for (const { key, hash } of batches) hashes.set(key, hash);
    return hashes;
  };
  return () => (known ??= read());
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
