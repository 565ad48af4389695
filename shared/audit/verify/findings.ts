import type { Finding } from './finding.ts';

const keptAtMost = 1_000;

/** Collects what is found; of very many only the first, so that memory stays what it is. */
export class Findings {
  readonly #first: Finding[] = [];
  #found = 0;

  /** The first thousand. */
  get first(): readonly Finding[] {
    return this.#first;
  }

  /** How many there are. */
  get found(): number {
    return this.#found;
  }

  readonly note = (finding: Finding): void => {
    this.#found += 1;
    if (this.#first.length < keptAtMost) this.#first.push(finding);
  };
}
