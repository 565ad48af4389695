import { firstPrevious } from '../entries/codec.ts';
import { wrongAfter, type CheckedBundle, type EntryProblem } from './bundle-check.ts';

/**
 * Follows every run through the log: its entries count up from 0, each names the one before, the last counts them all.
 */
export class RunCheck {
  /** Runs that have begun and not ended; one that ended and goes on has no beginning. */
  readonly #open = new Map<string, { readonly next: number; readonly last: string }>();
  /** Runs that began before what is read, or in what cannot be trusted: their beginning is not asked for. */
  #lenient: boolean;
  #runs = 0;

  /** `lenient`: the log is not read from its first entry on. */
  constructor(lenient: boolean) {
    this.#lenient = lenient;
  }

  /** How many runs began, and how many of them have no end: they go on, or were killed. */
  get runs(): { readonly began: number; readonly open: number } {
    return { began: this.#runs, open: this.#open.size };
  }

  /** What is wrong between this bundle and those before it. */
  add({ runs }: CheckedBundle): readonly EntryProblem[] {
    return runs.flatMap((part) => {
      const before = this.#open.get(part.run);
      if (!before) this.#runs += 1;
      const isKnown = before !== undefined || !this.#lenient || part.n === 0;
      const wrong = isKnown
        ? wrongAfter({ ...(before ?? { next: 0, last: firstPrevious }), ended: false }, part)
        : undefined;
      if (part.counts === undefined) this.#open.set(part.run, { next: part.next, last: part.last });
      else this.#open.delete(part.run);
      return wrong ? [{ index: part.index, ...wrong }] : [];
    });
  }

  /** After entries that cannot be trusted nothing is said about what should follow them: one change, one finding. */
  lose(): void {
    this.#open.clear();
    this.#lenient = true;
  }
}
