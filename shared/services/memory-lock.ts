import { LockkeeperError } from '../base/error.ts';

interface Holder {
  isLost: boolean;
  readonly release: () => void;
}

/** A lock that is gone with the process that holds it. */
export class MemoryLock {
  readonly #waits: boolean;
  #last: Promise<void> = Promise.resolve();
  readonly #all = new Set<Holder>();

  /** `waits`: whoever finds it held waits; else `conflict` at once. */
  constructor(waits: boolean) {
    this.#waits = waits;
  }

  /** Runs `work` while nobody else holds the lock; `check` throws `conflict` where it was lost meanwhile. */
  async hold<T>(work: (check: () => void) => Promise<T>): Promise<T> {
    if (!this.#waits && this.#all.size > 0) throw conflict('is held by another process');
    const before = this.#last;
    const mine = Promise.withResolvers<void>();
    const holder: Holder = { isLost: false, release: mine.resolve };
    this.#last = mine.promise;
    this.#all.add(holder);
    const check = () => {
      if (holder.isLost) throw conflict('was lost: its connection is gone');
    };
    try {
      await before;
      check();
      return await work(check);
    } finally {
      this.#all.delete(holder);
      mine.resolve();
    }
  }

  /** The connection of whoever holds it, or waits for it first, is gone: the next one gets it. */
  loseHolder(): void {
    const [holder] = this.#all;
    if (holder) this.#lose(holder);
  }

  /** Every connection is gone: the lock is free. */
  loseAll(): void {
    for (const holder of this.#all) this.#lose(holder);
    this.#last = Promise.resolve();
  }

  #lose(holder: Holder): void {
    holder.isLost = true;
    this.#all.delete(holder);
    holder.release();
  }
}

function conflict(what: string): LockkeeperError {
  return new LockkeeperError('conflict', `the lock of the service in memory ${what}`, { hint: 'Try again later.' });
}
