import { after, day, hour, minute, type Instant } from '../base/time.ts';
import type { Journal, JournalDraft, Trouble } from './journal.ts';

/**
 * The journal after a failure that may pass: when to try again, twice as long after each one. Under way an hour at most;
 * before a rotation began a day, for every attempt may cost consumers a failed login.
 */
export function troubled(
  journal: JournalDraft,
  { text, urgent }: { readonly text: string; readonly urgent: boolean },
  now: Instant,
): JournalDraft {
  const last = journal.trouble;
  const attempts = (last?.attempts ?? 0) + 1;
  const longest = journal.phase === 'done' ? day : hour;
  const waitMs = Math.min(minute * 2 ** Math.min(attempts - 1, 20), longest);
  const trouble: Trouble = {
    text,
    attempts,
    notBefore: after(now, waitMs),
    since: last?.since ?? now,
    urgent: urgent || (last?.urgent ?? false),
    told: last?.told ?? 0,
    toldAt: last?.toldAt ?? null,
  };
  return { ...journal, trouble };
}

/**
 * True while the next attempt has to wait. An emergency never waits. A pause longer than any that is ever written comes
 * from a clock that was wrong, and does not count.
 */
export function isBackingOff({ trouble, emergency, orders }: Journal, now: Instant): boolean {
  if (!trouble || emergency || orders.length > 0) return false;
  return now < trouble.notBefore && trouble.notBefore - now <= day;
}

/**
 * True where people should hear of the trouble now: at once if it is urgent, else after an hour; then again after
 * growing pauses. In an emergency the pauses are hours, otherwise days.
 */
export function isTellingDue({ trouble, emergency }: Pick<Journal, 'trouble' | 'emergency'>, now: Instant): boolean {
  if (!trouble) return false;
  if (trouble.told === 0) return trouble.urgent || emergency !== null || now - trouble.since >= hour;
  const [unit, most] = emergency ? [hour, day] : [day, 7 * day];
  const pauseMs = Math.min(unit * 2 ** Math.min(trouble.told - 1, 20), most);
  return trouble.toldAt === null || now >= after(trouble.toldAt, pauseMs);
}

/** The trouble after people were told of it. */
export function toldOf(trouble: Trouble | null, now: Instant): Trouble | null {
  return trouble && { ...trouble, told: trouble.told + 1, toldAt: now };
}
