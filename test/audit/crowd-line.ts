import { setImmediate as turn } from 'node:timers/promises';
import { LockkeeperError } from '../../shared/base/error.ts';
import type { ObjectStore } from '../../shared/objects/contract.ts';
import { Killed } from '../broken-writes.ts';

/** What happens to calls on their way to a store. */
export const crowdFaults = [
  'lost-before',
  'lost-after',
  'throttled',
  'unreachable',
  'paused',
  'killed-before',
  'killed-after',
] as const;
export type CrowdFault = (typeof crowdFaults)[number];

/**
 * Chances: of a write that fails, by the first part of its key; of a read that fails; of a long pause; of a death in
 * place of a failure.
 */
const chances = { inbox: 0.03, others: 0.06, read: 0.001, pause: 0.1, death: 0.15 };
const failures = ['lost-before', 'lost-after', 'throttled', 'unreachable'] as const;

export interface LineOptions {
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly hasFaults: boolean;
  readonly note: (fault: CrowdFault) => void;
}

/** What one process sees of the stores: each call takes a while, some fail, and once it is dead all do. */
export class CrowdLine {
  readonly #options: LineOptions;
  #isDead = false;

  constructor(options: LineOptions) {
    this.#options = options;
  }

  wrap(store: ObjectStore): ObjectStore {
    const read = async () => await this.#read();
    return {
      get: async (key) => await this.#read().then(() => store.get(key)),
      create: async (key, bytes) => await this.#write(key, () => store.create(key, bytes)),
      replace: async (key, bytes, held) => await this.#write(key, () => store.replace(key, bytes, held)),
      delete: async (key, held) => await this.#write(key, () => store.delete(key, held)),
      async *list(prefix, after) {
        await read();
        yield* store.list(prefix, after);
      },
    };
  }

  async #read(): Promise<void> {
    await this.#pass(1 + this.#dice(3));
    if (this.#options.hasFaults && this.#options.random() < chances.read) this.#fail('unreachable', 'a read');
  }

  async #write<T>(key: string, act: () => Promise<T>): Promise<T> {
    await this.#pass(1 + this.#dice(3));
    const { hasFaults, random, note } = this.#options;
    if (!hasFaults) return await act();
    const isInbox = key.startsWith('inbox/');
    if (!isInbox && random() < chances.pause) {
      note('paused');
      await this.#pass(60);
    }
    if (random() >= (isInbox ? chances.inbox : chances.others)) return await act();
    const how = failures[this.#dice(failures.length)] ?? 'throttled';
    const isDeath = how.startsWith('lost') && random() < chances.death;
    if (how === 'lost-after') await act();
    if (!isDeath) return this.#fail(how, key);
    this.#isDead = true;
    note(how === 'lost-after' ? 'killed-after' : 'killed-before');
    throw new Killed(`killed at ${key}`);
  }

  #fail(how: (typeof failures)[number], key: string): never {
    this.#options.note(how);
    throw new LockkeeperError(
      how.startsWith('lost') ? 'uncertain' : how === 'throttled' ? 'throttled' : 'unreachable',
      `${key}: ${how}`,
    );
  }

  async #pass(turns: number): Promise<void> {
    for (let at = 0; at < turns; at += 1) await turn();
    if (this.#isDead) throw new Killed('called after the process died');
  }

  /** A whole number below `sides`. */
  #dice(sides: number): number {
    return Math.floor(this.#options.random() * sides);
  }
}
