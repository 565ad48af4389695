import { encodeEntry, firstPrevious } from '../../shared/audit/entries/codec.ts';
import type { AuditEvent } from '../../shared/audit/entry.ts';
import { instant, parseInstant, second } from '../../shared/base/time.ts';

/** An entry as it is stored, with its leaf hash in hex. */
export interface MadeEntry {
  readonly bytes: Uint8Array;
  readonly hash: string;
}

const begin = parseInstant('2026-10-01T00:00:00Z');
const atOnce = 8;

/**
 * `count` entries of many runs of 20 to 219 entries, eight of them at a time, whose batches of 1 to 6 entries take
 * turns; those that go on at the end have no end. `part` tells the runs of one part of a log from those of another; the
 * same numbers give the same bytes.
 */
export function* madeEntries(part: number, count: number): Generator<MadeEntry> {
  const runs = new Map<number, MadeRun>();
  let made = 0;
  for (let turn = 0; ; turn += 1) {
    const place = (turn * 5) % atOnce;
    const run = runs.get(place) ?? new MadeRun(`${part}-${turn}`, 20 + ((turn * 37) % 200));
    runs.set(place, run);
    for (let batch = 1 + (turn % 6); batch > 0 && !run.isEnded; batch -= 1, made += 1) {
      if (made === count) return;
      yield run.next(made);
    }
    if (run.isEnded) runs.delete(place);
  }
}

/** One run: it begins, does `length` - 2 things and ends. */
class MadeRun {
  readonly #name: string;
  readonly #length: number;
  #n = 0;
  #previous = firstPrevious;
  isEnded = false;

  constructor(name: string, length: number) {
    this.#name = `job-${name}.0f3c5a7b9d1e`;
    this.#length = length;
  }

  next(index: number): MadeEntry {
    this.isEnded = this.#n + 1 === this.#length;
    const event =
      this.#n === 0
        ? this.#runEvent('run.start', { version: '0.1.0' })
        : this.isEnded
          ? this.#runEvent('run.end', { entries: this.#n + 1 })
          : madeEvent(index);
    const id = index.toString(16).padStart(32, '0');
    const made = encodeEntry({
      previous: this.#previous,
      id,
      run: this.#name,
      n: this.#n,
      at: instant(begin + index * second),
      event,
    });
    this.#previous = made.hash;
    this.#n += 1;
    return made;
  }

  #runEvent(action: string, details: AuditEvent['details']): AuditEvent {
    return {
      action,
      stage: 'fact',
      subject: { kind: 'run', id: this.#name },
      actor: 'lockkeeper',
      correlation: this.#name,
      details,
    };
  }
}

/** Intents and outcomes of rotations and closings in turn, with about as many details as real ones have. */
export function madeEvent(index: number): AuditEvent {
  const isOutcome = index % 2 === 1;
  const stage = isOutcome ? ({ stage: 'outcome', result: 'done' } as const) : ({ stage: 'intent' } as const);
  const number = Math.floor(index / 4);
  if (index % 4 < 2) {
    const details = {
      epoch: index % 9,
      slot: `orders_${index % 2 === 0 ? 'a' : 'b'}`,
      fingerprint: `hmac-sha256:${number.toString(16).padStart(16, '0')}`,
      store: 'aws-eu',
    };
    return {
      action: 'rotation.change',
      subject: { kind: 'credential', id: `orders-db-${number % 997}` },
      correlation: `rotation-${number}`,
      actor: 'lockkeeper',
      details,
      ...stage,
    };
  }
  const before = {
    direction: 'in',
    protocol: 'tcp',
    from: 5_432,
    to: 5_432,
    source: `10.${number % 256}.0.0/16`,
    description: 'orders',
  };
  return {
    action: 'closure.apply',
    subject: { kind: 'opening', id: `sgr-0${number.toString(16).padStart(15, '0')}` },
    correlation: `closure-${number}`,
    actor: 'ann',
    details: { before, after: null },
    ...stage,
  };
}
