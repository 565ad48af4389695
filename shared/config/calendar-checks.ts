import { z } from 'zod';
import { gapsOf } from '../calendars/gaps.ts';
import { isPattern } from '../calendars/times.ts';
import { isTimeZone } from '../calendars/zones.ts';
import { durationPattern, parseDuration } from './duration.ts';
import { listOf, maybeText } from './lenient.ts';
import type { Mistake } from './mistakes.ts';
import type { Rough, RoughCredential } from './rough.ts';
import type { Path } from './source.ts';
import { emptyWindows, type RightWindow } from './window-runs.ts';

/** The parts of a credential's calendar as they were written; whatever is wrong by itself is undefined. */
const lenient = z.object({
  cron: maybeText.transform((text) => (text !== undefined && isPattern(text) ? text : undefined)),
  every: maybeText,
  timeZone: maybeText.transform((text) => (text !== undefined && isTimeZone(text) ? text : undefined)),
  windows: listOf(z.object({ opens: maybeText, lasts: maybeText }).catch({ opens: undefined, lasts: undefined })),
  jitter: maybeText.transform(msOf),
});

function msOf(text: string | undefined): number | undefined {
  return text !== undefined && durationPattern.test(text) ? parseDuration(text).ms : undefined;
}

/** What is wrong between the parts of one credential's calendar, and between its windows and the runs of lockkeeper. */
export function calendarMistakes(credential: RoughCredential, path: Path, { schedules }: Rough): readonly Mistake[] {
  const { cron: pattern, every, timeZone = 'UTC', windows, jitter = 0 } = lenient.parse(credential);
  const both: Mistake = { path: [...path, 'every'], what: 'excludes `cron`', hint: 'Say one of them.', atKey: true };
  const right = windows.flatMap(({ opens, lasts }, at) => {
    const lastsMs = msOf(lasts);
    if (opens === undefined || !isPattern(opens) || lastsMs === undefined || lastsMs === 0) return [];
    return [{ opens, lastsMs, path: [...path, 'windows', at] }];
  });
  return [
    ...(credential['cron'] !== undefined && every !== undefined ? [both] : []),
    ...right.flatMap((one) => alwaysOpen(one)),
    ...longJitter({ jitter, windows: right, intervalMs: intervalOf(pattern, every) }, path),
    ...emptyWindows(right, { timeZone, jitterMs: jitter, runs: schedules.rotate }),
  ];
}

function alwaysOpen({ opens, lastsMs, path }: RightWindow): readonly Mistake[] {
  if (lastsMs < (gapsOf(opens)?.shortestMs ?? Infinity)) return [];
  const what = 'is not shorter than the time from one opening to the next';
  return [{ path: [...path, 'lasts'], what, hint: 'It would not close: let it last less, or open less often.' }];
}

interface Spread {
  readonly jitter: number;
  readonly windows: readonly RightWindow[];
  readonly intervalMs: number;
}

function intervalOf(pattern: string | undefined, every: string | undefined): number {
  return (pattern === undefined ? msOf(every ?? '30d') : gapsOf(pattern)?.shortestMs) ?? Infinity;
}

function longJitter({ jitter, windows, intervalMs }: Spread, path: Path): readonly Mistake[] {
  if (jitter === 0) return [];
  const at = [...path, 'jitter'];
  const hint = 'Choose a shorter one: a rotation must still begin in its turn.';
  const tight = windows.find(({ lastsMs }) => jitter >= lastsMs);
  return [
    ...(jitter >= intervalMs ? [{ path: at, what: 'is not shorter than the time between two rotations', hint }] : []),
    ...(tight
      ? [{ path: at, what: 'is not shorter than a window', hint: 'Compare', see: [...tight.path, 'lasts'] }]
      : []),
  ];
}
