import type { Instant } from '../base/time.ts';
import type { ObjectStore } from '../objects/contract.ts';
import { changeLedger, readLedger, usageKeys } from './ledger.ts';

/**
 * Deletes what no longer counts: replaced batches, and those of runs that died. A pending batch first leaves the
 * ledger, from then on nobody can commit it, and only then its tables go. Repeatable at any point.
 */
export async function sweep(state: ObjectStore, log: string, now: Instant): Promise<void> {
  const held = await readLedger(state, log);
  const isExpired = held.pending.some(({ until }) => until < now);
  const fenced = isExpired
    ? await changeLedger(state, log, (ledger) => ({
        ...ledger,
        pending: ledger.pending.filter(({ until }) => until >= now),
        garbage: [...ledger.garbage, ...ledger.pending.filter(({ until }) => until < now).map(({ id }) => id)],
      }))
    : held;
  const garbage = new Set(fenced?.garbage ?? []);
  if (garbage.size === 0) return;
  for (const batch of garbage) await deleteBatch(state, log, batch);
  await changeLedger(state, log, (ledger) => ({
    ...ledger,
    garbage: ledger.garbage.filter((batch) => !garbage.has(batch)),
  }));
}

async function deleteBatch(state: ObjectStore, log: string, batch: string): Promise<void> {
  const keys = usageKeys(log);
  for (const key of [keys.facts(batch), keys.coverage(batch), keys.batch(batch)]) {
    const stored = await state.get(key);
    if (stored) await state.delete(key, stored.version);
  }
}
