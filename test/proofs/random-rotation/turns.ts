import { setImmediate } from 'node:timers/promises';
import type { Choice } from '../hostile/seeded.ts';
import type { Process } from './process.ts';

interface Waiting {
  readonly process: Process;
  readonly go: () => void;
}

/** A process with how it ends. */
export interface Running {
  readonly process: Process;
  readonly end: Promise<void>;
}

/** Who may go on when several processes run at once: one call at a time, in an order that a seed gives. */
export class Turns {
  readonly #loseLock: () => void;
  #waiting: readonly Waiting[] = [];

  /** `loseLock`: called where everybody waits for a lock that nobody gives back. */
  constructor(loseLock: () => void) {
    this.#loseLock = loseLock;
  }

  /** Makes a process wait for its turn before and after every call. */
  join(process: Process): void {
    process.gate = () =>
      new Promise((go) => {
        this.#waiting = [...this.#waiting, { process, go }];
      });
  }

  /** Lets the processes go on, until all have ended or `most` turns were taken. */
  async drive(processes: readonly Process[], choice: Choice, most = Infinity): Promise<void> {
    let idle = 0;
    for (let turn = 0; turn < most;) {
      // Everything that can go on without a turn does so before this resolves.
      await setImmediate();
      if (processes.every(({ isEnded }) => isEnded)) return;
      const ready = this.#waiting.filter(({ process }) => processes.includes(process));
      if (ready.length === 0) {
        idle += 1;
        if (idle > 50) throw new Error('a run waits for something that never comes');
        this.#loseLock();
        continue;
      }
      idle = 0;
      turn += 1;
      const next = choice.of(ready);
      this.#waiting = this.#waiting.filter((one) => one !== next);
      next.go();
    }
  }

  /** The process is dead: everything of it that waits ends. */
  async kill(process: Process): Promise<void> {
    process.isDead = true;
    for (const one of this.#waiting.filter((waiting) => waiting.process === process)) one.go();
    this.#waiting = this.#waiting.filter((waiting) => waiting.process !== process);
    while (!process.isEnded) await setImmediate();
  }
}
