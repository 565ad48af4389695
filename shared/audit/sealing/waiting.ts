import { sha256 } from '../../base/canonical.ts';
import { asLockkeeperError, hasCode } from '../../base/error.ts';
import type { ObjectStore, StoredObject } from '../../objects/contract.ts';
import { inboxPrefix, parseBatchKey } from '../layout.ts';
import type { SequencedBatch } from './sequence.ts';
import type { Sequenced } from './sequenced.ts';
import { parseCanonical } from '../entries/codec.ts';
import { statementOf } from '../entries/statement.ts';
import { decodeBundle } from '../tlog/bundle.ts';

/** A batch of the inbox that has no place yet. */
export interface WaitingBatch extends SequencedBatch {
  readonly entries: readonly Uint8Array[];
}

/** Batches that are next, and those that no run can have written: they get no place, and `verify` tells them. */
export interface Inbox {
  readonly batches: readonly WaitingBatch[];
  readonly refused: readonly { readonly key: string; readonly why: string }[];
}

/**
 * At most `limit` batches that come after what is sequenced, in the order of their keys; none of the runs that wrote
 * what is in
 * `without`. A run's batches keep their order.
 */
export async function readInbox(
  log: ObjectStore,
  sequenced: Sequenced,
  { limit, without }: { readonly limit: number; readonly without: Inbox['refused'] },
): Promise<Inbox> {
  const strangers = new Set(without.map(({ key }) => parseBatchKey(key)?.run));
  const refused: { key: string; why: string }[] = [];
  const told = new Set(without.map(({ key }) => key));
  const refuse = (key: string, oddity: string) => {
    if (told.has(key) || told.size + refused.length >= oddAtMost) return;
    refused.push({ key, why: `is ${oddity}, and no object of the log` });
  };
  const keys = await nextKeys(log, sequenced, { limit, strangers, refuse });
  const batches: WaitingBatch[] = [];
  const stopped = new Set<string>();
  for (let at = 0; at < keys.length; at += atOnce) {
    const read = await Promise.all(keys.slice(at, at + atOnce).map(({ key, run }) => readBatch(log, key, run)));
    for (const [i, batch] of read.entries()) {
      const { key = '', run = '' } = keys[at + i] ?? {};
      if (stopped.has(run)) continue;
      if ('entries' in batch) batches.push(batch);
      else {
        stopped.add(run);
        refused.push({ key, why: batch.why });
      }
    }
  }
  return { batches, refused };
}

const atOnce = 16;
/** So many that are no objects are named by whoever seals; `verify` names more of them. */
const oddAtMost = 1_000;

async function nextKeys(
  log: ObjectStore,
  { runs, doneBefore }: Sequenced,
  {
    limit,
    strangers,
    refuse,
  }: { limit: number; strangers: ReadonlySet<string | undefined>; refuse: (key: string, oddity: string) => void },
): Promise<readonly { key: string; run: string }[]> {
  const next = new Map([...runs].map(([run, one]) => [run, one.next]));
  const found: { key: string; run: string }[] = [];
  for await (const { key, oddity } of log.list(
    inboxPrefix,
    doneBefore === '' ? undefined : `${inboxPrefix}${doneBefore}`,
  )) {
    if (oddity !== undefined) refuse(key, oddity);
    if (oddity !== undefined) continue;
    const name = parseBatchKey(key);
    if (!name || strangers.has(name.run) || name.batch !== (next.get(name.run) ?? 0)) continue;
    next.set(name.run, name.batch + 1);
    found.push({ key, run: name.run });
    if (found.length === limit) break;
  }
  return found;
}

async function readBatch(log: ObjectStore, key: string, run: string): Promise<WaitingBatch | { readonly why: string }> {
  const stored = await readable(log, key);
  if (!stored) return { why: 'was listed and is gone' };
  if ('why' in stored) return stored;
  const why = strangeness(stored.bytes, run);
  if (why !== undefined) return { why };
  const entries = decodeBundle(stored.bytes);
  return { key, hash: sha256(stored.bytes), count: entries.length, entries };
}

/** Longer than any batch: whoever may create objects must not stop all sealing with one. */
async function readable(log: ObjectStore, key: string): Promise<StoredObject | { readonly why: string } | undefined> {
  try {
    return await log.get(key);
  } catch (thrown) {
    if (hasCode(thrown, 'conflict')) return { why: `cannot be read: ${thrown.message}` };
    throw thrown;
  }
}

/** Why no run can have written these bytes as a batch of `run`; undefined where it can. */
export function strangeness(bytes: Uint8Array, run: string): string | undefined {
  try {
    const entries = decodeBundle(bytes);
    // Not the whole form of an entry: a newer version of lockkeeper may know more kinds.
    for (const entry of entries) parseCanonical(entry);
    const strangers = entries.filter((entry) => statementOf(entry).run !== run);
    if (entries.length > 0 && strangers.length === 0) return undefined;
    return entries.length === 0 ? 'holds no entry' : 'holds entries of another run';
  } catch (thrown) {
    return `holds no entries: ${asLockkeeperError(thrown).message}`;
  }
}
