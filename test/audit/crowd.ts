import type { RunLog } from '../../shared/audit/log.ts';
import { parseCheckpoint } from '../../shared/audit/tlog/checkpoint.ts';
import { parseNote } from '../../shared/audit/tlog/note.ts';
import { verifyLog } from '../../shared/audit/verify/verify.ts';
import { isTransient, LockkeeperError } from '../../shared/base/error.ts';
import type { ObjectStore } from '../../shared/objects/contract.ts';
import { Killed } from '../broken-writes.ts';
import { CrowdLine, type CrowdFault } from './crowd-line.ts';
import { allEntries, event, place, runOn } from './place.ts';
import { seeded } from './seeded.ts';

export interface CrowdOptions {
  readonly seed: number;
  readonly writers: number;
  /** How many events each writer records, one after the other. */
  readonly events: number;
  readonly hasFaults: boolean;
}

/** What came of a crowd of writers, and of one more run after them. */
export interface CrowdReport {
  readonly acknowledged: number;
  /** Creates in the inbox that were asked for. */
  readonly puts: number;
  readonly faults: ReadonlyMap<CrowdFault, number>;
  /** Acknowledged entries that are not in the log just once. */
  readonly lost: readonly string[];
  /** Trees of one size that have another root, and everything that verify finds. */
  readonly forks: readonly string[];
  /** What is not sealed, and errors that no fault explains. */
  readonly unfinished: readonly string[];
}

/**
 * As many writers as wanted, each with a log of its own, record and seal on the same stores at once; then one run
 * finishes what they left.
 */
export async function crowd(options: CrowdOptions): Promise<CrowdReport> {
  const seen = new Crowd(options);
  await Promise.all(Array.from({ length: options.writers }, async (_, writer) => await seen.write(writer)));
  return await seen.report();
}

class Crowd {
  readonly #options: CrowdOptions;
  readonly #at = place();
  readonly #random: () => number;
  readonly #acknowledged: string[] = [];
  readonly #faults = new Map<CrowdFault, number>();
  readonly #roots = new Map<number, Set<string>>();
  readonly #unexplained: string[] = [];
  #puts = 0;
  #lives = 0;

  constructor(options: CrowdOptions) {
    this.#options = options;
    this.#random = seeded(options.seed);
  }

  /** One writer: after an error it goes on, after its death another process does. */
  async write(writer: number): Promise<void> {
    const { events } = this.#options;
    let log = this.#open(writer);
    for (let done = 0, isEnded = false; !isEnded;) {
      try {
        if (done === events) {
          await log.end();
          isEnded = true;
          continue;
        }
        this.#acknowledged.push((await log.record(event(done, { actor: `writer-${writer}` }))).hash);
        done += 1;
        if (done % 8 === writer % 8 && writer % 3 === 0) await log.seal();
      } catch (thrown) {
        if (thrown instanceof Killed) log = this.#open(writer);
        else if (!(thrown instanceof LockkeeperError) || !isTransient(thrown.code)) {
          this.#unexplained.push(`writer ${writer}: ${String(thrown)}`);
          return;
        }
      }
    }
  }

  async report(): Promise<CrowdReport> {
    const last = runOn(this.#at, 'last');
    await last.record(event(0));
    await last.end();
    const { findings, size, entries, waiting } = await verifyLog(this.#at);
    const times = new Map<string, number>();
    for (const { hash } of await allEntries(this.#at)) times.set(hash, (times.get(hash) ?? 0) + 1);
    const twice = [...this.#roots].filter(([, roots]) => roots.size > 1).map(([of]) => `two trees of ${of} entries`);
    const open =
      size === entries && waiting.batches === 0
        ? []
        : [`${waiting.batches} batches wait, ${size} of ${entries} are signed`];
    return {
      acknowledged: this.#acknowledged.length,
      puts: this.#puts,
      faults: this.#faults,
      lost: this.#acknowledged.filter((hash) => times.get(hash) !== 1),
      forks: [...twice, ...findings.map(({ key, what }) => `${key} ${what}`)],
      unfinished: [...this.#unexplained, ...open],
    };
  }

  /** The log of a new process. */
  #open(writer: number): RunLog {
    const note = (fault: CrowdFault) => void this.#faults.set(fault, (this.#faults.get(fault) ?? 0) + 1);
    const line = new CrowdLine({ random: this.#random, hasFaults: this.#options.hasFaults, note });
    this.#lives += 1;
    const run = `writer-${writer}-${this.#lives}`;
    return runOn({ ...this.#at, log: this.#watched(line.wrap(this.#at.log)), state: line.wrap(this.#at.state) }, run);
  }

  /** Looks at what is asked of the log store, whether it gets there or not. */
  #watched(log: ObjectStore): ObjectStore {
    return {
      ...log,
      create: async (key, bytes) => {
        if (key.startsWith('inbox/')) this.#puts += 1;
        if (key.startsWith('cp/')) this.#sign(Buffer.from(bytes).toString());
        return await log.create(key, bytes);
      },
    };
  }

  #sign(note: string): void {
    const { size, root } = parseCheckpoint(parseNote(note).text);
    const roots = this.#roots.get(size) ?? new Set();
    this.#roots.set(size, roots.add(Buffer.from(root).toString('hex')));
  }
}
