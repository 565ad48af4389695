import type { Instant } from '../base/time.ts';
import type { LogObject } from '../flow-logs/contract.ts';
import { isDatedUpTo, isUpTo, saidEnd, streamOf } from './key-order.ts';
import type { Ledger, ReadObject } from './ledger.ts';

/** Objects to read together. */
export interface Batch {
  readonly objects: readonly LogObject[];
  /** The batch these objects were read in before one of them changed; its facts stop counting when these do. */
  readonly replaces: string | undefined;
}

const objectsAtMost = 1_000;
const bytesAtMost = 1_000_000_000;

/**
 * What to read next. New objects in key order, in batches of bounded size. An object that changed after it was read
 * takes its whole batch with it: facts are not kept by object, so they can only be replaced batch by batch. Pure.
 */
export function planBatches(listed: readonly LogObject[], known: ReadonlyMap<string, ReadObject>): readonly Batch[] {
  const fresh = listed.filter(({ key }) => !known.has(key));
  const changed = listed.filter(({ key, version }) => known.has(key) && known.get(key)?.[1] !== version);
  const stale = new Set(changed.map(({ key }) => known.get(key)?.[2]));
  const again = [...stale].flatMap((replaces) => {
    const objects = listed.filter(({ key }) => known.get(key)?.[2] === replaces);
    return replaces === undefined ? [] : [{ objects, replaces }];
  });
  return [...again, ...cut(fresh)];
}

function cut(objects: readonly LogObject[]): Batch[] {
  const batches: LogObject[][] = [];
  let bytes = 0;
  for (const object of objects) {
    const last = batches.at(-1);
    if (last && last.length < objectsAtMost && bytes + object.size <= bytesAtMost) last.push(object);
    else {
      batches.push([object]);
      bytes = 0;
    }
    bytes += object.size;
  }
  return batches.map((list) => ({ objects: list, replaces: undefined }));
}

/** What is old. */
export interface Ages {
  /** What ended before is never looked at again. */
  readonly horizon: Instant;
  readonly now: Instant;
}

/**
 * Moves what ended before `horizon` from `recent` to the settled keys: from then on neither listed nor remembered one
 * by one, so a run costs the same after four hundred days. Both the date in the key and the end that the name says must be
 * old: what is settled hides every earlier key, so no name may settle days to come. Only for a run that has read all it
 * listed. Pure.
 */
export function settle(ledger: Ledger, ends: ReadonlyMap<string, Instant | undefined>, { horizon, now }: Ages): Ledger {
  const young = new Map<string, string>();
  const isOld = (key: string) => isDatedUpTo(key, horizon) && (saidEnd({ ends: ends.get(key) }, now) ?? 0) < horizon;
  for (const [key] of ledger.recent) {
    const stream = streamOf(key);
    if (stream !== undefined && !isOld(key) && !isUpTo(young.get(stream), key)) young.set(stream, key);
  }
  const settled = new Map(Object.entries(ledger.settled));
  const recent: ReadObject[] = [];
  for (const entry of ledger.recent) {
    const stream = streamOf(entry[0]);
    if (stream === undefined || isUpTo(young.get(stream), entry[0])) recent.push(entry);
    else if (!isUpTo(entry[0], settled.get(stream))) settled.set(stream, entry[0]);
  }
  return { ...ledger, recent, settled: Object.fromEntries(settled) };
}
