/** How many rotations may begin in a run. A run that may begin one holds a place, and gives it back where it did not. */
export class BeginLimit {
  readonly #limit: number;
  #taken = 0;
  #begun = 0;
  #change = Promise.withResolvers<void>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes a place, once one is free; false where all of them have begun a rotation. */
  async take(): Promise<boolean> {
    while (this.#begun + this.#taken >= this.#limit) {
      if (this.#begun >= this.#limit) return false;
      await this.#change.promise;
    }
    this.#taken += 1;
    return true;
  }

  /** Gives it back; used up where a rotation has begun. */
  give({ hasBegun }: { readonly hasBegun: boolean }): void {
    this.#taken -= 1;
    if (hasBegun) this.#begun += 1;
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }
}
