import { LockkeeperError } from '../base/error.ts';
import { hour } from '../base/time.ts';
import type { World } from '../base/world.ts';

/** How long a receiver may take, and whose run it is. */
export interface Patience {
  readonly world: World;
  /** Milliseconds. */
  readonly answerMs: number;
}

/**
 * How long an answer to a call that begins now may take, in milliseconds: never longer than the run lasts,
 * and than an hour: timers of weeks overflow. `unreachable` where no time is left; nothing was sent then.
 */
export function timeLimit(tried: string, { world, answerMs }: Patience): number {
  const leftMs = Math.min(answerMs, hour, world.deadline() - world.now());
  if (leftMs > 0) return leftMs;
  throw new LockkeeperError('unreachable', `${tried}: the time of this run is over; nothing was sent`, {
    hint: 'The next run sends it.',
  });
}

/** The error for a receiver that did not answer in time. It may have acted: it is told again, which is safe. */
export function noAnswerInTime(tried: string, limitMs: number, cause?: unknown): LockkeeperError {
  return new LockkeeperError('unreachable', `${tried}: no answer within ${limitMs} ms`, {
    hint: 'Check that the receiver is up, or raise its `timeout`; the next run tells it again.',
    cause,
  });
}
