import { asLockkeeperError } from '../base/error.ts';
import { decodeEntry, firstPrevious, type Entry } from './codec.ts';
import type { Head } from './head.ts';
import { entryKey, headKey } from './layout.ts';

/** One thing that is not as lockkeeper wrote it. */
export interface Finding {
  /** The object it is about. */
  readonly key: string;
  /** The place in the log, where it has one. */
  readonly index?: number;
  /**
   * changed: bytes differ · missing: no entry where one must be · moved: another index's entry · chain: does not follow
   * the entry before · cut-off: the head knows of more · forked: the head knows another one · omitted: a run's counter
   * jumps · foreign: no object of the log · head: the head itself
   */
  readonly kind: 'changed' | 'missing' | 'moved' | 'chain' | 'cut-off' | 'forked' | 'omitted' | 'foreign' | 'head';
  /** One phrase that continues "KEY …". */
  readonly what: string;
}

/** The pure part of `verify`: takes the entries in the order of their keys and collects what is wrong. */
export class ChainCheck {
  readonly #head: Head | undefined;
  readonly #findings: Finding[] = [];
  /** Next n of each run, of those whose entries were seen. */
  readonly #counters = new Map<string, number>();
  #whole = true;
  #count = 0;
  #next = 0;
  /** What the next entry must name; undefined after an entry that cannot be trusted. */
  #previous: string | undefined = firstPrevious;

  constructor(head: Head | undefined) {
    this.#head = head;
  }

  /** How many entries came. */
  get entries(): number {
    return this.#count;
  }

  note(finding: Finding): void {
    this.#findings.push(finding);
  }

  /** The next entry, as it is stored. */
  entry(key: string, index: number, bytes: Uint8Array): void {
    this.#count += 1;
    if (index > this.#next) this.#gap(this.#next, index - 1);
    this.#next = index + 1;
    const found = decoded(bytes);
    const wrong = typeof found === 'string' ? ({ kind: 'changed', what: `was changed: ${found}` } as const) : this.#misplaced(index, found);
    if (wrong) this.note({ key, index, ...wrong });
    if (typeof found === 'string' || wrong?.kind === 'moved') this.#lose();
    else this.#follow(key, found);
  }

  /** Everything found, after the last entry. */
  end(): readonly Finding[] {
    const head = this.#head;
    if (head && head.size > this.#next) {
      const what = `is cut off: the head knows of ${head.size} entries, the log has ${this.#next}`;
      this.note({ key: entryKey(this.#next), index: this.#next, kind: 'cut-off', what });
    }
    return this.#findings;
  }

  #misplaced(index: number, entry: Entry): Pick<Finding, 'kind' | 'what'> | undefined {
    if (entry.index !== index) return { kind: 'moved', what: `holds entry ${entry.index}` };
    if (this.#previous === undefined || entry.previous === this.#previous) return undefined;
    return { kind: 'chain', what: 'does not follow the entry before it: one of the two was rewritten' };
  }

  #follow(key: string, { index, hash, run, n }: Entry): void {
    this.#previous = hash;
    const head = this.#head;
    if (head?.size === index + 1 && head.hash !== hash) {
      this.note({ key, index, kind: 'forked', what: `is not the entry that the head (${headKey}) knows` });
    }
    const expected = this.#counters.get(run) ?? (this.#whole ? 0 : n);
    if (n > expected) this.note({ key, index, kind: 'omitted', what: `is number ${n} of run ${run}; ${expected} should come first` });
    this.#counters.set(run, n + 1);
  }

  #gap(from: number, to: number): void {
    const what = from === to ? 'is missing' : `is missing, and all up to entry ${to}`;
    this.note({ key: entryKey(from), index: from, kind: 'missing', what });
    this.#lose();
  }

  /** After an entry that is not to be trusted nothing is said about the next one's place: one change, one finding. */
  #lose(): void {
    this.#previous = undefined;
    this.#whole = false;
    this.#counters.clear();
  }
}

function decoded(bytes: Uint8Array): Entry | string {
  try {
    return decodeEntry(bytes);
  } catch (thrown) {
    return asLockkeeperError(thrown).message;
  }
}
