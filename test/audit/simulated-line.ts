import { setImmediate as turn } from 'node:timers/promises';
import { LockkeeperError } from '../../shared/base/error.ts';
import { day, hour, type Instant } from '../../shared/base/time.ts';
import { inboxPrefix } from '../../shared/audit/layout.ts';
import type { ObjectStore } from '../../shared/objects/contract.ts';
import { Killed } from '../broken-writes.ts';

/** Calls that are under way, of which a seed decides the next to go on. */
export class CallsUnderWay {
  readonly random: () => number;
  /** How many calls went on so far. */
  step = 0;
  readonly #held: { readonly goOn: () => void; readonly from: number }[] = [];

  constructor(random: () => number) {
    this.random = random;
  }

  /** A whole number below `sides`. */
  dice(sides: number): number {
    return Math.floor(this.random() * sides);
  }

  /** Returns when its turn comes; of a hundred calls one is paused for long. */
  async pass(): Promise<void> {
    const from = this.random() < 0.01 ? this.step + this.dice(600) : this.step;
    await new Promise<void>((resolve) => {
      this.#held.push({ goOn: () => resolve(), from });
    });
  }

  /** Lets one call go on, once everybody waits for the next one; false where there is none at all. */
  async next(): Promise<boolean> {
    for (let at = 0; at < 3; at += 1) await turn();
    this.step += 1;
    const ready = this.#held.filter(({ from }) => from <= this.step);
    const [chosen] = ready.slice(this.dice(ready.length));
    if (chosen) this.#held.splice(this.#held.indexOf(chosen), 1);
    chosen?.goOn();
    return chosen !== undefined || this.#held.length > 0;
  }
}

/** What simulated stores have in common. */
export interface Weather {
  readonly calls: CallsUnderWay;
  /** While it is calm no call fails. */
  readonly isCalm: () => boolean;
  /** The time that no clock shows quite right. */
  readonly now: () => Instant;
  readonly faults: Map<string, number>;
  /** Objects of the inbox that reached the store more than a day after they were sent, and who sent them. */
  readonly late: Map<string, Process>;
}

/** One process; once it is dead, all that it still calls fails. */
export interface Process {
  isDead: boolean;
}

const failures = ['lost-before', 'lost-after', 'throttled', 'unreachable', 'denied'] as const;
const chances = { read: 0.004, write: 0.06 };

/**
 * What one process sees of a store: each call waits for its turn, some fail, and what it called before it died may
 * still take effect.
 */
export function simulatedStore(
  store: ObjectStore,
  {
    process,
    weather,
    isAway = () => false,
  }: { readonly process: Process; readonly weather: Weather; readonly isAway?: () => boolean },
): ObjectStore {
  const through = async <T>(isWrite: boolean, act: () => Promise<T>): Promise<T> => {
    if (process.isDead) throw new Killed('called after the process died');
    await reach(weather, process, isWrite ? act : undefined);
    if (isAway()) throw new LockkeeperError('unreachable', 'the store is away');
    return await withFault(weather, isWrite, act);
  };
  return {
    get: (key) => through(false, () => store.get(key)),
    create: (key, bytes) => {
      const sent = weather.now();
      return through(true, () => {
        if (key.startsWith(inboxPrefix) && weather.now() - sent > day) weather.late.set(key, process);
        return store.create(key, bytes);
      });
    },
    replace: (key, bytes, held) => through(true, () => store.replace(key, bytes, held)),
    delete: (key, held) => through(true, () => store.delete(key, held)),
    async *list(prefix, after) {
      let listed = 0;
      for await (const object of store.list(prefix, after)) {
        if (listed % 20 === 0) await through(false, async () => undefined);
        listed += 1;
        yield object;
      }
      if (listed === 0) await through(false, async () => undefined);
    },
  };
}

/** A dead process's last write takes effect or not; no connection outlives it for hours. */
async function reach(
  { calls, now }: Weather,
  process: Process,
  write: (() => Promise<unknown>) | undefined,
): Promise<void> {
  const sent = now();
  await calls.pass();
  if (!process.isDead) return;
  if (write && now() - sent < hour && calls.random() < 0.5) await write();
  throw new Killed('the process died');
}

async function withFault<T>({ calls, isCalm, faults }: Weather, isWrite: boolean, act: () => Promise<T>): Promise<T> {
  const fails = calls.random() < (isWrite ? chances.write : chances.read);
  const how = failures[calls.dice(failures.length)] ?? 'denied';
  if (!fails || isCalm()) return await act();
  faults.set(how, (faults.get(how) ?? 0) + 1);
  if (how === 'lost-after' && isWrite) await act();
  if (!how.startsWith('lost'))
    throw new LockkeeperError(how === 'throttled' ? 'throttled' : how === 'denied' ? 'denied' : 'unreachable', how);
  throw new LockkeeperError(isWrite ? 'uncertain' : 'unreachable', how);
}
