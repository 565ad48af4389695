import type { Instant } from '../../base/time.ts';
import type { Journal } from '../journal/journal.ts';
import { missedSince, nextBegin } from '../schedule/due.ts';
import { windowText, zoned } from '../schedule/due-text.ts';
import type { Asked, Step } from './step.ts';

/**
 * What people are told, once, of a rotation that was due while whole windows passed: the host was down, or the trouble
 * lasted. It begins in the next window all the same. A person who asks for it now need not be told.
 */
export function missed(journal: Journal, { plan, now, force }: Asked): Step | undefined {
  if (journal.phase !== 'done' || !journal.adopted || force || !plan.calendar) return undefined;
  const next = nextBegin(plan, lastEnd(journal), now);
  if (!next || next.due <= (journal.missed?.due ?? -Infinity)) return undefined;
  const found = missedSince(plan, next.due, now);
  if (!found) return undefined;
  const { timeZone } = plan.calendar;
  const text = [
    `due since ${zoned(next.due, timeZone)}, ${countText(found.windows)} since, the last ${windowText(found.last, timeZone)}.`,
    journal.trouble
      ? `Why: ${journal.trouble.text}.`
      : 'No run tried it: see that lockkeeper runs while a window is open.',
    next.at <= now ? 'It is tried now.' : `It is tried again ${zoned(next.at, timeZone)}.`,
  ].join(' ');
  return { do: 'missed', due: next.due, windows: found.windows, text };
}

/** When the last rotation ended; where none did, when the credential became lockkeeper's. */
export function lastEnd({ finishedAt, startedAt }: Journal): Instant {
  return finishedAt ?? startedAt;
}

function countText(windows: number): string {
  if (windows >= 100) return '100 windows or more passed';
  return windows === 1 ? '1 window passed' : `${windows} windows passed`;
}
