import type { ObjectStore } from '../../shared/objects/contract.ts';

/** Counts the calls of one process over several stores, and lets something else happen before one of them. */
export class Interruption {
  /** The call before which it happened, in words; undefined where there were not so many calls. */
  call: string | undefined;
  readonly #at: (call: string, ordinal: number) => boolean;
  readonly #meanwhile: () => Promise<void>;
  #calls = 0;

  constructor(at: (call: string, ordinal: number) => boolean, meanwhile: () => Promise<void>) {
    this.#at = at;
    this.#meanwhile = meanwhile;
  }

  wrap(store: ObjectStore): ObjectStore {
    return {
      get: async (key) => await this.#pass(`get ${key}`).then(() => store.get(key)),
      create: async (key, bytes) => await this.#pass(`create ${key}`).then(() => store.create(key, bytes)),
      replace: async (key, bytes, held) =>
        await this.#pass(`replace ${key}`).then(() => store.replace(key, bytes, held)),
      delete: async (key, held) => await this.#pass(`delete ${key}`).then(() => store.delete(key, held)),
      list: (prefix, after) => this.#list(store, prefix, after),
    };
  }

  async *#list(store: ObjectStore, prefix: string, after: string | undefined) {
    await this.#pass(`list ${prefix}`);
    yield* store.list(prefix, after);
  }

  async #pass(call: string): Promise<void> {
    this.#calls += 1;
    if (this.call !== undefined || !this.#at(call, this.#calls - 1)) return;
    this.call = call;
    await this.#meanwhile();
  }
}
