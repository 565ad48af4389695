import { describe, expect, test } from '@jest/globals';
import { after, day, hour, instant, parseInstant, type Instant } from '../../shared/base/time.ts';
import { timesOf } from '../../shared/calendars/times.ts';
import { adopt } from '../../shared/rotation/adopt.ts';
import type { Calendar } from '../../shared/rotation/schedule/calendar.ts';
import type { RotationReport } from '../../shared/rotation/run.ts';
import { fc } from '../properties.ts';
import { makePlace } from './place.ts';

/** A time in which lockkeeper does not run, or in which the service is down. */
interface Outage {
  readonly from: Instant;
  readonly to: Instant;
  readonly of: 'lockkeeper' | 'service';
}

/** What happened in one hour. */
interface Hour {
  readonly at: Instant;
  readonly isWell: boolean;
  readonly hasRun: boolean;
  readonly isResting: boolean;
  readonly hasBegun: boolean;
  readonly told: number;
}

const start = parseInstant('2026-10-01T00:00:00Z');
const end = after(start, 365 * day);

const outages = fc.array(
  fc
    .record({
      from: fc.integer({ min: 0, max: 365 * 24 }),
      hours: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 400 })),
      of: fc.constantFrom<Outage['of']>('lockkeeper', 'service'),
    })
    .map(({ from, hours, of }): Outage => {
      const begins = after(start, from * hour);
      return { from: begins, to: after(begins, hours * hour), of };
    }),
  { minLength: 25, maxLength: 45 },
);

/** A year of a host that runs lockkeeper every hour, unless it is down. */
async function year(calendar: Calendar, out: readonly Outage[]): Promise<readonly Hour[]> {
  const place = await makePlace({ plan: { calendar }, oneStore: true });
  await adopt(place.deps());
  const hours: Hour[] = [];
  let isResting = true;
  for (; place.world.now() < end; place.world.pass(hour)) {
    const at = place.world.now();
    const isIn = (of: Outage['of']) => out.some((one) => one.of === of && one.from <= at && at < one.to);
    const wasResting = isResting;
    const hasRun = !isIn('lockkeeper');
    place.host.isUp = !isIn('service');
    place.log.events.length = 0;
    const before = place.told.length;
    if (hasRun) isResting = isAtRest(await place.run());
    const hasBegun = place.log.events.some(({ action, stage }) => action === 'rotation.plan' && stage === 'intent');
    const told = place.told.slice(before).filter(({ text }) => text.includes('did not begin')).length;
    hours.push({ at, isWell: hasRun && place.host.isUp, hasRun, isResting: wasResting, hasBegun, told });
  }
  return hours;
}

function isAtRest({ phase }: RotationReport): boolean {
  return phase === undefined || phase === 'done';
}

function comings(pattern: string, timeZone: string): readonly Instant[] {
  const found: Instant[] = [];
  const times = timesOf(pattern, timeZone);
  for (let at = times.next(start); at !== undefined && at < end; at = times.next(at)) found.push(at);
  return found;
}

const calendars: readonly (readonly [string, Calendar])[] = [
  [
    'weekly, at weekends, in Berlin',
    {
      pattern: '30 2 * * 3',
      timeZone: 'Europe/Berlin',
      windows: [{ opens: '0 2 * * 0,6', lastsMs: 4 * hour }],
      jitterMs: 2 * hour,
    },
  ],
  [
    'every third day, at night, on Lord Howe',
    {
      pattern: '0 12 */3 * *',
      timeZone: 'Australia/Lord_Howe',
      windows: [{ opens: '0 1 * * *', lastsMs: 3 * hour }],
      jitterMs: 0,
    },
  ],
];

describe.each(calendars)('a year with outages: %s:', (_, calendar) => {
  test('every due time has one beginning at most, and one wherever a window was open and all was well', async () => {
    const { pattern = '', timeZone, windows } = calendar;
    const dues = comings(pattern, timeZone);
    const opens = windows.flatMap((one) =>
      comings(one.opens, timeZone).map((at) => ({ opens: at, closes: after(at, one.lastsMs) })),
    );
    await fc.assert(
      fc.asyncProperty(outages, async (out) => {
        const hours = await year(calendar, out);
        const begins = hours.filter(({ hasBegun }) => hasBegun).map(({ at }) => at);
        expect(begins.length).toBeGreaterThan(10);
        const outside = begins.filter((at) => !opens.some((one) => one.opens <= at && at < one.closes));
        expect(outside).toEqual([]);
        const periods = begins.map((at) => dues.findLastIndex((due) => due <= at));
        expect([new Set(periods).size, periods.includes(-1)]).toEqual([periods.length, false]);
        const wrong = opens.filter((window) => wasMissed(window, hours, dues));
        expect(wrong).toEqual([]);
        expect(tellings(hours, opens, dues)).toEqual([]);
      }),
      { numRuns: 1 },
    );
  });
});

interface Opening {
  readonly opens: Instant;
  readonly closes: Instant;
}

/** All was well from its opening to its end, a rotation was due before it and none under way, and none began. */
function wasMissed({ opens, closes }: Opening, hours: readonly Hour[], dues: readonly Instant[]): boolean {
  const within = hours.filter(({ at }) => at >= opens && at < closes);
  const [first] = within;
  if (!first?.isResting || !within.every(({ isWell }) => isWell)) return false;
  const due = dues.findLast((at) => at <= opens);
  const ended = hours.findLast(({ at, isResting }) => at < opens && !isResting)?.at ?? 0;
  // What was under way when it became due, or began since, was that turn.
  return due !== undefined && due > ended && !within.some(({ hasBegun }) => hasBegun);
}

/** Each run after windows passed tells it, once for each due time. */
function tellings(hours: readonly Hour[], opens: readonly Opening[], dues: readonly Instant[]): readonly string[] {
  const found: string[] = [];
  let knownOf = 0;
  let ended: number = start;
  for (const { at, hasRun, isResting, told } of hours) {
    if (!isResting) ended = at;
    const due = dues.find((one) => one > ended);
    const isMissed = due !== undefined && opens.some((one) => one.opens >= due && one.closes <= at);
    const expected = hasRun && isResting && isMissed && knownOf !== due ? 1 : 0;
    if (told !== expected) found.push(`${new Date(instant(at)).toISOString()}: told ${told}, not ${expected}`);
    if (told > 0 && due !== undefined) knownOf = due;
  }
  return found;
}
