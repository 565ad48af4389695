import { formatInstant, type Instant } from '../../base/time.ts';
import { clockTime } from '../../calendars/zones.ts';
import type { NextBegin, OpenWindow, Scheduled } from './due.ts';

/**
 * When a rotation is due and when it begins, as in: due 2026-12-31 03:00 (Europe/Berlin) in the window from 2026-12-31 03:00 to
 * 05:00. In UTC and RFC 3339 where there is no calendar.
 */
export function dueText({ calendar }: Scheduled, { due, at, window }: NextBegin, now: Instant): string {
  if (!calendar) return `due ${formatInstant(due)}`;
  const { timeZone } = calendar;
  const inWindow = window ? ` in the window ${windowText(window, timeZone)}` : '';
  if (at === due || (!window && due > now)) return `due ${zoned(at, timeZone)}${inWindow}`;
  return `due ${due > now ? '' : 'since '}${zoned(due, timeZone)}, begins ${clockTime(at, timeZone)}${inWindow}`;
}

/** `from 2026-12-31 03:00 to 05:00`; with both dates where they differ. */
export function windowText({ opens, closes }: OpenWindow, timeZone: string): string {
  const [from, to] = [clockTime(opens, timeZone), clockTime(closes, timeZone)];
  const [date = '', time = ''] = to.split(' ');
  return `from ${from} to ${from.startsWith(date) ? time : to}`;
}

/** `2026-12-31 03:00 (Europe/Berlin)`. */
export function zoned(at: Instant, timeZone: string): string {
  return `${clockTime(at, timeZone)} (${timeZone})`;
}
