import { Cron } from 'croner';
import { LockkeeperError } from '../base/error.ts';
import { instant, type Instant } from '../base/time.ts';
import { byTheClock } from './by-the-clock.ts';

/** When a cron pattern comes. */
export interface Times {
  /** The first time after `at`, never `at` itself; undefined where none comes any more. */
  next(at: Instant): Instant | undefined;
}

/**
 * The times of `pattern` (five fields, or six where the first is seconds) in an IANA time zone; `invalid` where either is
 * none.
 *
 * | where clocks change       | `30 2 * * *`, and every pattern that names hours | `30 * * * *`: the hour is `*` |
 * |---------------------------|--------------------------------------------------|-------------------------------|
 * | the time does not exist   | at the first moment after the change             | left out                      |
 * | the time comes twice      | at its first coming only                         | at both                       |
 */
export function timesOf(pattern: string, timeZone: string): Times {
  const key = `${timeZone} ${pattern}`;
  const times = kept.get(key) ?? remembering(parse(pattern, timeZone));
  kept.delete(key);
  kept.set(key, times);
  const [oldest] = kept.keys();
  if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest);
  return times;
}

/** A parsed pattern takes 80 kB, so only the last ones are kept. */
const mostKept = 64;
const kept = new Map<string, Times>();

/** What was asked last is asked again, for every credential of one calendar: there is no time between `from` and `to`. */
function remembering(cron: Cron): Times {
  let known: readonly { readonly from: Instant; readonly to: Instant }[] = [];
  return {
    next(at) {
      const found = known.find(({ from, to }) => from <= at && at < to);
      if (found) return found.to;
      const next = cron.nextRun(new Date(at));
      if (next === null) return undefined;
      const to = instant(next.getTime());
      known = [{ from: at, to }, ...known.slice(0, 3)];
      return to;
    },
  };
}

/** True where `timesOf` reads the pattern. */
export function isPattern(pattern: string): boolean {
  try {
    return new Cron(byTheClock(pattern), paused).getPattern() !== undefined;
  } catch (thrown) {
    // What croner takes for a date and cannot read is a plain Error.
    if (thrown instanceof Error) return false;
    throw thrown;
  }
}

const paused = { paused: true, mode: '5-or-6-parts', fixedTimeRule: 'no-wildcard' } as const;

function parse(pattern: string, timeZone: string): Cron {
  try {
    // An offset is ten times as fast as a zone.
    const where = timeZone === 'UTC' ? { utcOffset: 0 } : { timezone: timeZone };
    const cron = new Cron(byTheClock(pattern), { ...paused, ...where });
    // A zone is looked at only when a time is asked for.
    cron.nextRun(new Date(0));
    return cron;
  } catch (cause) {
    throw new LockkeeperError('invalid', `"${pattern}" in ${timeZone} is no cron pattern in a time zone`, {
      hint: 'Write five fields, such as "0 3 * * 0", and a zone such as Europe/Berlin.',
      cause,
    });
  }
}
