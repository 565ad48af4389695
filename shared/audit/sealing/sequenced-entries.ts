import { sha256 } from '../../base/canonical.ts';
import type { ObjectStore } from '../../objects/contract.ts';
import { numberIn, sequencePrefix } from '../layout.ts';
import { sequencesFrom, type SequencedBatch } from './sequence.ts';
import { tampered } from '../tampered.ts';
import { decodeBundle } from '../tlog/bundle.ts';

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
  for await (const { first, batches } of sequencesFrom(log, await recordHolding(log, from))) {
    if (first >= to) return;
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
  const entries = decodeBundle(stored.bytes);
  if (entries.length !== count) throw tampered(`${key} holds ${entries.length} entries, and ${count} got their place`);
  return entries.map((entry, at) => ({ index: first + at, entry }));
}

/** Where a record begins that holds the entry of this index: there is one at every size that was published. */
async function recordHolding(log: ObjectStore, index: number): Promise<number> {
  if (index === 0 || (await log.get(`${sequencePrefix}${String(index).padStart(20, '0')}`))) return index;
  let holding = 0;
  for await (const { key } of log.list(sequencePrefix)) {
    const first = numberIn(key, sequencePrefix);
    if (first === undefined || first > index) break;
    holding = first;
  }
  return holding;
}
