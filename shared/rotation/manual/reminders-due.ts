import { after, day, instant, type Instant } from '../../base/time.ts';
import type { PlannedCopy } from '../plan.ts';
import type { ManualPlan } from './manual-plan.ts';
import { lastOf } from './places-seen.ts';
import type { ReminderRecord } from './reminder-record.ts';

/** When a credential ends, and what says so. */
export interface ValidEnd {
  readonly at: Instant;
  /** Of which place it is, where the places say it. */
  readonly place: PlannedCopy | undefined;
  /** When that value was first seen; undefined for a date, which counts for every value. */
  readonly since: Instant | undefined;
  /** Whose certificate it is. */
  readonly subject: string | undefined;
}

/** One reminder that people have not had yet. */
export interface Reminder {
  readonly end: ValidEnd;
  /** When it fell due: of several that were missed it is the last. */
  readonly moment: Instant;
}

/**
 * The first end of all places, by what was last seen there; undefined where nobody knows one. Pure.
 */
export function endOf({ validUntil, stores }: ManualPlan, record: ReminderRecord): ValidEnd | undefined {
  if (validUntil.by === 'date') return { at: validUntil.at, place: undefined, since: undefined, subject: undefined };
  const ends = stores.flatMap((place): ValidEnd[] => {
    const { since, certificate } = lastOf(record, place) ?? {};
    if (since === undefined) return [];
    if (validUntil.by === 'lifetime') return [{ at: after(since, validUntil.ms), place, since, subject: undefined }];
    return certificate ? [{ at: certificate.at, place, since, subject: certificate.subject }] : [];
  });
  return ends.toSorted((a, b) => a.at - b.at)[0];
}

/**
 * The reminder that is due now; undefined where people had it, or it is too early. Pure.
 *
 *     30 d      7 d   1 d  end  +1 d … +7 d      +14 d      +21 d
 *     |---------|-----|----|----|-------|--------|----------|-----
 *
 * Of moments that were missed only the last is told. One that was told more than a day from now was told by a clock that
 * was wrong, and does not count.
 */
export function remindersDue(plan: ManualPlan, record: ReminderRecord, now: Instant): Reminder | undefined {
  const end = endOf(plan, record);
  const moment = end && lastMoment(end.at, plan.remindMs, now);
  if (!end || moment === undefined) return undefined;
  const through = record.told.find(({ ends }) => ends === end.at)?.through;
  const isTold = through !== undefined && through >= moment && through - now <= day;
  return isTold ? undefined : { end, moment };
}

/** The last moment up to `now` at which people should hear of an end; undefined before the first. Pure. */
export function lastMoment(end: Instant, remindMs: readonly number[], now: Instant): Instant | undefined {
  if (now >= end) return after(end, daysTold(Math.floor((now - end) / day)) * day);
  const begun = remindMs.map((ms) => end - ms).filter((moment) => moment <= now);
  return begun.length === 0 ? undefined : instant(Math.max(...begun));
}

/** Every day of the first week, then every week. */
function daysTold(days: number): number {
  return days <= 7 ? days : days - (days % 7);
}

/** The record after people had a reminder; of the last ten ends. Pure. */
export function reminded(record: ReminderRecord, { end, moment }: Reminder): ReminderRecord {
  const others = record.told.filter(({ ends }) => ends !== end.at);
  return { ...record, told: [...others, { ends: end.at, through: moment }].slice(-10) };
}
