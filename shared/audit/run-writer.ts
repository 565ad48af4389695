import { LockkeeperError, asLockkeeperError, hasCode } from '../base/error.ts';
import { after, day, dayOf, type Instant } from '../base/time.ts';
import { encodeEntry, firstPrevious } from './entries/codec.ts';
import type { Acknowledgement, AuditEvent } from './entry.ts';
import { batchKey, dayFor } from './layout.ts';
import type { AuditLogOptions } from './log-deps.ts';
import { forgetSequenced } from './sealing/sequenced.ts';
import { expectSound } from './sealing/sound.ts';
import { encodeBundle } from './tlog/bundle.ts';

/** One event that waits for its place, and whoever waits for it. */
interface Waiting {
  readonly event: AuditEvent;
  readonly at: Instant;
  readonly id: string;
  readonly resolve: (acknowledged: Acknowledgement) => void;
  readonly reject: (error: unknown) => void;
}

/** A run as far as it was acknowledged. It lasts until its host ends it, or the day does. */
interface Run {
  readonly name: string;
  readonly day: string;
  /** The day it began by this machine's clock. */
  readonly clockDay: string;
  readonly batch: number;
  readonly n: number;
  readonly previous: string;
}

/** One object on its way into the inbox, and the run as it is once the object is there: none where that ends it. */
interface Batch {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly clockDay: string;
  readonly after: Run | undefined;
}

/** At most so many events go into one object; with room for two more, the run's first and last. */
const mostAtOnce = 200;

/** Writes the entries of one host into the inbox, one object at a time. */
export class RunWriter {
  readonly #options: AuditLogOptions;
  readonly #waiting: Waiting[] = [];
  #run: Run | undefined;
  /** What may or may not be there: it is settled before anything else is written. */
  #unsettled: Batch | undefined;
  /** Something came, or may have come, too late for its day: until whoever seals looks for it, it has no place. */
  #isLate = false;
  #working: Promise<void> | undefined;
  #ending: Promise<void> | undefined;

  constructor(options: AuditLogOptions) {
    this.#options = options;
  }

  /** Durable on return. */
  async record(event: AuditEvent): Promise<Acknowledgement> {
    const today = dayOf(this.#options.world.now());
    if (this.#ending) await this.#ending;
    else if (this.#run && this.#run.clockDay !== today) await this.end();
    return await this.#put(event);
  }

  /** The run's last entry; a record that comes later begins another run. Nothing where it wrote none. */
  async end(): Promise<void> {
    this.#ending ??= this.#end();
    try {
      await this.#ending;
    } finally {
      this.#ending = undefined;
    }
  }

  async #end(): Promise<void> {
    await this.#working;
    await this.#leaveOldRun();
    if (this.#unsettled) await this.#settle(this.#unsettled);
    const run = this.#run;
    if (!run) return;
    const { world } = this.#options;
    const last = {
      event: runEvent(run.name, 'run.end', { entries: run.n + 1 }),
      at: world.now(),
      id: hex(world.random(16)),
      resolve: nobody,
      reject: nobody,
    };
    await this.#settle({ ...this.#encode(run, [last]).batch, after: undefined });
  }

  async #put(event: AuditEvent): Promise<Acknowledgement> {
    const { world } = this.#options;
    const [at, id] = [world.now(), hex(world.random(16))];
    const acknowledged = new Promise<Acknowledgement>((resolve, reject) => {
      this.#waiting.push({ event, at, id, resolve, reject });
    });
    this.#working ??= this.#work();
    return await acknowledged;
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      const taken = this.#waiting.splice(0, mostAtOnce);
      try {
        await this.#write(taken);
      } catch (thrown) {
        for (const one of taken) one.reject(thrown);
      }
    }
    this.#working = undefined;
  }

  /**
   * Of a run that began before yesterday no more is written, as whoever seals will be done with that day: its host
   * slept. Nor of one that began on a day to come: the clock was put back, and nobody knows how long ago. It stays
   * without an end, as if it had been killed.
   */
  async #leaveOldRun(): Promise<void> {
    if (this.#unsettled && !this.#isOpen(this.#unsettled)) this.#leaveUnsettled();
    if (this.#run && !this.#isOpen(this.#run)) this.#run = undefined;
    await this.#haveLateOnesFound();
  }

  /** It may stand there. */
  #leaveUnsettled(): void {
    this.#unsettled = undefined;
    this.#isLate = true;
  }

  async #haveLateOnesFound(): Promise<void> {
    if (!this.#isLate) return;
    await forgetSequenced(this.#options.state, hex(this.#options.world.random(16)));
    this.#isLate = false;
  }

  #isOpen({ clockDay }: { readonly clockDay: string }): boolean {
    const now = this.#options.world.now();
    return clockDay === dayOf(now) || clockDay === dayOf(after(now, -day));
  }

  async #write(taken: readonly Waiting[]): Promise<void> {
    await this.#leaveOldRun();
    if (this.#unsettled) await this.#settle(this.#unsettled);
    const { batch, acknowledged } = this.#encode(this.#run ?? (await this.#begin()), taken);
    if (acknowledged.length > 0) await this.#settle(batch);
    for (const acknowledge of acknowledged) acknowledge();
  }

  async #begin(): Promise<Run> {
    const { world, run } = this.#options;
    const { doneBefore } = await expectSound(this.#options);
    const now = world.now();
    const name = `${run}.${hex(world.random(6))}`;
    return { name, day: dayFor(now, doneBefore), clockDay: dayOf(now), batch: 0, n: 0, previous: firstPrevious };
  }

  /** Gives each event its place; one that cannot be written is refused by itself. */
  #encode(
    run: Run,
    taken: readonly Waiting[],
  ): { readonly batch: Batch; readonly acknowledged: readonly (() => void)[] } {
    const entries: Uint8Array[] = [];
    const acknowledged: (() => void)[] = [];
    let { n, previous } = run;
    const put = ({ event, at, id }: Pick<Waiting, 'event' | 'at' | 'id'>): Acknowledgement => {
      const { bytes, hash } = encodeEntry({ run: run.name, n, previous, at, id, event });
      const acknowledgement = { run: run.name, n, hash, at };
      entries.push(bytes);
      previous = hash;
      n += 1;
      return acknowledgement;
    };
    const { world, version } = this.#options;
    // It came to be with the first event: no entry of the run is earlier than its start.
    if (n === 0)
      put({
        event: runEvent(run.name, 'run.start', { version }),
        at: taken[0]?.at ?? world.now(),
        id: hex(world.random(16)),
      });
    for (const one of taken) {
      try {
        const acknowledgement = put(one);
        acknowledged.push(() => one.resolve(acknowledgement));
      } catch (thrown) {
        one.reject(asLockkeeperError(thrown));
      }
    }
    const next = { ...run, n, previous, batch: run.batch + 1 };
    return {
      batch: {
        key: batchKey({ ...run, run: run.name }),
        bytes: encodeBundle(entries),
        clockDay: run.clockDay,
        after: next,
      },
      acknowledged,
    };
  }

