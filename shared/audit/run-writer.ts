import { LockkeeperError, asLockkeeperError, hasCode } from '../base/error.ts';
import { after, day, dayOf, type Instant } from '../base/time.ts';
import { encodeEntry, firstPrevious } from './entries/codec.ts';
import type { Acknowledgement, AuditEvent } from './entry.ts';
import { batchKey, dayFor } from './layout.ts';
import { writerOf, type AuditLogOptions } from './log-deps.ts';
import { encodeBatch } from './sealing/batch.ts';
import { forgetSequenced } from './sealing/sequenced.ts';
import { expectSound } from './sealing/sound.ts';

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
  /** Keys of other objects that it tells of. */
  readonly tells: readonly string[];
}

/** At most so many events go into one object; with room for two more, the run's first ones. See largestBatch. */
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
  /** Keys of this host's runs that somebody else had put an object under; the next run tells it. */
  #occupied: readonly string[] = [];
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
    const { batch } = await this.#encode(run, [last]);
    await this.#settle({ ...batch, after: undefined });
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
    for (let tried = 0; ; tried += 1) {
      const { batch, acknowledged } = await this.#encode(this.#run ?? (await this.#begin()), taken);
      if (acknowledged.length > 0 && (await this.#settle(batch)) === 'occupied') {
        if (tried < mostOccupied) continue;
        throw occupied(batch.key);
      }
      for (const acknowledge of acknowledged) acknowledge();
      return;
    }
  }

  async #begin(): Promise<Run> {
    const { world, run } = this.#options;
    const { doneBefore } = await expectSound(this.#options);
    const now = world.now();
    const name = `${run}.${hex(world.random(6))}`;
    return { name, day: dayFor(now, doneBefore), clockDay: dayOf(now), batch: 0, n: 0, previous: firstPrevious };
  }

  /** Gives each event its place; one that cannot be written is refused by itself. */
  async #encode(
    run: Run,
    taken: readonly Waiting[],
  ): Promise<{ readonly batch: Batch; readonly acknowledged: readonly (() => void)[] }> {
    const writer = await writerOf(this.#options);
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
    const tells = n === 0 ? this.#occupied : [];
    const firsts = n > 0 ? [] : [runEvent(run.name, 'run.start', { version }), ...occupiedEvents(run.name, tells)];
    // They came to be with the first event: no entry of the run is earlier than its start.
    for (const one of firsts) put({ event: one, at: taken[0]?.at ?? world.now(), id: hex(world.random(16)) });
    for (const one of taken) {
      try {
        const acknowledgement = put(one);
        acknowledged.push(() => one.resolve(acknowledgement));
      } catch (thrown) {
        one.reject(asLockkeeperError(thrown));
      }
    }
    const next = { ...run, n, previous, batch: run.batch + 1 };
    const key = batchKey({ ...run, run: run.name });
    const bytes = encodeBatch(entries, key, writer);
    return { batch: { key, bytes, clockDay: run.clockDay, after: next, tells }, acknowledged };
  }

  /**
   * Creates an object surely: repeated with the same bytes, which heals a lost answer. While nobody can tell whether it
   * is there, it stays to be settled first: another object under its key would be a fork of the run. `occupied` where
   * somebody else put an object there: then nothing of it is there, and the run ends where it was, as if killed.
   */
  async #settle(batch: Batch): Promise<'there' | 'occupied'> {
    const first = await this.#tryOnce(batch);
    const answer = hasCode(first, 'uncertain') ? await this.#tryOnce(batch) : first;
    if (answer instanceof Error) throw answer;
    if (answer === 'occupied') {
      this.#run = undefined;
      this.#occupied = [...this.#occupied, batch.key].slice(-mostTold);
      return answer;
    }
    this.#run = batch.after;
    this.#occupied = this.#occupied.filter((key) => !batch.tells.includes(key));
    if (this.#isOpen(batch)) return answer;
    // It stands there, and whoever seals may be done with its day.
    this.#isLate = true;
    await this.#haveLateOnesFound();
    if (batch.after) throw tooLate(batch.key);
    return answer;
  }

  /** What came in between, or whether the object is there. */
  async #tryOnce(batch: Batch): Promise<Error | 'there' | 'occupied'> {
    const wasTried = this.#unsettled === batch;
    this.#unsettled = batch;
    try {
      const { outcome } = await this.#options.log.create(batch.key, batch.bytes);
      this.#unsettled = undefined;
      return outcome === 'exists' ? 'occupied' : 'there';
    } catch (thrown) {
      if (!wasTried && !hasCode(thrown, 'uncertain')) this.#unsettled = undefined;
      return thrown instanceof Error ? thrown : asLockkeeperError(thrown);
    }
  }
}

/** So often in a row a record begins a new run: nobody can guess the name of even one. */
const mostOccupied = 2;

/** So many keys an entry tells. */
const mostTold = 20;

/** Nobody waits for what a run says of itself. */
const nobody = () => undefined;

function runEvent(name: string, action: string, details: AuditEvent['details']): AuditEvent {
  return { action, stage: 'fact', subject: { kind: 'run', id: name }, actor: 'lockkeeper', correlation: name, details };
}

/** That somebody had put objects where earlier runs of this host wanted to write. */
function occupiedEvents(run: string, keys: readonly string[]): readonly AuditEvent[] {
  const [id] = keys;
  if (id === undefined) return [];
  return [{ ...runEvent(run, 'log.occupied', { keys: [...keys] }), subject: { kind: 'log', id } }];
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
