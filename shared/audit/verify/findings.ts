import type { Finding } from './finding.ts';

const keptAtMost = 1_000;
/** Of each kind, in each folder of the log, so many are kept whatever else was found before. */
const keptOfEach = 100;
/** What could not be read is not called missing as well, for so many keys. */
const unreadableAtMost = 10_000;

const folders = new Set(['inbox', 'seq', 'tile', 'cp', 'cosig', 'evidence', 'audit', 'ocsf']);

/**
 * Collects what is found; of very many only the first, so that memory stays what it is. Some of each kind are always
 * among them: a million foreign files hide no entry that was changed.
 */
export class Findings {
  readonly #first: Finding[] = [];
  readonly #ofEach = new Map<string, number>();
  readonly #unreadable = new Set<string>();
  #found = 0;

  /** The first thousand, and the first hundred of each kind. */
  get first(): readonly Finding[] {
    return this.#first;
  }

  /** How many there are. */
  get found(): number {
    return this.#found;
  }

  /** Whether something was found about this object, as far as it is kept. */
  readonly isNoted = (key: string): boolean => this.#first.some((finding) => finding.key === key);

  readonly note = (finding: Finding): void => {
    const { key, kind } = finding;
    if (this.#unreadable.has(key) && (kind === 'missing' || kind === 'unreadable')) return;
    if (kind === 'unreadable' && this.#unreadable.size < unreadableAtMost) this.#unreadable.add(key);
    this.#found += 1;
    const folder = key.split('/', 1)[0] ?? '';
    const group = `${kind} ${folders.has(folder) ? folder : ''}`;
    const ofGroup = (this.#ofEach.get(group) ?? 0) + 1;
    this.#ofEach.set(group, ofGroup);
    if (this.#first.length < keptAtMost || ofGroup <= keptOfEach) this.#first.push(finding);
  };
}
