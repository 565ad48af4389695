import { Cron } from 'croner';
import { asLockkeeperError, LockkeeperError } from '../../shared/base/error.ts';
import { minute } from '../../shared/base/time.ts';
import type { World } from '../../shared/base/world.ts';
import type { LastRuns } from './last-runs.ts';
import type { ServeLog } from './serve-log.ts';
import { WorkQueue } from './work-queue.ts';

/** One thing that is done again and again. */
export interface Job {
  readonly name: string;
  /** A cron pattern in UTC. */
  readonly pattern: string;
  /** `again`: something urgent is left, so it runs again in a minute, whatever the pattern says. */
  readonly run: () => Promise<void | 'again'>;
}

export interface ScheduleOptions {
  readonly jobs: readonly Job[];
  readonly world: World;
  readonly lastRuns: LastRuns;
  readonly log: ServeLog;
  /** Called when a run begins: its deadline counts from here. */
  readonly onBegin?: (() => void) | undefined;
  /** How long the others wait for a run that does not end; default 15 minutes. */
  readonly limitMs?: number | undefined;
}

/** Longer than the time a run has, so that a story that stops at its deadline is never let go. */
const defaultLimitMs = 15 * minute;

/** Jobs on their way. */
export interface Schedule {
  /** No further run begins; returns once the present one has come to its end. */
  stop(): Promise<void>;
}

/**
 * Runs jobs at their times, one at a time, so that no story ever meets itself. A job that was missed while nothing ran
 * begins once, now; one that never ran before waits for its time. What a job throws is logged and does not end the
 * schedule, and nor does a record of its last run that cannot be read or written. A run that does not end is left behind,
 * and its job does not begin again before it is over.
 */
export async function startSchedule(options: ScheduleOptions): Promise<Schedule> {
  const { jobs, world, lastRuns, log, limitMs = defaultLimitMs } = options;
  const queue = new WorkQueue({ limitMs, onLate: (name) => log.failure(name, stillRunning(limitMs)) });
  const tried = async <T>(name: string, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (thrown) {
      log.failure(name, asLockkeeperError(thrown));
      return undefined;
    }
  };
  let isOver = false;
  const begin = ({ name, pattern, run }: Job): void => {
    queue.add(name, async () => {
      if (isOver) return;
      options.onBegin?.();
      await tried(name, () => lastRuns.write(name, world.now()));
      if ((await tried(name, run)) === 'again') beginSoon({ name, pattern, run });
    });
  };
  const soon = new Map<string, NodeJS.Timeout>();
  const beginSoon = (job: Job): void => {
    clearTimeout(soon.get(job.name));
    soon.set(job.name, setTimeout(() => begin(job), minute).unref());
  };
  const clocks: Cron[] = [];
  for (const job of jobs) {
    await tried(job.name, async () => {
      const last = await lastRuns.read(job.name);
      if (last === undefined) await lastRuns.write(job.name, world.now());
      else if (isMissed(job.pattern, last, world.now())) begin(job);
    });
    clocks.push(new Cron(job.pattern, { timezone: 'UTC' }, () => begin(job)));
  }
  return {
    async stop() {
      isOver = true;
      for (const clock of clocks) clock.stop();
      for (const timer of soon.values()) clearTimeout(timer);
      await queue.settled();
    },
  };
}

function stillRunning(limitMs: number): LockkeeperError {
  return new LockkeeperError('unreachable', `the job has not ended after ${limitMs / minute} minutes`, {
    hint: 'The other jobs go on. Restart `lockkeeper serve` if it does not end.',
  });
}

/** True where the pattern had a time after `last` and up to `now`. */
export function isMissed(pattern: string, last: number, now: number): boolean {
  const next = new Cron(pattern, { timezone: 'UTC', paused: true }).nextRun(new Date(last));
  return next !== null && next.getTime() <= now;
}
