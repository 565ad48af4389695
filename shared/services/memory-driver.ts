import { asLockkeeperError, LockkeeperError } from '../base/error.ts';
import type { EndpointResult, Login, LoginAnswer, Service, ServiceDescription, Session, Slot } from './contract.ts';
import { makeChange, type MemoryChange } from './memory-changes.ts';
import type { MemoryFleet } from './memory-fleet.ts';
import type { MemoryLock } from './memory-lock.ts';
import type { MemoryHostOptions } from './memory-options.ts';
import { withOnly, withValue, type Digest } from './memory-state.ts';
import { memoryTextRule } from './memory-value.ts';

/** The service that a driver speaks to. */
export interface MemoryBackend {
  readonly options: MemoryHostOptions;
  readonly fleet: MemoryFleet;
  readonly lock: MemoryLock;
  /** Why the service does not take this value; undefined where it does. */
  readonly policy: ((value: string) => string | undefined) | undefined;
}

/** The contract on a service in memory; memory.ts says which errors. */
export function memoryDriver(backend: MemoryBackend): Readonly<Service> {
  const { fleet, options } = backend;
  const digestOf = (login: Login | undefined, slot: Slot) =>
    login?.slot === slot ? fleet.digest(login.value.open()) : undefined;
  const common = (slot: Slot): Pick<MemoryChange, 'fleet' | 'lock' | 'fence' | 'slot'> => {
    checkSlot(options, slot);
    return { fleet, lock: backend.lock, fence: options.fence ?? 'lock', slot };
  };
  return {
    describe: async () => described(backend),
    async change(login, keep, guard) {
      const change = common(login.slot);
      fleet.checkAnyUp();
      const fresh = acceptable(backend, login);
      const limits = { keep: digestOf(keep, login.slot), capacity: fleet.setup.capacity };
      const edit = (values: readonly Digest[]) => withValue(values, fresh, limits);
      return makeChange({ ...change, edit, fresh, also: () => undefined }, guard);
    },
    accepts: async (login) => fleet.setup.endpoints.map((endpoint) => answerOf(backend, endpoint, login)),
    sessions: async (slot, before) => sessionsSeen(backend, slot, before === undefined ? Infinity : Number(before)),
    async retire(...[slot, keep, guard, ends]) {
      const kept = digestOf(keep, slot);
      const edit = (values: readonly Digest[]) => withOnly(values, kept, fleet.setup.capacity);
      const also = () => fleet.forget(slot, kept);
      const results = await makeChange({ ...common(slot), edit, fresh: undefined, also }, guard);
      return ends?.endSessions ? sessionsEnded(fleet, slot, results) : results;
    },
  };
}

function described({ fleet, options }: MemoryBackend): ServiceDescription {
  fleet.checkAnyUp();
  const { capacity, endpoints } = fleet.setup;
  const seen = waysToSee(options);
  return {
    strategy: options.strategy,
    slots: options.slots,
    endpoints,
    fence: options.fence ?? 'lock',
    capacity,
    holds: (options.counts ?? capacity > 1) ? counted(fleet, options.slots) : {},
    value: options.value ?? { kind: 'text', rule: memoryTextRule },
    sessionsSeen: seen,
    mark: seen === 'marked' ? String(fleet.state.opened) : undefined,
    clock: (options.clock ?? true) ? options.world.now() : undefined,
    preHashed: true,
    encrypted: options.encrypted ?? false,
    problems: fleet.state.problems,
    fixes: fleet.state.fixes,
    risks: fleet.state.risks,
    slotsEqual: options.strategy === 'alternating',
  };
}

/** The most on any endpoint. What one of them holds is not known while it is silent, and so no slot is counted. */
function counted(fleet: MemoryFleet, slots: readonly Slot[]): ServiceDescription['holds'] {
  const { endpoints } = fleet.setup;
  if (!endpoints.every((name) => fleet.endpoint(name).isUp)) return {};
  return Object.fromEntries(
    slots.map((slot) => [slot, Math.max(...endpoints.map((name) => fleet.shown(name, slot).length))]),
  );
}

function waysToSee({ strategy, sessionsSeen: seen }: MemoryHostOptions): ServiceDescription['sessionsSeen'] {
  return seen ?? (strategy === 'alternating' ? 'exact' : 'marked');
}

function answerOf({ fleet, options }: MemoryBackend, endpoint: string, { slot, value }: Login): LoginAnswer {
  const encrypted = options.encrypted ?? false;
  try {
    fleet.checkUp(endpoint);
  } catch (thrown) {
    return { endpoint, answer: 'no-answer', encrypted: false, error: asLockkeeperError(thrown) };
  }
  const unfit = fleet.state.unfit[endpoint];
  if (fleet.shows(endpoint, slot, value.open()))
    return { endpoint, answer: 'accepted', encrypted, ...(unfit !== undefined && { unfit }) };
  fleet.countFailure(endpoint, slot);
  return { endpoint, answer: 'refused', encrypted };
}

function sessionsSeen({ fleet, options }: MemoryBackend, slot: Slot, last: number): readonly Session[] {
  for (const name of fleet.setup.endpoints) fleet.checkUp(name);
  if (waysToSee(options) === 'none')
    throw new LockkeeperError('unsupported', 'the service in memory was told to show no sessions', {
      hint: 'Drain by time.',
    });
  const open = fleet.state.sessions.filter((one) => one.slot === slot && one.id <= last);
  return open.map(({ peer, since }) => ({ slot, peer, since }));
}

/** Ends sessions on every endpoint where the change did not fail; an endpoint that is silent is named. */
function sessionsEnded(fleet: MemoryFleet, slot: Slot, results: readonly EndpointResult[]): readonly EndpointResult[] {
  return fleet.setup.endpoints.map((endpoint) => {
    const result = results.find((one) => one.endpoint === endpoint);
    if (result?.error) return result;
    try {
      fleet.checkUp(endpoint);
    } catch (thrown) {
      return { endpoint, error: asLockkeeperError(thrown) };
    }
    fleet.endSessions((one) => one.slot === slot && one.endpoint === endpoint);
    return { endpoint, error: undefined };
  });
}

function checkSlot({ slots }: MemoryHostOptions, slot: Slot): void {
  if (slots.includes(slot)) return;
  throw new LockkeeperError('not-found', `the service in memory has no user ${slot}`, {
    hint: 'Name one of its users.',
  });
}

/** What the service keeps of a value that it takes; `rejected` where it does not. */
function acceptable({ fleet, policy }: MemoryBackend, login: Login): Digest {
  const digest = fleet.digest(login.value.open());
  const refusal = digest === undefined ? 'it is of another kind' : policy?.(login.value.open());
  if (digest !== undefined && refusal === undefined) return digest;
  throw new LockkeeperError('rejected', `the service in memory refuses the value: ${refusal}`, {
    hint: 'Make another value.',
  });
}
