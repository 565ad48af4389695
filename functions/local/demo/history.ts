import { setTimeout as sleep } from 'node:timers/promises';
import { hour, instant, type Instant } from '../../../shared/base/time.ts';
import type { FastWorld } from '../../../shared/base/world.ts';

export interface HistoryOptions {
  readonly world: FastWorld;
  /** World milliseconds a real one. */
  readonly speed: number;
  /** The present, which moves on while history is made. */
  readonly present: () => Instant;
  /** What happens in the world hour that begins at `at`; awaited. */
  readonly live: (at: Instant) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Nobody may be more than this much late for an hour; the clock waits for them. */
const patienceMs = 2 * hour;

/**
 * Lets the world's time run until it has caught up with the present, and then at its natural speed. Every hour happens, in
 * order: where a machine is too slow for the speed, the clock stands still until its people have come. Stops early, at
 * natural speed, when aborted.
 */
export async function makeHistory({ world, speed, present, live, signal }: HistoryOptions): Promise<void> {
  let next = instant(world.now() + hour - (world.now() % hour));
  world.setSpeed(speed);
  while (next < present() && !signal.aborted) {
    while (world.now() < next) await sleep(Math.ceil((next - world.now()) / speed));
    if (world.now() - next > patienceMs) world.setSpeed(0);
    else world.setSpeed(speed);
    await live(next);
    next = instant(next + hour);
  }
  await catchUp(world, present, signal);
  world.setSpeed(1);
}

/** The last hour more slowly, so that the world never runs past the present. */
async function catchUp(world: FastWorld, present: () => Instant, signal: AbortSignal): Promise<void> {
  const slower = 3_600;
  world.setSpeed(slower);
  while (!signal.aborted) {
    const left = present() - world.now();
    if (left < 20_000) return;
    await sleep(left / slower / 2);
  }
}
