import { setTimeout as sleep } from 'node:timers/promises';
import { hour, instant, type Instant } from '../../../shared/base/time.ts';
import { fastWorld, type FastWorld, type World } from '../../../shared/base/world.ts';

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

/** A world that begins at `start` and may run fast, but never past the present of `real`. */
export function worldUpTo(real: World, start: Instant): FastWorld {
  const fast = fastWorld(start, 1);
  return { ...fast, now: () => instant(Math.min(fast.now(), real.now())) };
}

/** Nobody may be more than this much late for an hour; the clock waits for them. */
const patienceMs = 2 * hour;

/**
 * Lets the world's time run until it has caught up with the present, and then at its natural speed. Every hour happens,
 * in order: where a machine is too slow for the speed, the clock stands still until its people have come. Stops early,
 * at natural speed, when aborted.
 */
export async function makeHistory({ world, speed, present, live, signal }: HistoryOptions): Promise<void> {
  let next = instant(world.now() + hour - (world.now() % hour));
  while (next <= present() && !signal.aborted) {
    const isLate = world.now() - next > patienceMs;
    world.setSpeed(isLate ? 0 : speed);
    while (world.now() < next) await sleep(Math.ceil((next - world.now()) / speed));
    await live(next);
    next = instant(next + hour);
  }
  world.setSpeed(speed);
  while (present() - world.now() > 0 && !signal.aborted) await sleep(1);
  world.setSpeed(1);
}
