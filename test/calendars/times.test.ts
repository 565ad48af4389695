import { describe, expect, test } from '@jest/globals';
import { byTheClock } from '../../shared/calendars/by-the-clock.ts';
import { gapsOf } from '../../shared/calendars/gaps.ts';
import { isPattern, timesOf } from '../../shared/calendars/times.ts';
import { clockTime, isTimeZone } from '../../shared/calendars/zones.ts';
import { day, formatInstant, hour, instant, minute, parseInstant, type Instant } from '../../shared/base/time.ts';
import { fc } from '../properties.ts';

/** The times of a pattern from `from` on for `days` days, as the date and time in UTC. */
function times(pattern: string, zone: string, from: string, days = 1): readonly string[] {
  const found: string[] = [];
  const end = parseInstant(from) + days * day;
  const cron = timesOf(pattern, zone);
  for (let at = cron.next(instant(parseInstant(from) - 1)); at !== undefined && at < end; at = cron.next(at))
    found.push(formatInstant(at).slice(0, 16));
  return found;
}

describe('where clocks change', () => {
  test.each([
    // The hour that does not exist: at the first moment after it.
    ['Europe/Berlin', '30 2 * * *', '2026-03-28T12:00:00Z', ['2026-03-29T01:00']],
    ['Europe/Berlin', '*/20 2 * * *', '2026-03-28T12:00:00Z', ['2026-03-29T01:00']],
    ['Europe/Berlin', '0 2-3 * * *', '2026-03-28T12:00:00Z', ['2026-03-29T01:00']],
    [
      'Europe/Berlin',
      '0 */2 * * *',
      '2026-03-28T23:00:00Z',
      ['28T23:00', '29T01:00', '29T02:00', '29T04:00'].map((time) => `2026-03-${time}`),
    ],
    ['America/New_York', '30 2 * * *', '2026-03-07T18:00:00Z', ['2026-03-08T07:00']],
    ['Pacific/Apia', '30 3 * * *', '2020-09-26T02:00:00Z', ['2020-09-26T14:00']],
    ['Australia/Lord_Howe', '15 2 * * *', '2026-10-03T03:00:00Z', ['2026-10-03T15:30']],
    // The hour that comes twice: at its first coming.
    ['Europe/Berlin', '30 2 * * *', '2026-10-24T12:00:00Z', ['2026-10-25T00:30']],
    ['Europe/Berlin', '*/30 2 * * *', '2026-10-24T12:00:00Z', ['2026-10-25T00:00', '2026-10-25T00:30']],
    ['America/New_York', '30 1 * * *', '2026-10-31T18:00:00Z', ['2026-11-01T05:30']],
    ['Pacific/Apia', '30 3 * * *', '2021-04-03T02:00:00Z', ['2021-04-03T13:30']],
    ['Australia/Lord_Howe', '45 1 * * *', '2026-04-04T03:00:00Z', ['2026-04-04T14:45']],
    // Every hour is every hour that passes.
    [
      'Europe/Berlin',
      '30 * * * *',
      '2026-10-25T00:00:00Z',
      ['00:30', '01:30', '02:30'].map((time) => `2026-10-25T${time}`),
    ],
    // A day that was left out, and a zone whose clocks never change.
    ['Pacific/Apia', '0 3 * * *', '2011-12-29T12:00:00Z', ['2011-12-29T13:00', '2011-12-30T13:00']],
    ['Asia/Kolkata', '0 3 * * *', '2026-03-28T12:00:00Z', ['2026-03-28T21:30']],
  ])('in %s, %j', (zone, pattern, from, expected) => {
    expect(times(pattern, zone, from, 2).slice(0, expected.length)).toEqual(expected);
  });

  test('a pattern that names one time comes once every day, in every zone, as its clocks show it', () => {
    const zones = ['Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Pacific/Apia', 'Australia/Lord_Howe'];
    for (const zone of zones)
      for (const [hourOf, minuteOf] of [
        [1, 45],
        [2, 0],
        [2, 30],
      ]) {
        const found: Instant[] = [];
        const cron = timesOf(`${minuteOf} ${hourOf} * * *`, zone);
        for (let at = cron.next(instant(Date.UTC(2026, 0, 1))); found.length < 366 && at; at = cron.next(at))
          found.push(at);
        const shown = found.map((at) => clockTime(at, zone));
        expect(new Set(shown.map((text) => text.slice(0, 10))).size).toBe(366);
        const asked = `0${hourOf}:${String(minuteOf).padStart(2, '0')}`;
        const others = shown.filter((text) => !text.endsWith(asked));
        // Once a year at most, and then right after the change.
        expect([others.length <= 1, others.every((text) => text.slice(11) > asked)]).toEqual([true, true]);
      }
  });
});

