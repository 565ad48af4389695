import { describe, expect, test } from '@jest/globals';
import { gapsOf } from '../../../shared/calendars/gaps.ts';
import { timesOf } from '../../../shared/calendars/times.ts';
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
import type { Calendar } from '../../../shared/rotation/schedule/calendar.ts';
import { missedSince, nextBegin, nextOpening, type Scheduled } from '../../../shared/rotation/schedule/due.ts';
import { dueText } from '../../../shared/rotation/schedule/due-text.ts';
import { fc } from '../../properties.ts';

const berlin = { timeZone: 'Europe/Berlin', windows: [], jitterMs: 0 };
const at = parseInstant;

function plan(calendar: Partial<Calendar>, more: Partial<Scheduled> = {}): Scheduled {
  return { name: 'app-db', everyMs: 30 * day, calendar: { ...berlin, ...calendar }, ...more };
}

/** When it begins, in UTC. */
function begins(scheduled: Scheduled, last: string, now = last): string {
  const next = nextBegin(scheduled, at(last), at(now));
  return next ? formatInstant(next.at) : 'never';
}

const nightly = [{ opens: '0 2 * * *', lastsMs: 3 * hour }];

describe('a rotation begins', () => {
  test.each<[string, Partial<Calendar>, string, string]>([
    ['so long after the last one', {}, '2026-06-01T10:00:00Z', '2026-07-01T10:00:00Z'],
    ['at the next time of its pattern', { pattern: '0 3 * * 0' }, '2026-06-01T10:00:00Z', '2026-06-07T01:00:00Z'],
    [
      'not at the time at which the last one ended',
      { pattern: '0 3 * * 0' },
      '2026-06-07T01:00:00Z',
      '2026-06-14T01:00:00Z',
    ],
    ['in the window after it is due', { windows: nightly }, '2026-06-01T10:00:00Z', '2026-07-02T00:00:00Z'],
    ['within one that is open when it is due', { windows: nightly }, '2026-06-01T01:30:00Z', '2026-07-01T01:30:00Z'],
    ['not at the moment at which one closes', { windows: nightly }, '2026-06-01T03:00:00Z', '2026-07-02T00:00:00Z'],
    [
      'in a window across midnight',
      { pattern: '15 0 * * *', windows: [{ opens: '0 23 * * *', lastsMs: 2 * hour }] },
      '2026-06-01T10:00:00Z',
      '2026-06-01T22:15:00Z',
    ],
    [
      'in the first of several windows',
      { windows: [{ opens: '0 12 * * *', lastsMs: hour }, ...nightly] },
      '2026-06-01T03:00:00Z',
      '2026-07-01T10:00:00Z',
    ],
    ['never where its pattern never comes', { pattern: '0 0 30 2 *' }, '2026-06-01T03:00:00Z', 'never'],
  ])('%s', (_, calendar, last, expected) => {
    expect(begins(plan(calendar), last)).toBe(expected);
  });

  test('where clocks change: an opening that does not exist opens after the change, one that comes twice opens once', () => {
    const windows = [{ opens: '30 2 * * *', lastsMs: 10 * minute }];
    const spring = (now: string) => begins(plan({ windows }), '2026-01-01T00:00:00Z', now);
    expect(spring('2026-03-28T12:00:00Z')).toBe('2026-03-29T01:00:00Z');
    expect(spring('2026-03-29T01:10:00Z')).toBe('2026-03-30T00:30:00Z');
    expect(spring('2026-10-24T12:00:00Z')).toBe('2026-10-25T00:30:00Z');
    expect(spring('2026-10-25T00:40:00Z')).toBe('2026-10-26T01:30:00Z');
  });

  test.each([
    ['2026-03-29', '2026-03-29T00:00:00Z'],
    ['2026-10-25', '2026-10-24T23:00:00Z'],
  ])('a window across the change of %s lasts as long as any', (_, opens) => {
    const windows = [{ opens: '0 1 * * *', lastsMs: 3 * hour }];
    const open = (now: Instant) => nextBegin(plan({ windows }), at('2026-01-01T00:00:00Z'), now)?.at === now;
    const from = at(opens);
    expect([-1, 0, 3 * hour - 1, 3 * hour].map((ms) => open(after(from, ms)))).toEqual([false, true, true, false]);
  });

  test('now, in the open window, where the clock that wrote the last end was wrong', () => {
    const jittered = { pattern: '0 3 * * 0', windows: nightly, jitterMs: hour };
    expect(begins(plan(jittered), '2099-01-01T00:00:00Z', '2026-06-01T00:00:00Z')).toBe('2026-06-01T00:00:00Z');
    expect(begins(plan(jittered), '2099-01-01T00:00:00Z', '2026-06-01T09:00:00Z')).toBe('2026-06-02T00:00:00Z');
    expect(begins(plan({ jitterMs: hour }), '2099-01-01T00:00:00Z', '2026-06-01T09:00:00Z')).toBe(
      '2026-06-01T09:00:00Z',
    );
  });
});

