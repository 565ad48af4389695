export interface WorkQueueOptions {
  /** A piece of work that takes longer is let go: it goes on by itself, and the next one begins. */
  readonly limitMs: number;
  /** Called with the name of a piece of work that was let go. */
  readonly onLate: (name: string) => void;
}

/**
 * Runs pieces of work one after the other, so that never two stories work on the same dependencies at once. One that hangs
 * does not hold up the others for ever.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  #tail: Promise<unknown> = Promise.resolve();
  readonly #waiting = new Set<string>();
  /** Let go, and not over yet. */
  readonly #late = new Set<string>();

  constructor(options: WorkQueueOptions) {
    this.#options = options;
  }

  /**
   * Adds a piece of work, which must not throw; one of the same name that still waits for its turn, or was let go and is
   * not over, is not added again.
   */
  add(name: string, work: () => Promise<void>): void {
    if (this.#waiting.has(name) || this.#late.has(name)) return;
    this.#waiting.add(name);
    this.#tail = this.#run(this.#tail, name, work);
  }

  /** Returns once everything that was added is over or let go. */
  async settled(): Promise<void> {
    await this.#tail;
  }

  async #run(earlier: Promise<unknown>, name: string, work: () => Promise<void>): Promise<void> {
    await earlier;
    this.#waiting.delete(name);
    const { promise: limit, resolve } = Promise.withResolvers<'late'>();
    const timer = setTimeout(() => resolve('late'), this.#options.limitMs);
    const over = work().finally(() => this.#late.delete(name));
    const ended = await Promise.race([over, limit]);
    clearTimeout(timer);
    if (ended !== 'late') return;
    this.#late.add(name);
    this.#options.onLate(name);
  }
}
