import type { Instant } from '../base/time.ts';
import type { Slot } from './contract.ts';

/** What a value is kept as; see memory-value.ts. */
export type Digest = string;

/** The values of every slot, the oldest first. */
export type SlotValues = Readonly<Record<Slot, readonly Digest[]>>;

/** One endpoint as it is now. */
export interface MemoryEndpoint {
  readonly isUp: boolean;
  /** True: it shows what was valid before until it catches up. */
  readonly lags: boolean;
  readonly shown: SlotValues;
  /** What it shows once it has caught up; undefined: it is up to date. */
  readonly next: SlotValues | undefined;
}

/** A session that is open. */
export interface OpenSession {
  /** Sessions are counted; the count is the mark. */
  readonly id: number;
  readonly slot: Slot;
  readonly endpoint: string;
  readonly peer: string;
  readonly since: Instant;
}

/**
 * All that can change in a service in memory: plain data that is never altered, so that keeping it and going back to it
 * costs nothing.
 */
export interface MemoryServiceState {
  readonly endpoints: Readonly<Record<string, MemoryEndpoint>>;
  /** Replacing only: the values with which clients still get in. */
  readonly known: SlotValues;
  readonly sessions: readonly OpenSession[];
  /** Sessions opened so far. */
  readonly opened: number;
  /** By endpoint and slot. */
  readonly failedLogins: Readonly<Record<string, Readonly<Record<Slot, number>>>>;
  readonly problems: readonly string[];
  readonly fixes: readonly string[];
  readonly risks: readonly string[];
  /** Why nobody who logs in could do any work, by endpoint. */
  readonly unfit: Readonly<Record<string, string>>;
}

/** Nobody can log in yet. */
export function emptyService(endpoints: readonly string[]): MemoryServiceState {
  const fresh: MemoryEndpoint = { isUp: true, lags: false, shown: {}, next: undefined };
  return {
    endpoints: Object.fromEntries(endpoints.map((name) => [name, fresh])),
    known: {},
    sessions: [],
    opened: 0,
    failedLogins: {},
    problems: [],
    fixes: [],
    risks: [],
    unfit: {},
  };
}

/** What was last written to the endpoint, whether it shows that already or not. */
export function writtenTo(endpoint: MemoryEndpoint): SlotValues {
  return endpoint.next ?? endpoint.shown;
}

/** The endpoint after a write: at once, or once it has caught up. */
export function afterWrite(endpoint: MemoryEndpoint, values: SlotValues): MemoryEndpoint {
  return endpoint.lags ? { ...endpoint, next: values } : { ...endpoint, shown: values, next: undefined };
}

/** The values with `fresh` among them: where the slot is full the oldest go, but never `keep`. */
export function withValue(
  values: readonly Digest[],
  fresh: Digest,
  { keep, capacity }: { readonly keep: Digest | undefined; readonly capacity: number },
): readonly Digest[] {
  if (capacity === 1) return [fresh];
  if (values.includes(fresh)) return values;
  let surplus = values.length + 1 - capacity;
  const kept = values.filter((one) => {
    if (surplus <= 0 || one === keep) return true;
    surplus -= 1;
    return false;
  });
  return [...kept, fresh];
}

/** The values without all but `keep`. A slot of capacity 1 keeps what it has as long as there is a `keep`. */
export function withOnly(values: readonly Digest[], keep: Digest | undefined, capacity: number): readonly Digest[] {
  if (keep === undefined) return [];
  return capacity === 1 ? values : values.filter((one) => one === keep);
}

/**
 * What is there now after exactly the step from `read` to `wanted`, with `fresh` valid; what came since `read` stays.
 * Undefined where that is more than the slot holds.
 */
export function exactStep(
  now: readonly Digest[],
  step: { readonly read: readonly Digest[]; readonly wanted: readonly Digest[]; readonly fresh: Digest | undefined },
  capacity: number,
): readonly Digest[] | undefined {
  const left = now.filter((one) => step.wanted.includes(one) || !step.read.includes(one));
  if (step.fresh === undefined || left.includes(step.fresh)) return left;
  return left.length < capacity ? [...left, step.fresh] : undefined;
}
