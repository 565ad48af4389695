import { Cron } from 'croner';
import { asLockkeeperError } from '../../shared/base/error.ts';
import type { World } from '../../shared/base/world.ts';
import type { LastRuns } from './last-runs.ts';
import type { ServeLog } from './serve-log.ts';
import { WorkQueue } from './work-queue.ts';

/** One thing that is done again and again. */
export interface Job {
  readonly name: string;
  /** A cron pattern in UTC. */
  readonly pattern: string;
  readonly run: () => Promise<void>;
}

export interface ScheduleOptions {
  readonly jobs: readonly Job[];
  readonly world: World;
  readonly lastRuns: LastRuns;
  readonly log: ServeLog;
}

/** Jobs on their way. */
export interface Schedule {
  /** No further run begins; returns once the present one has come to its end. */
  stop(): Promise<void>;
}

/**
 * Runs jobs at their times, one at a time, so that no story ever meets itself. A job that was missed while nothing ran
 * begins once, now; one that never ran before waits for its time. What a job throws is logged and does not end the
 * schedule.
 */
export async function startSchedule({ jobs, world, lastRuns, log }: ScheduleOptions): Promise<Schedule> {
  const queue = new WorkQueue();
  let isOver = false;
  const begin = ({ name, run }: Job): void => {
    queue.add(name, async () => {
      if (isOver) return;
      try {
        await lastRuns.write(name, world.now());
        await run();
      } catch (thrown) {
        log.failure(name, asLockkeeperError(thrown));
      }
    });
  };
  const clocks: Cron[] = [];
  for (const job of jobs) {
    const last = await lastRuns.read(job.name);
    if (last === undefined) await lastRuns.write(job.name, world.now());
    else if (isMissed(job.pattern, last, world.now())) begin(job);
    clocks.push(new Cron(job.pattern, { timezone: 'UTC' }, () => begin(job)));
  }
  return {
    async stop() {
      isOver = true;
      for (const clock of clocks) clock.stop();
      await queue.settled();
    },
  };
}

/** True where the pattern had a time after `last` and up to `now`. */
export function isMissed(pattern: string, last: number, now: number): boolean {
  const next = new Cron(pattern, { timezone: 'UTC', paused: true }).nextRun(new Date(last));
  return next !== null && next.getTime() <= now;
}
