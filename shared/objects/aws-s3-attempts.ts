import { setTimeout as pause } from 'node:timers/promises';
import { awsError, awsRetryAfterMs, type AwsRequest } from '../clouds/aws.ts';
import { LockkeeperError, type ErrorCode } from '../base/error.ts';
import { second } from '../base/time.ts';
import type { World } from '../base/world.ts';

const attemptsAtMost = 5;
const longestPauseMs = 5 * second;
const timeMs = 20 * second;

/** One thing to get done, in as many requests as it takes. */
export interface Task extends AwsRequest {
  /** For messages: the verb and the object. */
  readonly tried: string;
  /** After which errors the same request may simply be sent again. */
  readonly again: readonly ErrorCode[];
}

/** How patient a store is. */
export interface Patience {
  readonly world: World;
  /** The pause before the second attempt; each further one is twice as long. */
  readonly pauseMs: number;
}

/**
 * Sends a request again while S3 asks to go slower or cannot be reached: 5 times at most, no longer than 20 s or the
 * run's deadline. Answers what came, and whether an earlier answer was lost: then a refusal may be of this very write.
 * Fails with the last error; with `uncertain` where any answer of a write was lost.
 */
export async function attempt<T>(
  { world, pauseMs }: Patience,
  task: Task,
  send: () => Promise<T>,
): Promise<{ readonly came: T; readonly lost: boolean }> {
  const ends = Math.min(world.now() + timeMs, world.deadline());
  let lost = false;
  for (let tries = 1; ; tries += 1) {
    try {
      return { came: await send(), lost };
    } catch (thrown) {
      const error = awsError(thrown, task.tried, task);
      lost ||= error.code === 'uncertain';
      const waitMs = Math.max(awsRetryAfterMs(thrown) ?? 0, pauseMs * 2 ** (tries - 1) * lessChance(world));
      const isTime = waitMs <= longestPauseMs && world.now() + waitMs < ends;
      if (tries === attemptsAtMost || !isTime || !task.again.includes(error.code))
        throw lost ? uncertain(error, `${error.message}, after a lost answer`) : error;
      await pause(waitMs);
    }
  }
}

/** The failure of a write that may have taken effect before. */
export function uncertain(error: LockkeeperError, message: string): LockkeeperError {
  if (error.code === 'uncertain') return error;
  return new LockkeeperError('uncertain', message, { cause: error, hint: 'It may have taken effect: read it back.' });
}

/** Up to a half less, so that writers who met do not meet again. */
function lessChance(world: World): number {
  const [chance = 0] = world.random(1);
  return 1 - chance / 512;
}
