import { LockkeeperError } from '../base/error.ts';
import type { ObjectReport } from '../flow-logs/contract.ts';
import type { ObjectStore } from '../objects/contract.ts';
import { streamOf } from './key-order.ts';

/** An object that was read and may still change: its key, the version that was read, and the batch that holds it. */
export type ReadObject = readonly [key: string, version: string, batch: string];

/**
 * The one mutable object of a log's usage. What it does not name does not exist: tables of a run that died are left
 * lying, never read, and swept.
 */
export interface Ledger {
  /** Batches whose facts count. */
  readonly batches: readonly string[];
  /** Batches being written: they may still be committed until then (milliseconds), and swept after. */
  readonly pending: readonly { readonly id: string; readonly until: number }[];
  /** Batches that no longer count and whose objects are to be deleted. */
  readonly garbage: readonly string[];
  /** By stream (the part of a key before its date): the last key that is old enough never to be looked at again. */
  readonly settled: Readonly<Record<string, string>>;
  /** What was read above those keys. */
  readonly recent: readonly ReadObject[];
  /** `until`: the latest time (milliseconds) that a row of it can be of; older ledgers do not tell. */
  readonly damaged: readonly (Pick<ObjectReport, 'key' | 'malformed' | 'unreadable'> & {
    readonly until?: number | undefined;
  })[];
  readonly sampled: boolean;
}

/** One batch in detail, for people and for a look at everything again; written once. */
export interface BatchRecord {
  readonly id: string;
  readonly objects: readonly (ObjectReport & { readonly size: number })[];
  readonly replaces: readonly string[];
}

const none: Ledger = { batches: [], pending: [], garbage: [], settled: {}, recent: [], damaged: [], sampled: false };

/** Where the usage of one log is kept. A name may hold anything; a key may not. */
export function usageKeys(log: string) {
  const place = `usage/${encodeURIComponent(log)
    .replaceAll(/[!'()*~]/g, (char) => `%${char.charCodeAt(0).toString(16)}`)
    .replaceAll('%', '=')}`;
  return {
    ledger: `${place}/ledger.json`,
    facts: (batch: string) => `${place}/facts/${batch}.parquet`,
    coverage: (batch: string) => `${place}/coverage/${batch}.parquet`,
    batch: (batch: string) => `${place}/batches/${batch}.json`,
  };
}

/** The ledger as it is now; an empty one where nothing was ever read. Errors: what the store throws, `invalid`. */
export async function readLedger(state: ObjectStore, log: string): Promise<Ledger> {
  const stored = await state.get(usageKeys(log).ledger);
  return stored ? parsed(stored.bytes, log) : none;
}

/**
 * Changes the ledger by compare-and-swap: `change` may run several times and answers undefined to leave all as it is.
 * Returns the ledger that holds afterwards, or undefined. Errors: conflict where others keep winning, the store's own.
 */
export async function changeLedger(
  state: ObjectStore,
  log: string,
  change: (held: Ledger) => Ledger | undefined,
): Promise<Ledger | undefined> {
  const key = usageKeys(log).ledger;
  for (let attempt = 0; attempt < 16; attempt += 1) {
    const stored = await state.get(key);
    const next = change(stored ? parsed(stored.bytes, log) : none);
    if (next === undefined) return undefined;
    const bytes = Buffer.from(JSON.stringify(next));
    const answer = stored ? await state.replace(key, bytes, stored.version) : await state.create(key, bytes);
    if (answer.outcome === 'done') return next;
  }
  throw new LockkeeperError('conflict', `the usage ledger of ${log} was changed by others 16 times in a row`, {
    hint: 'Let one collector at a time read this flow log.',
  });
}

/** The record of one batch; undefined where it is gone. */
export async function readBatch(state: ObjectStore, log: string, batch: string): Promise<BatchRecord | undefined> {
  const stored = await state.get(usageKeys(log).batch(batch));
  if (!stored) return undefined;
  const value: unknown = JSON.parse(Buffer.from(stored.bytes).toString('utf8'));
  if (isBatch(value)) return value;
  throw damagedObject(usageKeys(log).batch(batch));
}

function parsed(bytes: Uint8Array, log: string): Ledger {
  const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
  if (isLedger(value)) return { ...value, settled: byStream(value.settled) };
  throw damagedObject(usageKeys(log).ledger);
}

/** By streams as they are told apart today, whatever the ledger called them when it was written. */
function byStream(settled: Ledger['settled']): Ledger['settled'] {
  return Object.fromEntries(
    Object.values(settled).flatMap((key) => {
      const stream = streamOf(key);
      return stream === undefined ? [] : [[stream, key] as const];
    }),
  );
}

/** lockkeeper is its only writer, so the outline is checked, not every entry. */
function isLedger(value: unknown): value is Ledger {
  const lists = ['batches', 'pending', 'garbage', 'recent', 'damaged'];
  return (
    typeof value === 'object' &&
    value !== null &&
    'settled' in value &&
    lists.every((name) => Array.isArray(Reflect.get(value, name)))
  );
}

function isBatch(value: unknown): value is BatchRecord {
  return typeof value === 'object' && value !== null && 'objects' in value && Array.isArray(value.objects);
}

function damagedObject(key: string): LockkeeperError {
  return new LockkeeperError('invalid', `${key} is not what lockkeeper writes`, {
    hint: "Restore it from the store's versions, or delete everything beside it to read the flow log from the beginning.",
  });
}
