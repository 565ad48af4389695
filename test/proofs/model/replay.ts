import { setImmediate } from 'node:timers/promises';
import type { Instant } from '../../../shared/base/time.ts';

/** One call that a program made to the world. */
export interface Call {
  /** The how-many-eth call since the program began: with equal answers it is always the same one. */
  readonly index: number;
  /** Whom it asks: `service`, `state`, `audit`, a store by its name. */
  readonly port: string;
  readonly method: string;
  readonly args: readonly unknown[];
  /** `inside`: the driver has called the guard, which let it pass; what the call itself does is still to come. */
  readonly stage: 'made' | 'inside';
  /** The call whose guard made this one. */
  readonly within: number | undefined;
}

/** What the world said to one call, and when. `entered`: the driver calls the guard now. */
export type Answer = { readonly index: number; readonly at: Instant } & (
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'thrown'; readonly thrown: unknown }
  | { readonly kind: 'entered' }
);

/** Where a program stands: it waits for `pending`, or it ended. */
export type Standing<R> =
  | { readonly ended: false; readonly pending: readonly Call[]; readonly calls: number }
  | { readonly ended: true; readonly result: R }
  | { readonly ended: true; readonly thrown: unknown };

/** What a replayed program has in place of a world. */
export interface Ports {
  /** Makes one call; it is answered from the record, or never. `guard` is what a driver calls on its way. */
  ask(port: string, method: string, args: readonly unknown[], guard?: () => Promise<void>): Promise<unknown>;
  /** The time at which the latest answer was given. */
  now(): Instant;
  /** Calls made so far. */
  made(): number;
}

/** How calls are treated that are answered at once and never wait, as entries into a log that stands. */
export type Inline = (call: Call) => { readonly value: unknown } | undefined;

/**
 * Runs `program` with the answers that it got before, up to its first call that has none. The program is deterministic:
 * it touches nothing but the ports.
 */
export async function replay<R>(
  program: (ports: Ports) => Promise<R>,
  past: { readonly began: Instant; readonly answers: readonly Answer[]; readonly inline: Inline },
): Promise<Standing<R>> {
  const record = new Recorded(past);
  let end: Standing<R> | undefined;
  program(record).then(
    (result) => (end = { ended: true, result }),
    (thrown: unknown) => (end = { ended: true, thrown }),
  );
  // Nothing in the program waits for anything but promises: when the queue of promises is empty it stands still.
  await setImmediate();
  return end ?? { ended: false, pending: record.pending(), calls: record.made() };
}

class Recorded implements Ports {
  readonly #answers = new Map<string, Answer>();
  readonly #inline: Inline;
  readonly #pending = new Map<number, Call>();
  readonly #inside: number[] = [];
  #made = 0;
  #now: Instant;

  constructor(past: { readonly began: Instant; readonly answers: readonly Answer[]; readonly inline: Inline }) {
    for (const answer of past.answers) this.#answers.set(`${answer.index} ${answer.kind === 'entered'}`, answer);
    this.#inline = past.inline;
    this.#now = past.began;
  }

  now(): Instant {
    return this.#now;
  }

  made(): number {
    return this.#made;
  }

  pending(): readonly Call[] {
    return [...this.#pending.values()].toSorted((a, b) => a.index - b.index);
  }

  async ask(port: string, method: string, args: readonly unknown[], guard?: () => Promise<void>): Promise<unknown> {
    const call: Call = { index: this.#made, port, method, args, stage: 'made', within: this.#inside.at(-1) };
    this.#made += 1;
    const entered = this.#answers.get(`${call.index} true`);
    if (!guard || !entered) return await this.#answered(call);
    this.#now = entered.at;
    this.#inside.push(call.index);
    await guard().finally(() => this.#inside.pop());
    return await this.#answered({ ...call, stage: 'inside' });
  }

  async #answered(call: Call): Promise<unknown> {
    const answer = this.#answers.get(`${call.index} false`);
    if (!answer) {
      const inline = this.#inline(call);
      if (inline) return inline.value;
      this.#pending.set(call.index, call);
      return await new Promise<never>(() => {});
    }
    this.#now = answer.at;
    if (answer.kind === 'thrown') throw answer.thrown;
    return answer.kind === 'value' ? answer.value : undefined;
  }
}
