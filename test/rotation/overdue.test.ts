import { describe, expect, test } from '@jest/globals';
import { rotateVerb } from '../../functions/cli/rotate.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { day, formatInstant, hour, instant, minute } from '../../shared/base/time.ts';
import { decodeJournal, encodeJournal } from '../../shared/rotation/journal/journal-format.ts';
import { rotate } from '../../shared/rotation/run.ts';
import type { Service } from '../../shared/services/contract.ts';
import { Faults } from '../broken-writes.ts';
import { fc } from '../properties.ts';
import { firstValue, makePlace, unlessKilled, window, withOther, type Place, type PlaceOptions } from './place.ts';

/** A place that drains, with clients that stay on the old value. */
async function drainingWith(peers: readonly string[], options: PlaceOptions = {}): Promise<Place> {
  const place = await makePlace(options);
  for (const peer of peers) place.host.openSession('app_a', firstValue, peer);
  expect(await place.run({ now: true })).toMatchObject({ phase: 'draining' });
  return place;
}

/** Runs every hour for so long; what each new notice said, with the hour. */
async function hourly(place: Place, ms: number, run: () => Promise<unknown> = () => place.run()) {
  const [began, notices]: readonly [number, { hour: number; text: string }[]] = [place.world.now(), []];
  for (let known = place.told.length; place.world.now() < began + ms; place.world.pass(hour)) {
    await run();
    for (const { text } of place.told.slice(known)) notices.push({ hour: (place.world.now() - began) / hour, text });
    known = place.told.length;
  }
  return notices;
}

const closeAll = (place: Place) => place.host.sessionsOf('app_a').forEach((one) => one.close());

describe('a drain that lasts long beyond its window', () => {
  test('is told once, with user, address, program and beginning of each session, and is in the log', async () => {
    const place = await drainingWith(['10.0.4.17 (api)', '10.0.4.18 (cron)']);
    const notices = await hourly(place, 20 * day);
    expect(notices.map((one) => one.hour)).toEqual([(window + day) / hour]);
    const text = notices[0]?.text ?? '';
    expect(text).toMatch(
      /^Rotation of app-db waits for 2 sessions on the old value; its window was over at 2026-10-01T02/,
    );
    expect(text).toContain('\n  app_a from 10.0.4.17 (api) since 2026-10-01T00:00:00Z\n');
    expect(text).toContain('\n  app_a from 10.0.4.18 (cron) since 2026-10-01T00:00:00Z\n');
    expect(place.told).toMatchObject([{ level: 'warning' }]);
    expect(place.log.events.filter(({ action }) => action === 'rotation.overdue')).toMatchObject([
      { stage: 'fact', details: { sessions: 2, windowOver: '2026-10-01T02:00:00Z', phase: 'draining' } },
    ]);
    expect(await place.run()).toMatchObject({
      text: expect.stringMatching(/2 sessions left.*; overdue since 2026-10-02T02/),
    });
  });

  test('is not told again when the sessions come from other hosts, and the next drain is', async () => {
    const place = await drainingWith(['10.0.4.17 (api)']);
    expect(await hourly(place, 2 * day)).toHaveLength(1);
    for (let at = 1; at < 5; at += 1) {
      place.host.openSession('app_a', firstValue, `10.0.5.${at} (api)`);
      place.host.sessionsOf('app_a')[0]?.close();
      expect(await hourly(place, day)).toEqual([]);
    }
    closeAll(place);
    expect(await place.run()).toMatchObject({ outcome: 'done' });
    const second = place.consumer('one');
    place.host.openSession(second.slot, second.value.open(), '10.0.6.1 (api)');
    await place.run({ now: true });
    expect(await hourly(place, 2 * day)).toMatchObject([{ text: expect.stringContaining('10.0.6.1 (api)') }]);
  });

  test('names many sessions by place, those with the most first, in the notice, the log and what rotate prints', async () => {
    const many = Array.from({ length: 12 }, () => '10.0.4.17 (api)');
    const others = Array.from({ length: 300 }, (_, at) => `10.1.${at >> 8}.${at & 255} (batch)`);
    const place = await drainingWith([...others, ...many]);
    const text = (await hourly(place, 2 * day))[0]?.text ?? '';
    const lines = text.split('\n').filter((line) => line.startsWith('  '));
    expect(lines[0]).toBe('  12 as app_a from 10.0.4.17 (api), the oldest since 2026-10-01T00:00:00Z');
    expect(lines.at(-1)).toBe('  and 282 more from 282 other places');
    expect(lines).toHaveLength(20);
    const entry = place.log.events.find(({ action }) => action === 'rotation.overdue');
    expect(entry?.details).toMatchObject({ sessions: 312 });
    expect(entry?.details['left']).toHaveLength(50);
    const printed: string[] = [];
    const { plan, service, stores, ...shared } = place.deps();
    const deps = { ...shared, credentials: [{ plan, service, stores }] };
    const signal = new AbortController().signal;
    const terminal = { json: false, signal, out: (line: string) => void printed.push(line), err: () => undefined };
    expect(await rotateVerb(['app-db'], {}, deps, terminal)).toBe(0);
    expect(printed).toContain(
      '  still logged in: 12 as app_a from 10.0.4.17 (api), the oldest since 2026-10-01T00:00:00Z',
    );
    expect(printed.filter((line) => line.includes('still logged in'))).toHaveLength(20);
  });

  test('shows what a client calls itself as one visible line, and never what looks like a secret', async () => {
    const place = await drainingWith(['10.0.4.17 (a\u202e\nWays out: none)', '10.0.4.18 (password=hunter2hunter2)']);
    const text = (await hourly(place, 2 * day))[0]?.text ?? '';
    expect(text).toContain('\n  app_a from 10.0.4.17 (a\\u202e\\u000aWays out: none) since');
    expect(JSON.stringify([text, place.log.events, await place.run()].slice(0, 2))).not.toContain('hunter2');
  });

  test('can be ended by the command that the notice prints', async () => {
    const place = await drainingWith(['10.0.4.17 (api)']);
    const text = (await hourly(place, 2 * day))[0]?.text ?? '';
    const [, name = '', flags = '', reason = ''] =
      /lockkeeper rotate (\S+) ([-a-z ]+) --reason "(\w+)"/.exec(text) ?? [];
    expect(flags).toBe('--now --leaked');
    const { plan, service, stores, ...shared } = place.deps();
    const deps = { ...shared, credentials: [{ plan, service, stores }] };
    const terminal = { json: false, signal: new AbortController().signal, out: () => undefined, err: () => undefined };
    expect(await rotateVerb([name], { now: true, leaked: true, reason }, deps, terminal)).toBe(0);
    expect(place.journal()).toMatchObject({ phase: 'done' });
    expect(place.host.sessionsOf('app_a')).toEqual([]);
    expect(place.consumerLogsIn('two')).toBe(true);
  });
});

