import { describe, expect, test } from '@jest/globals';
import {
  after,
  day,
  formatInstant,
  hour,
  instant,
  minute,
  parseInstant,
  type Instant,
} from '../../../shared/base/time.ts';
import { endOf, lastMoment, reminded, remindersDue } from '../../../shared/rotation/manual/reminders-due.ts';
import type { ReminderRecord } from '../../../shared/rotation/manual/reminder-record.ts';
import { fc } from '../../properties.ts';
import { manualPlace } from './manual-place.ts';

const end = parseInstant('2027-04-01T00:00:00Z');
const remindMs = [7 * day, day, 30 * day];

describe('the moment of which people should know', () => {
  test.each([
    ['2027-03-01T23:59:59Z', undefined],
    ['2027-03-02T00:00:00Z', '2027-03-02T00:00:00Z'],
    ['2027-03-24T23:59:59Z', '2027-03-02T00:00:00Z'],
    ['2027-03-25T00:00:00Z', '2027-03-25T00:00:00Z'],
    ['2027-03-31T00:00:00Z', '2027-03-31T00:00:00Z'],
    // The whole day of 31 March in UTC: in Auckland it is 1 April already.
    ['2027-03-31T23:59:59Z', '2027-03-31T00:00:00Z'],
    ['2027-04-01T00:00:00Z', '2027-04-01T00:00:00Z'],
    ['2027-04-01T23:59:59Z', '2027-04-01T00:00:00Z'],
    ['2027-04-02T00:00:00Z', '2027-04-02T00:00:00Z'],
    ['2027-04-08T10:00:00Z', '2027-04-08T00:00:00Z'],
    ['2027-04-09T00:00:00Z', '2027-04-08T00:00:00Z'],
    ['2027-04-14T23:59:59Z', '2027-04-08T00:00:00Z'],
    ['2027-04-15T00:00:00Z', '2027-04-15T00:00:00Z'],
    ['2028-04-01T12:00:00Z', '2028-03-30T00:00:00Z'],
  ])('at %s is %s', (now, expected) => {
    const moment = lastMoment(end, remindMs, parseInstant(now));
    expect(moment && formatInstant(moment)).toBe(expected);
  });

  test('never goes back, never lies ahead, and after the end is a day or a week old at most', () => {
    const times = fc.array(fc.integer({ min: -60 * day, max: 400 * day }), { minLength: 2, maxLength: 30 });
    const reminders = fc.array(fc.integer({ min: 1, max: 50 * day }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(times, reminders, (given, before) => {
        let last: Instant | undefined;
        for (const ms of given.toSorted((a, b) => a - b)) {
          const now = after(end, ms);
          const moment = lastMoment(end, before, now);
          expect(moment ?? -Infinity).toBeGreaterThanOrEqual(last ?? -Infinity);
          expect(moment ?? now).toBeLessThanOrEqual(now);
          const longest = now < end ? Infinity : now < end + 8 * day ? 2 * day : 7 * day;
          expect(now - (moment ?? now)).toBeLessThan(longest);
          expect(moment === undefined).toBe(ms < -Math.max(...before));
          last = moment;
        }
      }),
    );
  });
});

describe('a reminder', () => {
  const { plan } = manualPlace();
  const blank: ReminderRecord = {
    format: 1,
    credential: 'partner-api',
    places: [],
    told: [],
    telling: null,
    problem: null,
  };

  test('is due until people had it, and the next one at its own moment', () => {
    const now = parseInstant('2027-03-03T00:00:00Z');
    const due = remindersDue(plan, blank, now);
    expect(due).toMatchObject({ moment: end - 30 * day });
    const told = due ? reminded(blank, due) : blank;
    expect(remindersDue(plan, told, now)).toBeUndefined();
    expect(remindersDue(plan, told, after(end, -7 * day - minute))).toBeUndefined();
    expect(remindersDue(plan, told, after(end, -7 * day))).toMatchObject({ moment: end - 7 * day });
  });

  test('that was told by a clock that was wrong keeps nobody from the next one', () => {
    const wrong = { ...blank, told: [{ ends: end, through: after(end, 700 * day) }] };
    expect(remindersDue(plan, wrong, after(end, -7 * day))).toMatchObject({ moment: end - 7 * day });
    const skewed = { ...blank, told: [{ ends: end, through: after(end, -7 * day) }] };
    expect(remindersDue(plan, skewed, after(end, -7 * day - hour))).toBeUndefined();
  });

  test('of another end is another one', () => {
    const told = { ...blank, told: [{ ends: instant(end - day), through: after(end, -day) }] };
    expect(remindersDue(plan, told, after(end, -day))).toMatchObject({ end: { at: end } });
  });

  test('counts from the place that ends first, and from nothing where no place was seen', () => {
    const version = (since: Instant) => [{ id: 'v1', since, certificate: null }];
    const now = parseInstant('2026-12-01T00:00:00Z');
    const two = manualPlace({ validUntil: { by: 'lifetime', ms: 90 * day } }, [
      { form: 'plain' },
      { form: 'plain' },
    ]).plan;
    const seen = {
      ...blank,
      places: [
        { store: 'one', secret: 'partner', versions: version(now) },
        { store: 'two', secret: 'partner', versions: version(after(now, -day)) },
      ],
    };
    expect(endOf(two, seen)).toMatchObject({ at: after(now, 89 * day), place: { store: 'two' } });
    expect(endOf(two, blank)).toBeUndefined();
    expect(remindersDue(two, blank, now)).toBeUndefined();
  });
});