describe('a pattern', () => {
  test.each([
    '99 * * * *',
    '* 25 * * *',
    '1 2 3',
    '*/0 2 * * *',
    '0 5-2 * * *',
    '2026-01-01T00:00:00',
    'x y z a b',
    '',
    '2026-12-01T03:00:00',
    'postgres://lockkeeper:secret@db:5432/x',
    '10:00',
    'T:',
  ])('%j is none', (pattern) => expect(isPattern(pattern)).toBe(false));

  test('or a zone that is none is refused with what to write', () => {
    expect(() => timesOf('61 * * * *', 'UTC')).toThrow('is no cron pattern in a time zone');
    expect(() => timesOf('0 3 * * *', 'Europe/Nowhere')).toThrow('is no cron pattern in a time zone');
  });

  test('that never comes has no time and no gaps', () => {
    expect(timesOf('0 0 30 2 *', 'Europe/Berlin').next(instant(0))).toBeUndefined();
    expect(gapsOf('0 0 30 2 *')).toBeUndefined();
    expect(gapsOf('0 0 29 2 *')?.shortestMs).toBe(1461 * day);
    expect(gapsOf('0,10 3 * * *')).toEqual({ shortestMs: 10 * minute, longestMs: 23 * hour + 50 * minute });
  });

  test('means the same where its steps are written out', () => {
    const step = fc.integer({ min: 1, max: 59 });
    const field = (size: number) =>
      fc.oneof(
        fc.constant('*'),
        step.filter((by) => by <= size).map((by) => `*/${by}`),
        fc.integer({ min: 0, max: size - 1 }).map(String),
        fc
          .tuple(fc.integer({ min: 0, max: size - 1 }), fc.integer({ min: 0, max: size - 1 }), step)
          .map(([one, other, by]) => `${Math.min(one, other)}-${Math.max(one, other)}/${Math.min(by, size)}`),
      );
    fc.assert(
      fc.property(field(60), field(24), fc.integer({ min: 0, max: 2 * 365 * 24 }), (minutes, hours, at) => {
        const from = instant(at * hour);
        const pattern = `${minutes} ${hours} * * *`;
        expect(isPattern(pattern)).toBe(true);
        expect(timesOf(pattern, 'UTC').next(from)).toBe(plain(pattern, from));
      }),
      { numRuns: 60 },
    );
    expect(byTheClock('*/30 2 * * *')).toBe('0,30 2 * * *');
    expect(byTheClock('*/30 * * * *')).toBe('*/30 * * * *');
  });

  /** Minute by minute, as the manual of cron says. */
  function plain(pattern: string, from: Instant): number {
    const [minutes = '', hours = ''] = pattern.split(' ');
    for (let at = from + minute; ; at += minute) {
      const date = new Date(at);
      if (fits(minutes, date.getUTCMinutes()) && fits(hours, date.getUTCHours())) return at;
    }
  }

  function fits(field: string, value: number): boolean {
    const [range = '', by = '1'] = field.split('/');
    const [first = 0, last = 59] = range === '*' ? [] : range.split('-').map(Number);
    const end = range.includes('-') || range === '*' ? last : first;
    return value >= first && value <= end && (value - first) % Number(by) === 0;
  }
});

describe('a time zone', () => {
  test.each(['Europe/Berlin', 'UTC', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5'])('%s is one', (zone) =>
    expect(isTimeZone(zone)).toBe(true),
  );
  test.each(['Europe/Nowhere', '+01:00', '', 'Berlin', '2'])('%j is none', (zone) =>
    expect(isTimeZone(zone)).toBe(false),
  );

  test('shows its own clock, with seconds where there are any', () => {
    const at = parseInstant('2026-12-31T22:59:30Z');
    expect(clockTime(at, 'Europe/Berlin')).toBe('2026-12-31 23:59:30');
    expect(clockTime(instant(at + 30_000), 'Europe/Berlin')).toBe('2027-01-01 00:00');
    expect(clockTime(at, 'Asia/Kolkata')).toBe('2027-01-01 04:29:30');
  });
});
