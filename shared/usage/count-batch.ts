import type { Instant } from '../base/time.ts';
import type { ObjectReport } from '../flow-logs/contract.ts';
import type { Ledger } from './ledger.ts';
import { isUpTo, settledIn, streamOf } from './key-order.ts';

/** What became of one object, its size in bytes, and the latest time that its rows can be of. */
export type ReadReport = ObjectReport & { readonly size: number; readonly until: Instant };

/** What this run took its decisions from. */
export interface Seen {
  readonly settled: Ledger['settled'];
  /** For a run that looks at everything again: no batch but these, and its own, may have come since. */
  readonly batches: Set<string> | undefined;
}

/** A batch whose tables are written. */
export interface Finished {
  readonly id: string;
  readonly objects: readonly ReadReport[];
  readonly replaces: string | undefined;
}

/** False where the batch must not count: it was swept, or another collector has read one of its objects. Pure. */
export function isFirst(held: Ledger, { id, objects, replaces }: Finished, seen: Seen): boolean {
  const isPending = held.pending.some((pending) => pending.id === id);
  const taken = new Set(
    held.recent.filter(([, , batch]) => batch !== replaces).map(([key, version]) => `${key}\n${version}`),
  );
  const isTaken = objects.some(({ key, version }) => taken.has(`${key}\n${version}`) || wasSettled(key, held, seen));
  const isReplaceable = replaces === undefined || held.batches.includes(replaces);
  const isAlone = seen.batches === undefined || held.batches.every((batch) => seen.batches?.has(batch));
  return isPending && !isTaken && isReplaceable && isAlone;
}

/** Settled since this run began: another collector has read it and forgotten its name already. */
function wasSettled(key: string, held: Ledger, seen: Seen): boolean {
  const stream = streamOf(key);
  return (
    stream !== undefined &&
    isUpTo(key, settledIn(held.settled, stream)) &&
    !isUpTo(key, settledIn(seen.settled, stream))
  );
}

/** The ledger with this batch counting, and the one it replaces not. Pure. */
export function withBatch(held: Ledger, { id, objects, replaces }: Finished, sampled: boolean): Ledger {
  const read = objects.filter(({ again }) => !again);
  const keys = new Set(read.map(({ key }) => key));
  return {
    ...withDamaged(held, objects),
    sampled,
    batches: [...held.batches.filter((batch) => batch !== replaces), id],
    pending: held.pending.filter((pending) => pending.id !== id),
    garbage: replaces === undefined ? held.garbage : [...held.garbage, replaces],
    recent: [
      ...held.recent.filter(([key]) => !keys.has(key)),
      ...read.map(({ key, version }) => [key, version, id] as const),
    ],
  };
}

/** The ledger with what is wrong with these objects, and not with what was wrong with them before. Pure. */
export function withDamaged(held: Ledger, objects: readonly ReadReport[]): Ledger {
  const keys = new Set(objects.map(({ key }) => key));
  const damaged = objects.filter(({ malformed, unreadable }) => malformed > 0 || unreadable !== undefined);
  return {
    ...held,
    damaged: [
      ...held.damaged.filter(({ key }) => !keys.has(key)),
      ...damaged.map(({ key, malformed, unreadable, until }) => ({ key, malformed, unreadable, until })),
    ],
  };
}

/** The ledger with a batch that will never count. Pure. */
export function toGarbage(held: Ledger, id: string): Ledger {
  return { ...held, pending: held.pending.filter((pending) => pending.id !== id), garbage: [...held.garbage, id] };
}
