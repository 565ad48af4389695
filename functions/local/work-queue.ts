/** Runs pieces of work one after the other, so that never two stories work on the same dependencies at once. */
export class WorkQueue {
  #tail: Promise<unknown> = Promise.resolve();
  readonly #waiting = new Set<string>();

  /** Adds a piece of work; one of the same name that still waits for its turn is not added again. */
  add(name: string, work: () => Promise<void>): void {
    if (this.#waiting.has(name)) return;
    this.#waiting.add(name);
    this.#tail = this.#run(this.#tail, name, work);
  }

  /** Returns once everything that was added is over. */
  async settled(): Promise<void> {
    await this.#tail;
  }

  async #run(earlier: Promise<unknown>, name: string, work: () => Promise<void>): Promise<void> {
    await earlier;
    this.#waiting.delete(name);
    await work();
  }
}
