import type { AuditEvent } from '../../shared/audit/entry.ts';
import type { RunLog } from '../../shared/audit/log.ts';
import { hasCode, isTransient, LockkeeperError } from '../../shared/base/error.ts';
import { Killed } from '../broken-writes.ts';
import { event } from './place.ts';
import type { CallsUnderWay, Process } from './simulated-line.ts';

/** What a simulated host works with. */
export interface HostOptions {
  readonly name: string;
  readonly calls: CallsUnderWay;
  /** The log of a new process on this host. */
  readonly open: (process: Process) => RunLog;
  readonly acknowledged: string[];
  readonly problems: string[];
  /** How often the state store was lost or put back so far: who is in the middle of something then may fail. */
  readonly harms: () => number;
}

/** One host: does now this, now that, until it is told to stop; errors that a fault explains are no reason to stop. */
export class SimulatedHost {
  readonly #options: HostOptions;
  #process: Process = { isDead: false };
  #log: RunLog;
  #recorded = 0;

  constructor(options: HostOptions) {
    this.#options = options;
    this.#log = options.open(this.#process);
  }

  /** Lives until `isOver`, then ends its run. */
  async live(isOver: () => boolean): Promise<void> {
    const { calls } = this.#options;
    while (!isOver()) {
      await calls.pass();
      let chance = calls.dice(100);
      const chosen = this.#acts.find(([often]) => (chance -= often) < 0);
      await chosen?.[1]();
    }
    await this.#try('end', () => this.#log.end());
  }

  /** How often of a hundred times, and what. */
  readonly #acts: readonly (readonly [number, () => Promise<unknown>])[] = [
    [40, () => this.#burst(1 + this.#options.calls.dice(4))],
    [2, () => this.#burst(260)],
    [20, () => this.#try('seal', () => this.#log.seal())],
    [8, () => this.#try('end', () => this.#log.end())],
    [8, () => Promise.all([this.#record(), this.#end(), this.#record(), this.#end(), this.#record()])],
    [4, () => Promise.all([this.#record(), this.#try('seal', () => this.#log.seal()), this.#end(), this.#record()])],
    [6, () => this.#die()],
    [4, () => this.#try('head', () => this.#log.head())],
    [4, () => this.#try('unsigned', () => this.#log.unsigned())],
    [1, () => Promise.all([this.#record(), this.#recordTooLong(), this.#record()])],
  ];

  async #burst(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => this.#record()));
  }

  async #record(more: Partial<AuditEvent> = {}): Promise<void> {
    this.#recorded += 1;
    const recorded = event(this.#recorded, more);
    await this.#try('record', async () => this.#options.acknowledged.push((await this.#log.record(recorded)).hash));
  }

  async #recordTooLong(): Promise<void> {
    await this.#try('a record that is too long', async () => {
      try {
        await this.#log.record(event(0, { details: { long: 'x'.repeat(70_000) } }));
      } catch (thrown) {
        if (hasCode(thrown, 'invalid')) return;
        throw thrown;
      }
      this.#options.problems.push('an event that is too long was acknowledged');
    });
  }

  async #end(): Promise<void> {
    await this.#try('end', () => this.#log.end());
  }

  /** In the middle of something; another process takes its place. */
  async #die(): Promise<void> {
    const { calls, open } = this.#options;
    const under = Promise.all([
      this.#record(),
      this.#record(),
      calls.random() < 0.5 ? this.#end() : this.#try('seal', () => this.#log.seal()),
    ]);
    for (let passed = calls.dice(6); passed > 0; passed -= 1) await calls.pass();
    this.#process.isDead = true;
    await under;
    this.#process = { isDead: false };
    this.#log = open(this.#process);
  }

  async #try(what: string, act: () => Promise<unknown>): Promise<void> {
    const harms = this.#options.harms();
    try {
      await act();
    } catch (thrown) {
      if (thrown instanceof Killed) return;
      if (
        thrown instanceof LockkeeperError &&
        (isTransient(thrown.code) || thrown.code === 'denied' || harms < this.#options.harms())
      )
        return;
      const { name, calls, problems } = this.#options;
      problems.push(
        `step ${calls.step}: ${name} could not ${what}: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`,
      );
    }
  }
}
