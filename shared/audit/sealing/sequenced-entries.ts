import { sha256 } from '../../base/canonical.ts';
import type { ObjectStore } from '../../objects/contract.ts';
import { numberIn, sequenceKey, sequencePrefix } from '../layout.ts';
import { signedSizes } from './checkpoints.ts';
import { decodeBatch } from './batch.ts';
import { sequencesFrom, type SequencedBatch } from './sequence.ts';
import { tampered } from '../tampered.ts';

/** An entry in its place. */
export interface PlacedEntry {
  readonly index: number;
  readonly entry: Uint8Array;
}

/**
 * The entries from `from` up to `to`, not included, as they lie in the inbox, in the order of the sequence records.
 * `conflict` where an object is gone or is not the one that got its place.
 */
export async function* sequencedEntries(
  log: ObjectStore,
  { from, to = Infinity }: { readonly from: number; readonly to?: number },
): AsyncGenerator<PlacedEntry> {
  if (from >= to) return;
  // No record after the last that is wanted is read: anybody may have put one there.
  const upTo = { signed: to, writer: undefined };
  for await (const { first, batches } of sequencesFrom(log, await recordHolding(log, from), upTo)) {
    let index = first;
    for (const group of inGroups(batches)) {
      const wanted = group.map((batch) => {
        const begin = index;
        index += batch.count;
        return index > from && begin < to ? readPlaced(log, batch, begin) : Promise.resolve([]);
      });
      for (const placed of (await Promise.all(wanted)).flat())
        if (placed.index >= from && placed.index < to) yield placed;
    }
  }
}

const atOnce = 16;

function inGroups(batches: readonly SequencedBatch[]): readonly (readonly SequencedBatch[])[] {
  return Array.from({ length: Math.ceil(batches.length / atOnce) }, (_, at) =>
    batches.slice(at * atOnce, (at + 1) * atOnce),
  );
}

async function readPlaced(
  log: ObjectStore,
  { key, hash, count }: SequencedBatch,
  first: number,
): Promise<readonly PlacedEntry[]> {
  const stored = await log.get(key);
  if (!stored || sha256(stored.bytes) !== hash) throw tampered(`${key} ${stored ? 'was changed' : 'is gone'}`);
  const { entries } = decodeBatch(stored.bytes);
  if (entries.length !== count) throw tampered(`${key} holds ${entries.length} entries, and ${count} got their place`);
  return entries.map((entry, at) => ({ index: first + at, entry }));
}

/**
 * Where a record begins from which the one is reached that holds the entry of this index. Records begin where a
 * checkpoint was signed: what somebody put elsewhere is passed over.
 */
async function recordHolding(log: ObjectStore, index: number): Promise<number> {
  const isBegin = await signedBegins(log);
  if (await isBegin(index)) return index;
  const begins: number[] = [];
  for await (const { key } of log.list(sequencePrefix)) {
    const first = numberIn(key, sequencePrefix);
    if (first === undefined || first > index) break;
    begins.push(first);
  }
  for (const begin of begins.toReversed()) if (await isBegin(begin)) return begin;
  return 0;
}

/** Tells whether a record may begin at an index. */
async function signedBegins(log: ObjectStore): Promise<(index: number) => Promise<boolean>> {
  const isSigned = await signedSizes(log);
  return async (index) => index === 0 || ((await log.get(sequenceKey(index))) !== undefined && (await isSigned(index)));
}