describe('windows that passed', () => {
  const weekly = plan({ pattern: '0 3 * * 0', windows: [{ opens: '0 3 * * 0', lastsMs: hour }] });
  const due = at('2026-06-07T01:00:00Z');

  test.each([
    ['2026-06-07T01:59:00Z', undefined],
    ['2026-06-07T02:00:00Z', 1],
    ['2026-06-20T02:00:00Z', 2],
    ['2036-06-20T02:00:00Z', 100],
  ])('since it was due are counted: until %s %s', (now, windows) => {
    expect(missedSince(weekly, due, at(now))?.windows).toBe(windows);
  });

  test('are whole ones only: what was open already when it became due does not count', () => {
    expect(
      missedSince(plan({ windows: nightly }), at('2026-06-07T02:55:00Z'), at('2026-06-07T10:00:00Z')),
    ).toBeUndefined();
    expect(missedSince(plan({}), at('2026-06-07T02:55:00Z'), at('2027-06-07T10:00:00Z'))).toBeUndefined();
  });
});

test.each<[Partial<Calendar>, string, string]>([
  [{ pattern: '0 3 31 12 *' }, '2026-06-01T10:00:00Z', 'due 2026-12-31 03:00 (Europe/Berlin)'],
  [
    { pattern: '0 3 31 12 *', windows: nightly },
    '2026-06-01T10:00:00Z',
    'due 2026-12-31 03:00 (Europe/Berlin) in the window from 2026-12-31 02:00 to 05:00',
  ],
  [
    { pattern: '0 12 31 12 *', windows: [{ opens: '0 22 * * *', lastsMs: 4 * hour }] },
    '2026-06-01T10:00:00Z',
    'due 2026-12-31 12:00 (Europe/Berlin), begins 2026-12-31 22:00 in the window from 2026-12-31 22:00 to 2027-01-01 02:00',
  ],
  [
    { pattern: '0 3 31 12 *', windows: nightly },
    '2027-01-01T10:00:00Z',
    'due since 2026-12-31 03:00 (Europe/Berlin), begins 2027-01-02 02:00 in the window from 2027-01-02 02:00 to 05:00',
  ],
])('people are told when in the time zone of the calendar (%#)', (calendar, now, text) => {
  const next = nextBegin(plan(calendar), at('2026-02-01T00:00:00Z'), at(now));
  if (!next) throw new Error('it never begins');
  expect(dueText(plan(calendar), next, at(now))).toBe(text);
});

