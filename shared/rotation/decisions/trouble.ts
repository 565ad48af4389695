import { toldText } from '../../audit/entries/withhold.ts';
import { after, day, hour, minute, type Instant } from '../../base/time.ts';
import type { Journal, JournalDraft, Trouble } from '../journal/journal.ts';

/** What failed. */
export interface Failure {
  readonly text: string;
  /** People are told at its first sight. */
  readonly urgent: boolean;
  /** When the next window opens, where windows say when a rotation begins. */
  readonly opening?: Instant | undefined;
}

/**
 * The journal after a failure that may pass: when to try again, twice as long after each one. Under way an hour at most;
 * before a rotation began a day, for every attempt may cost consumers a failed login. No pause lasts longer than to the
 * next opening of a window: each window has an attempt.
 */
export function troubled(journal: JournalDraft, { text, urgent, opening }: Failure, now: Instant): JournalDraft {
  const last = journal.trouble;
  const attempts = (last?.attempts ?? 0) + 1;
  const hasBegun = journal.phase !== 'done';
  const longest = hasBegun ? hour : Math.min(day, (opening ?? Infinity) - now);
  const waitMs = Math.min(minute * 2 ** Math.min(attempts - 1, 20), longest);
  const trouble: Trouble = {
    text: toldText(text),
    attempts,
    notBefore: after(now, waitMs),
    since: last?.since ?? now,
    urgent: urgent || isEmergency(journal) || (last?.urgent ?? false),
    told: last?.told ?? 0,
    toldAt: last?.toldAt ?? null,
  };
  return { ...journal, trouble };
}

/**
 * True while the next attempt has to wait. An emergency never waits. A pause longer than any that is ever written comes
 * from a clock that was wrong, and does not count.
 */
export function isBackingOff(journal: Journal, now: Instant): boolean {
  const { trouble } = journal;
  if (!trouble || isEmergency(journal)) return false;
  return now < trouble.notBefore && trouble.notBefore - now <= day;
}

/**
 * True where people should hear of the trouble now: at once if it is urgent, else after an hour; then again after
 * growing pauses. In an emergency the pauses are hours, otherwise days.
 */
export function isTellingDue(journal: Journal, now: Instant): boolean {
  const { trouble } = journal;
  if (!trouble) return false;
  return isDue(trouble, isEmergency(journal) ? { unit: hour, most: day } : { unit: day, most: 7 * day }, now);
}

/**
 * The same for anything that lasts: pauses double from `unit` to `most`. A moment more than a day from now comes from a
 * clock that was wrong, and keeps nobody from hearing of it.
 */
export function isDue(
  { since, urgent, told, toldAt }: Pick<Trouble, 'since' | 'urgent' | 'told' | 'toldAt'>,
  { unit, most }: { readonly unit: number; readonly most: number },
  now: Instant,
): boolean {
  if (told === 0) return urgent || now - since >= hour || since - now > day;
  const pauseMs = Math.min(unit * 2 ** Math.min(told - 1, 20), most);
  return toldAt === null || now >= after(toldAt, pauseMs) || toldAt - now > day;
}

/** True from the order of an emergency until it is done. */
export function isEmergency({ phase, emergency, orders }: Pick<Journal, 'phase' | 'emergency' | 'orders'>): boolean {
  return orders.length > 0 || (emergency !== null && phase !== 'done');
}

/** The trouble after people were told of it. */
export function toldOf(trouble: Trouble | null, now: Instant): Trouble | null {
  return trouble && { ...trouble, told: trouble.told + 1, toldAt: now };
}
