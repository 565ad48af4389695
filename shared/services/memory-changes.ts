import { asLockkeeperError, LockkeeperError } from '../base/error.ts';
import type { EndpointResult, Fence, Guard, Slot } from './contract.ts';
import type { MemoryFleet } from './memory-fleet.ts';
import type { MemoryLock } from './memory-lock.ts';
import { exactStep, type Digest } from './memory-state.ts';

/** A change of one slot of a service in memory. */
export interface MemoryChange {
  readonly fleet: MemoryFleet;
  readonly lock: MemoryLock;
  readonly fence: Fence;
  readonly slot: Slot;
  /** From the values that are there to those that shall be. */
  readonly edit: (values: readonly Digest[]) => readonly Digest[];
  /** The value that must be valid afterwards, if any. */
  readonly fresh: Digest | undefined;
  /** What else is done after the change of an endpoint. */
  readonly also: () => void;
}

/**
 * Makes a change at every endpoint that takes changes, under the fence, and tells what became of it. Throws the first
 * endpoint's error where nothing was changed anywhere, and the guard's as it is.
 */
export async function makeChange(change: MemoryChange, guard: Guard): Promise<readonly EndpointResult[]> {
  const endpoints = change.fleet.writable();
  change.fleet.checkAnyUp();
  if (change.fence === 'exact') return changeExactly(change, endpoints, guard);
  if (change.fence === 'none') {
    await guard();
    return onEach(endpoints, (name) => changeNow(change, name));
  }
  return change.lock.hold(async (check) => {
    await guard();
    check();
    return onEach(endpoints, (name) => changeNow(change, name));
  });
}

function changeNow({ fleet, slot, edit, also }: MemoryChange, name: string): void {
  fleet.checkUp(name);
  fleet.write(name, slot, edit(fleet.written(name, slot)));
  also();
}

/** Adds and removes what was named before the guard ran; a value that came meanwhile stays. */
async function changeExactly(
  { fleet, slot, edit, fresh, also }: MemoryChange,
  endpoints: readonly string[],
  guard: Guard,
): Promise<readonly EndpointResult[]> {
  const read = new Map(
    endpoints.filter((name) => fleet.endpoint(name).isUp).map((name) => [name, fleet.written(name, slot)]),
  );
  await guard();
  return onEach(endpoints, (name) => {
    fleet.checkUp(name);
    const was = read.get(name);
    if (!was) throw conflict(`${name} of the service in memory did not answer before`);
    const step = { read: was, wanted: edit(was), fresh };
    const values = exactStep(fleet.written(name, slot), step, fleet.setup.capacity);
    if (!values) throw conflict(`${slot} at ${name} of the service in memory got another value meanwhile`);
    fleet.write(name, slot, values);
    also();
  });
}

function onEach(endpoints: readonly string[], work: (name: string) => void): readonly EndpointResult[] {
  const results = endpoints.map((endpoint) => {
    try {
      work(endpoint);
      return { endpoint, error: undefined };
    } catch (thrown) {
      return { endpoint, error: asLockkeeperError(thrown) };
    }
  });
  const [first] = results;
  if (first?.error && results.every(({ error }) => error)) throw first.error;
  return results;
}

function conflict(what: string): LockkeeperError {
  return new LockkeeperError('conflict', what, { hint: 'Look again and repeat it.' });
}
