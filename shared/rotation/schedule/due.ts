import { createHash } from 'node:crypto';
import { after, day, instant, type Instant } from '../../base/time.ts';
import { timesOf } from '../../calendars/times.ts';
import type { CredentialPlan } from '../plan.ts';
import type { Calendar, Window } from './calendar.ts';

/** What says when a credential's rotations begin. */
export type Scheduled = Pick<CredentialPlan, 'name' | 'everyMs' | 'calendar'>;

/** One coming of a window: open from `opens` on, no longer open at `closes`. */
export interface OpenWindow {
  readonly opens: Instant;
  readonly closes: Instant;
}

/** When a rotation is due, and when it begins. */
export interface NextBegin {
  /** When it is or was due, without jitter and whatever windows say. */
  readonly due: Instant;
  /** The first moment, now or later, at which it may begin by itself. */
  readonly at: Instant;
  /** The window in which `at` lies; undefined where there are none. */
  readonly window: OpenWindow | undefined;
}

/**
 * When the rotation after the one that ended at `last` begins, seen from `now`. Undefined where a pattern never comes.
 *
 *     last ──everyMs, or the next time of the pattern──▶ due ──▶ a window is open ──jitter──▶ at
 *
 * Jitter is the credential's share, by its name, of `jitterMs` or of what is left of the window or of the time to the next
 * due time, whichever is shortest: it never leaves the window, and never reaches the next due time.
 */
export function nextBegin(plan: Scheduled, last: Instant, now: Instant): NextBegin | undefined {
  // Ended later than now: the clock that wrote it was wrong, so nobody knows when it is due. It is due now.
  if (last - now > day) return beginFrom(withoutJitter(plan), now, now);
  const due = dueAfter(plan, last);
  return due === undefined ? undefined : beginFrom(plan, due, now);
}

/** Where windows say when rotations begin: the next one that opens after `now` lets this credential begin from here. */
export function nextOpening(plan: Scheduled, now: Instant): Instant | undefined {
  const { calendar } = plan;
  const begins = calendar?.windows.flatMap((one) => {
    const opens = timesOf(one.opens, calendar.timeZone).next(now);
    return opens === undefined ? [] : [after(opens, jitterOf(plan, opens, after(opens, one.lastsMs)))];
  });
  return earliest(begins ?? [], (at) => at);
}

/** Windows that opened when the rotation was due already, and closed again before `now`. */
export interface Missed {
  /** A hundred means a hundred or more. */
  readonly windows: number;
  /** The one that closed last, of those that were counted. */
  readonly last: OpenWindow;
}

/** What a rotation that was due at `due` and has not begun missed; undefined where no whole window passed. */
export function missedSince({ calendar }: Scheduled, due: Instant, now: Instant): Missed | undefined {
  if (!calendar) return undefined;
  const passed = calendar.windows
    .flatMap((one) => passedOf(one, calendar.timeZone, { due, now }))
    .slice(0, mostCounted);
  const last = earliest(passed, ({ closes }) => 0 - closes);
  return last && { windows: passed.length, last };
}

const mostCounted = 100;

function passedOf(
  { opens, lastsMs }: Window,
  timeZone: string,
  { due, now }: { readonly due: Instant; readonly now: Instant },
): readonly OpenWindow[] {
  const times = timesOf(opens, timeZone);
  const passed: OpenWindow[] = [];
  let at = times.next(after(due, -1));
  while (at !== undefined && at + lastsMs <= now && passed.length < mostCounted) {
    passed.push({ opens: at, closes: after(at, lastsMs) });
    at = times.next(at);
  }
  return passed;
}

function dueAfter({ everyMs, calendar }: Scheduled, last: Instant): Instant | undefined {
  if (calendar?.pattern === undefined) return after(last, everyMs);
  return timesOf(calendar.pattern, calendar.timeZone).next(last);
}

function beginFrom(plan: Scheduled, due: Instant, now: Instant): NextBegin | undefined {
  const { calendar } = plan;
  if (!calendar || calendar.windows.length === 0) {
    const at = later(now, after(due, jitterOf(plan, due, undefined)));
    return { due, at, window: undefined };
  }
  const found = calendar.windows.flatMap((one) => beginIn(one, { ...plan, calendar }, { due, now }) ?? []);
  return earliest(found, ({ at }) => at);
}

/** In the first coming of one window that is open at or after both. */
function beginIn(
  { opens, lastsMs }: Window,
  plan: Scheduled & { readonly calendar: Calendar },
  { due, now }: { readonly due: Instant; readonly now: Instant },
): NextBegin | undefined {
  // What opened no more than `lastsMs` ago is open still, however clocks were changed meanwhile.
  const found = timesOf(opens, plan.calendar.timeZone).next(after(later(due, now), -lastsMs));
  if (found === undefined) return undefined;
  const window = { opens: found, closes: after(found, lastsMs) };
  const base = later(due, window.opens);
  return { due, at: later(now, after(base, jitterOf(plan, base, window.closes))), window };
}

/** The share of this credential, in milliseconds: always shorter than what it is a share of. */
function jitterOf({ name, calendar }: Scheduled, base: Instant, closes: Instant | undefined): number {
  const { jitterMs = 0, pattern, timeZone = 'UTC' } = calendar ?? {};
  if (jitterMs === 0) return 0;
  const next = pattern === undefined ? undefined : timesOf(pattern, timeZone).next(base);
  const room = Math.min(jitterMs, ...[closes, next].flatMap((end) => (end === undefined ? [] : [end - base])));
  return Math.floor(shareOf(name) * room);
}

/** From 0 to below 1, evenly over names; equal for equal names. */
function shareOf(name: string): number {
  return createHash('sha256').update(name).digest().readUIntBE(0, 6) / 2 ** 48;
}

function withoutJitter({ calendar, ...plan }: Scheduled): Scheduled {
  return calendar ? { ...plan, calendar: { ...calendar, jitterMs: 0 } } : plan;
}

function later(one: Instant, other: Instant): Instant {
  return instant(Math.max(one, other));
}

function earliest<T>(all: readonly T[], by: (one: T) => number): T | undefined {
  return all.toSorted((one, other) => by(one) - by(other))[0];
}