describe('whatever keeps a drain open, people hear of it once:', () => {
  test('a service that is silent is told as a trouble, and who is left once it answers', async () => {
    const place = await drainingWith(['10.0.4.17 (api)']);
    place.world.pass(window);
    place.host.isUp = false;
    const silent = await hourly(place, 4 * day);
    expect(silent.map((one) => one.text)).toEqual(silent.map(() => expect.stringContaining('does not go on')));
    place.host.isUp = true;
    place.world.pass(day);
    expect(await hourly(place, 5 * day)).toMatchObject([{ text: expect.stringContaining('10.0.4.17 (api)') }]);
  });

  test('a clock of the service that stands still is named, where sessions are seen and where they are not', async () => {
    for (const sessionsSeen of ['exact', 'none'] as const) {
      const place = await makePlace({ host: { sessionsSeen } });
      const deps = place.deps();
      const stands = place.world.now();
      const telling: Service['describe'] = async () => ({ ...(await deps.service.describe()), clock: stands });
      const stuck = { ...deps, service: withOther(deps.service, { describe: telling }) };
      await rotate(stuck, { now: true });
      expect(await hourly(place, 9 * day, () => rotate(stuck))).toMatchObject([
        {
          hour: (window + day) / hour,
          text: expect.stringMatching(/although its window was over[\s\S]*set the clocks/),
        },
      ]);
      expect(await place.run()).toMatchObject({ outcome: 'done' });
    }
  });

  test('clocks that jump begin the window anew and make the drain no younger', async () => {
    const place = await makePlace();
    const deps = place.deps();
    let looks = 0;
    // Right at the first look of a run, three days ahead where the window begins.
    const telling: Service['describe'] = async () => {
      looks += 1;
      return { ...(await deps.service.describe()), clock: instant(place.world.now() + (looks > 1 ? 3 * day : 0)) };
    };
    const runs = async (request = {}) => {
      looks = 0;
      await rotate({ ...deps, service: withOther(deps.service, { describe: telling }) }, request);
    };
    await runs({ now: true });
    const notices = await hourly(place, 6 * day, runs);
    expect(place.journal()).toMatchObject({ phase: 'draining', drain: { told: true } });
    expect(notices).toHaveLength(1);
  });

  test('a messenger that is down tells it later, and stops nothing', async () => {
    const place = await drainingWith(['10.0.4.17 (api)']);
    const notify = async () => Promise.reject(new LockkeeperError('unreachable', 'chat is down'));
    await hourly(place, 3 * day, () => rotate({ ...place.deps(), notify }));
    expect(place.told).toEqual([]);
    expect(await hourly(place, day)).toMatchObject([{ hour: 0 }]);
    closeAll(place);
    expect(await place.run()).toMatchObject({ outcome: 'done' });
  });

  test.each(['killed-before', 'killed-after', 'lost-before', 'lost-after'] as const)(
    'a run that is %s any of its writes tells it twice at most, and never not at all',
    async (how) => {
      for (let at = 0; at < 3; at += 1) {
        const place = await drainingWith(['10.0.4.17 (api)']);
        place.world.pass(window + day);
        const faults = new Faults(new Map([[at, how]]));
        await unlessKilled(place.run({}, faults));
        const isMarked = place.journal()?.drain?.told === true;
        const before = place.told.length;
        faults.restart();
        await hourly(place, 2 * day);
        expect(place.told.length - before).toBe(isMarked ? 0 : 1);
        expect(place.told.length).toBeLessThanOrEqual(2);
      }
    },
  );

  test('at any pace of runs, after any pause, as soon as somebody runs', async () => {
    const pace = fc.integer({ min: minute, max: 3 * day });
    const given = fc.record({
      overdueMs: fc.integer({ min: 0, max: 5 * day }),
      pauses: fc.array(pace, { minLength: 8, maxLength: 20 }),
    });
    await fc.assert(
      fc.asyncProperty(given, async ({ overdueMs, pauses }) => {
        const place = await drainingWith(['10.0.4.17 (api)'], { plan: { overdueMs }, oneStore: true });
        const due = place.world.now() + window + overdueMs;
        for (const pause of pauses) {
          place.world.pass(pause);
          await place.run();
          expect(place.told.length).toBe(place.world.now() >= due ? 1 : 0);
        }
      }),
      { numRuns: 25 },
    );
  });
});

