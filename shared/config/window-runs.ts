import { after, instant, type Instant } from '../base/time.ts';
import { gapsOf } from '../calendars/gaps.ts';
import { timesOf } from '../calendars/times.ts';
import { formatDuration } from './duration.ts';
import type { Mistake } from './mistakes.ts';
import type { Path } from './source.ts';

/** A window that is right by itself. */
export interface RightWindow {
  readonly opens: string;
  readonly lastsMs: number;
  readonly path: Path;
}

interface Runs {
  readonly timeZone: string;
  readonly jitterMs: number;
  /** When lockkeeper looks at what is due: a pattern in UTC. */
  readonly runs: string;
}

/** Openings that are looked at; each of them is to have a run. */
const mostLooked = 40;

/**
 * Windows in which a rotation could never begin, because lockkeeper does not run while one is open. The part that jitter
 * may take does not count.
 */
export function emptyWindows(windows: readonly RightWindow[], around: Runs): readonly Mistake[] {
  const gaps = gapsOf(around.runs);
  if (!gaps) return [];
  return windows
    .filter(({ lastsMs }) => lastsMs > around.jitterMs && lastsMs - around.jitterMs < gaps.longestMs)
    .filter((window) => !everyOneHasRun(window, around))
    .map(({ path }) => ({
      path: [...path, 'lasts'],
      what: 'is so short that no run of `schedules.rotate` comes while it is open',
      hint: hintFor(around.jitterMs, gaps.longestMs),
    }));
}

function hintFor(jitterMs: number, longestMs: number): string {
  const enough = `${formatDuration({ ms: longestMs })}${jitterMs === 0 ? '' : ' and the jitter'}`;
  return `Let it last ${enough} or longer, or let lockkeeper run more often.`;
}

function everyOneHasRun({ opens, lastsMs }: RightWindow, { timeZone, jitterMs, runs }: Runs): boolean {
  const [openings, looks] = [timesOf(opens, timeZone), timesOf(runs, 'UTC')];
  let at: Instant | undefined = openings.next(instant(firstLooked));
  for (let count = 0; at !== undefined && count < mostLooked; count += 1) {
    const run = looks.next(after(at, jitterMs - 1));
    if (run === undefined || run >= at + lastsMs) return false;
    at = openings.next(at);
  }
  return true;
}

/** Zones as they are now: the beginning of 2026. */
const firstLooked = Date.UTC(2026, 0);