describe('whatever the calendar, the zone and the name,', () => {
  const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Pacific/Apia', 'Australia/Lord_Howe'];
  const minuteOf = fc.constantFrom('0', '30', '45', '*/20');
  const hourOf = fc.constantFrom('2', '1,14', '23', '*/6', '*');
  const dayOf = fc.constantFrom('* * *', '* * 0', '1 * *', '* * 1-5', '31 * *', '29 2 *');
  const cron = fc.tuple(minuteOf, hourOf, dayOf).map((fields) => fields.join(' '));
  const share = fc.double({ min: 0.01, max: 0.99, noNaN: true });
  const windowOf = fc.tuple(cron, share).map(([opens, part]) => {
    const lastsMs = Math.max(minute, Math.floor(part * Math.min(gapsOf(opens)?.shortestMs ?? day, 20 * hour)));
    return { opens, lastsMs };
  });
  const calendar = fc.record({
    timeZone: fc.constantFrom(...zones),
    windows: fc.array(windowOf, { maxLength: 2 }),
    pattern: fc.option(cron, { nil: undefined }),
    jitter: fc.constantFrom(0, 0.2, 0.99),
  });
  const scheduled = fc
    .tuple(calendar, fc.string({ minLength: 1 }), fc.integer({ min: 1, max: 90 }))
    .map(([{ pattern, jitter, ...rest }, name, days]): Scheduled => {
      const interval = pattern === undefined ? days * day : (gapsOf(pattern)?.shortestMs ?? day);
      const jitterMs = Math.floor(jitter * Math.min(interval, ...rest.windows.map((one) => one.lastsMs)));
      return { name, everyMs: days * day, calendar: { ...rest, jitterMs, ...(pattern !== undefined && { pattern }) } };
    });
  // Around changes of clocks as often as not.
  const changes = ['2026-03-08T07:00', '2026-03-29T01:00', '2026-04-04T15:00', '2026-10-03T15:30', '2026-10-25T01:00'];
  const near = fc
    .tuple(fc.constantFrom(...changes), fc.integer({ min: -day, max: day }))
    .map(([change, ms]) => instant(at(`${change}:00Z`) + ms));
  const anyTime = fc.integer({ min: at('2026-01-01T00:00:00Z'), max: at('2028-03-01T00:00:00Z') }).map(instant);
  const moment = fc.oneof(near, anyTime);
  const later = fc.oneof(fc.integer({ min: 0, max: 2 * hour }), fc.integer({ min: 0, max: 400 * day }));
  const found = (one: Scheduled, last: Instant, now: Instant) => {
    const next = nextBegin(one, last, now);
    if (!next) throw new Error('it never begins');
    return next;
  };
  /** Openings not older than a window is long. */
  const isOpen = ({ calendar: known }: Scheduled, now: Instant) =>
    !known?.windows.length ||
    known.windows.some(({ opens, lastsMs }) => {
      const opened = timesOf(opens, known.timeZone).next(after(now, -lastsMs));
      return opened !== undefined && opened <= now;
    });
  const runs = { numRuns: 50 };

  test('it begins once due, now or later, in an open window, and then at once', () => {
    fc.assert(
      fc.property(scheduled, moment, later, (one, last, ms) => {
        const now = after(last, ms);
        const next = found(one, last, now);
        expect([next.due > last || one.calendar?.pattern === undefined, next.at >= next.due, next.at >= now]).toEqual([
          true,
          true,
          true,
        ]);
        expect(isOpen(one, next.at)).toBe(true);
        expect(found(one, last, next.at).at).toBe(next.at);
      }),
      runs,
    );
  });

  test('a later end is never due earlier, and nothing that waits begins earlier for looking later', () => {
    fc.assert(
      fc.property(scheduled, moment, later, later, (one, last, ms, more) => {
        const end = after(last, ms);
        const [first, second] = [found(one, last, last), found(one, end, end)];
        expect([second.due >= first.due, second.at >= first.at]).toEqual([true, true]);
        expect(found(one, last, after(last, more)).at).toBeGreaterThanOrEqual(first.at);
      }),
      runs,
    );
  });

  test('jitter moves it within its window by less than was asked, and never to the next due time', () => {
    fc.assert(
      fc.property(scheduled, moment, (one, last) => {
        const next = found(one, last, last);
        const exact = found({ ...one, calendar: { ...berlin, ...one.calendar, jitterMs: 0 } }, last, last);
        const { jitterMs = 0, pattern, timeZone = 'UTC' } = one.calendar ?? {};
        expect([next.at >= exact.at, next.at < exact.at + Math.max(jitterMs, 1)]).toEqual([true, true]);
        const then = pattern === undefined ? undefined : timesOf(pattern, timeZone).next(exact.at);
        expect(next.at).toBeLessThan(then ?? Infinity);
        expect(found({ ...one }, last, last)).toEqual(next);
      }),
      runs,
    );
  });

  test('no due time has two beginnings, and each has one where lockkeeper always runs', () => {
    fc.assert(
      fc.property(scheduled, moment, fc.integer({ min: 1, max: 3 * hour }), (one, start, lasts) => {
        const { pattern, timeZone = 'UTC' } = one.calendar ?? {};
        let last = start;
        let before: { readonly due: Instant; readonly at: Instant } | undefined;
        for (let turn = 0; turn < 5; turn += 1) {
          const next = found(one, last, last);
          expect(next.due).toBeGreaterThan(before?.due ?? 0);
          expect(next.at).toBeGreaterThan(before?.at ?? 0);
          expect(next.due).toBe(pattern === undefined ? next.due : timesOf(pattern, timeZone).next(last));
          before = next;
          last = after(next.at, lasts);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('the pause after a failure ends in the very next window', () => {
    fc.assert(
      fc.property(scheduled, moment, later, (one, last, ms) => {
        const next = found(one, last, after(last, ms));
        const opening = nextOpening(one, next.at);
        expect(opening === undefined).toBe((one.calendar?.windows.length ?? 0) === 0);
        expect(found(one, last, opening ?? next.at).at).toBe(opening ?? next.at);
      }),
      runs,
    );
  });
});

test('names share the jitter evenly', () => {
  const shares = Array.from({ length: 400 }, (_, index) => {
    const one = plan({ pattern: '0 3 * * *', jitterMs: hour }, { name: `service-${index}` });
    return (
      (nextBegin(one, at('2026-06-01T10:00:00Z'), at('2026-06-01T10:00:00Z'))?.at ?? 0) - at('2026-06-02T01:00:00Z')
    );
  });
  const tenths = Map.groupBy(shares, (ms) => Math.floor((ms / hour) * 10));
  expect([...tenths.keys()].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect([...tenths.values()].every((some) => some.length > 20 && some.length < 60)).toBe(true);
});