describe('the end of a drain is proven', () => {
  test('in the report and in the entries of the end: when the window was over, and who was looked for where', async () => {
    const place = await drainingWith(['10.0.4.17 (api)'], { endpoints: ['primary', 'replica'] });
    place.world.pass(window + hour);
    expect(await place.run()).toMatchObject({ outcome: 'waiting', sessions: [{ peer: '10.0.4.17 (api)' }] });
    closeAll(place);
    const report = await place.run();
    expect(report.steps).toContain(
      'drained: window over at 2026-10-01T02:00:00Z, 0 sessions on the old value at 2 endpoints at 2026-10-01T03:00:00Z',
    );
    const drained = { windowOver: '2026-10-01T02:00:00Z', sessions: 0, endpoints: 2, at: '2026-10-01T03:00:00Z' };
    const ends = place.log.events.filter(({ action }) => action === 'rotation.retire');
    expect(ends).toMatchObject([
      { stage: 'intent', details: { drained } },
      { stage: 'outcome', result: 'done', details: { drained } },
    ]);
  });

  test('by time alone where no sessions are seen, and by nothing where nobody was waited for', async () => {
    const blind = await makePlace({ host: { sessionsSeen: 'none' } });
    await blind.run({ now: true });
    blind.world.pass(window);
    expect((await blind.run()).steps).toContain(
      'drained: window over at 2026-10-01T02:00:00Z, the service shows no sessions, so time alone tells',
    );
    for (const place of [await makePlace({ strategy: 'single' }), await makePlace()]) {
      await place.run({ leaked: { reason: 'found in a chat' } });
      expect(JSON.stringify(place.log.events)).not.toContain('drained');
    }
  });
});

test('a journal holds the marks of a drain only where they are needed, and reads journals without them', async () => {
  const place = await drainingWith(['10.0.4.17 (api)']);
  const before = place.journal();
  expect(Object.keys(before?.drain ?? {})).toEqual(['host', 'service', 'mark']);
  await hourly(place, 2 * day);
  const after = place.journal();
  expect(after?.drain).toMatchObject({ told: true });
  for (const journal of [before, after])
    expect(journal && decodeJournal(encodeJournal(journal), 'app-db')).toEqual(journal);
  expect(formatInstant(instant(after?.drain?.host ?? 0))).toBe('2026-10-01T00:00:00Z');
});
