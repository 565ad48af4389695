import { inspect } from 'node:util';
import { LockkeeperError } from './error.ts';
import type { Sealed } from './sealed.ts';

/** What stands where one of our own values was in somebody else's text. */
export const ownValueMark = '[withheld: a value of ours]';

/**
 * The values that were shown to others in a piece of work, and what was made of them. Whatever others then say comes
 * back without them: as they are, in a usual encoding, with signs put between, or a telling part of them.
 */
export class OurValues {
  #values: readonly Sealed[];

  constructor(values: readonly Sealed[] = []) {
    this.#values = values;
  }

  /** Adds values; the first ones stay, of the others the newest. */
  add(...values: readonly Sealed[]): void {
    const fresh = values.filter((value) => !this.#values.some((known) => known.equals(value)));
    const all = [...this.#values, ...fresh];
    this.#values = all.length <= most ? all : [...all.slice(0, 1), ...all.slice(1 - most)];
  }

  /** `text` with the mark where a value was. */
  withhold(text: string): string {
    const parts = this.#values.flatMap((value) => value.partsIn(text));
    let clean = '';
    let end = 0;
    for (const [from, to] of parts.toSorted(([a], [b]) => a - b)) {
      if (from >= end) clean += `${text.slice(end, from)}${ownValueMark}`;
      end = Math.max(end, to);
    }
    return clean + text.slice(end);
  }

  /**
   * What was thrown, as it is where nothing in it, its causes included, holds a value. Else the same error with its
   * texts withheld, and without the rest of what it carried.
   */
  withholdFrom(thrown: unknown): unknown {
    const printed = inspect(thrown, { depth: 6, maxStringLength: null, breakLength: Infinity });
    if (this.withhold(printed) === printed) return thrown;
    if (!(thrown instanceof Error)) return new Error(this.withhold(String(thrown)));
    const message = this.withhold(thrown.message);
    if (!(thrown instanceof LockkeeperError)) return new Error(message);
    return new LockkeeperError(thrown.code, message, {
      ...(thrown.hint !== undefined && { hint: this.withhold(thrown.hint) }),
      ...(thrown.cause !== undefined && { cause: this.withholdFrom(thrown.cause) }),
    });
  }
}

const most = 64;
