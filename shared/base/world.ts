import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { instant, type Instant } from './time.ts';

/**
 * Everything that differs from run to run. Nothing else in the code reads a clock, randomness or host context.
 * A story stops before `deadline()` and says where; the next run goes on.
 */
export interface World {
  now(): Instant;
  /** `bytes` unpredictable bytes. */
  random(bytes: number): Uint8Array;
  /** When the host will end this run; far away where it never does. */
  deadline(): Instant;
}

/** The machine's own clock and randomness. `lifetimeMs` is what the host grants this run. */
export function systemWorld(lifetimeMs = Number.MAX_SAFE_INTEGER / 4): World {
  const ends = instant(Date.now() + lifetimeMs);
  return { now: () => instant(Date.now()), random: (bytes) => randomBytes(bytes), deadline: () => ends };
}

/** A world that begins at `start` and in which time runs `speed` times faster; it can be changed on the way. */
export interface FastWorld extends World {
  setSpeed(speed: number): void;
}

/**
 * A world whose clock starts at `start` and runs `speed` world-milliseconds a real millisecond; it never jumps back.
 */
export function fastWorld(start: Instant, speed: number): FastWorld {
  let factor = speed;
  let origin: number = start;
  let since = performance.now();
  const now = () => instant(origin + (performance.now() - since) * factor);
  return {
    now,
    random: (bytes) => randomBytes(bytes),
    deadline: () => instant(Number.MAX_SAFE_INTEGER / 4),
    setSpeed(next) {
      origin = now();
      since = performance.now();
      factor = next;
    },
  };
}