  /**
   * Creates an object surely: repeated with the same bytes, which heals a lost answer. While nobody can tell whether it
   * is there, it stays to be settled first: another object under its key would be a fork of the run.
   */
  async #settle(batch: Batch): Promise<void> {
    const first = await this.#tryOnce(batch);
    const problem = hasCode(first, 'uncertain') ? await this.#tryOnce(batch) : first;
    if (problem !== undefined) throw problem;
    this.#run = batch.after;
    if (this.#isOpen(batch)) return;
    // It stands there, and whoever seals may be done with its day.
    this.#isLate = true;
    await this.#haveLateOnesFound();
    if (batch.after) throw tooLate(batch.key);
  }

  /** What came in between, or undefined once the object is there. */
  async #tryOnce(batch: Batch): Promise<Error | undefined> {
    const wasTried = this.#unsettled === batch;
    this.#unsettled = batch;
    try {
      const { outcome } = await this.#options.log.create(batch.key, batch.bytes);
      this.#unsettled = undefined;
      return outcome === 'exists' ? occupied(batch.key) : undefined;
    } catch (thrown) {
      if (!wasTried && !hasCode(thrown, 'uncertain')) this.#unsettled = undefined;
      return thrown instanceof Error ? thrown : asLockkeeperError(thrown);
    }
  }
}

/** Nobody waits for what a run says of itself. */
const nobody = () => undefined;

function runEvent(name: string, action: string, details: AuditEvent['details']): AuditEvent {
  return { action, stage: 'fact', subject: { kind: 'run', id: name }, actor: 'lockkeeper', correlation: name, details };
}

function occupied(key: string): LockkeeperError {
  return new LockkeeperError(
    'conflict',
    `nothing was logged: ${key}, which only this run writes, holds something else`,
    {
      hint: 'Run `lockkeeper audit verify` and find out who else writes to the log store.',
    },
  );
}

function tooLate(key: string): LockkeeperError {
  return new LockkeeperError(
    'uncertain',
    `${key} may have been logged too late to get its place: this machine slept meanwhile, or its clock was put back`,
    {
      hint: 'Try again.',
    },
  );
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
