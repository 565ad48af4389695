import { describe, expect, test } from '@jest/globals';
import { day, instant } from '../../shared/base/time.ts';
import { adopt } from '../../shared/rotation/adopt.ts';
import { rehearse } from '../../shared/rotation/rehearse.ts';
import { rotate } from '../../shared/rotation/run.ts';
import { firstValue, makePlace, putByHand, runUntilDone, window, type Place } from './place.ts';

const effects = (place: Place) => place.trail.filter((what) => what.startsWith('effect'));

describe('rehearsing', () => {
  test('changes nothing and names, in order, the steps that a real rotation then takes', async () => {
    const place = await makePlace();
    const before = structuredClone([...(place.vaults['one']?.shelves ?? [])]);
    const rehearsal = await rehearse(place.deps());
    expect(rehearsal).toMatchObject({ wouldFinish: true, failedLogins: 0, sessions: [] });
    expect([effects(place), [...place.bucket.objects]]).toEqual([[], []]);
    expect([...new Set(place.log.events.map(({ action }) => action))]).toEqual(['rotation.login']);
    expect([...(place.vaults['one']?.shelves ?? [])]).toEqual(before);
    await runUntilDone(place);
    const kinds = [
      /^stage/,
      /^stage/,
      /^set the new value/,
      /^publish/,
      /^publish/,
      /^end the old value/,
      /^end the old copy/,
      /^end the old copy/,
    ];
    const said = rehearsal.steps.filter((step) => kinds.some((kind) => kind.test(step)));
    expect(said.map((step, index) => kinds[index]?.test(step))).toEqual(kinds.map(() => true));
    expect(effects(place).filter((what) => !/create|replace/.test(what))).toEqual(
      ['stage', 'stage', 'change', 'promote', 'promote', 'retire', 'retire', 'retire'].map((what) => `effect ${what}`),
    );
  });

  test('tells who is logged in, and that a single user cannot be changed without failures', async () => {
    const place = await makePlace({ strategy: 'single' });
    place.host.openSession('app_a', firstValue, '10.0.4.17');
    const rehearsal = await rehearse(place.deps());
    expect(rehearsal).toMatchObject({ wouldFinish: true, failedLogins: undefined, sessions: [{ peer: '10.0.4.17' }] });
    expect(rehearsal.why).toContain('fails');
  });

  test('says where it would stop, and why', async () => {
    const place = await makePlace();
    place.host.problems = ['The owner role is missing. Run: CREATE ROLE app_owner NOLOGIN;'];
    const rehearsal = await rehearse(place.deps());
    expect(rehearsal.wouldFinish).toBe(false);
    expect(rehearsal.steps.at(-1)).toContain('CREATE ROLE app_owner');
  });

  test('works in the middle of a drain as well', async () => {
    const place = await makePlace();
    await place.run({ now: true });
    const { steps, wouldFinish } = await rehearse(place.deps());
    expect(wouldFinish).toBe(true);
    expect(steps[0]).toContain('wait');
    expect(place.journal()?.phase).toBe('draining');
  });

  test.each(
    (['alternating', 'additive', 'replacing', 'single'] as const).flatMap((strategy) => [
      [strategy, 'ordinary', { now: true }] as const,
      [strategy, 'emergency', { leaked: { reason: 'found in a chat' } }] as const,
    ]),
  )(
    'from wherever a run stopped says that it would finish, changes nothing, and is right (%s, %s)',
    async (strategy, kind, request) => {
      for (let stop = 0, isOver = false; !isOver && stop < 60; stop += 2) {
        const place = await makePlace({ strategy });
        let asked = 0;
        const deadline = () => (asked++ >= stop ? instant(0) : place.world.deadline());
        const { outcome } = await rotate({ ...place.deps(), world: { ...place.world, deadline } }, request);
        isOver = outcome !== 'stopped';
        const before = [effects(place).length, place.told.length];
        const rehearsal = await rehearse(place.deps());
        expect([stop, rehearsal.wouldFinish]).toEqual([stop, true]);
        expect([effects(place).length, place.told.length]).toEqual(before);
        const isEmergency = kind === 'emergency' && !isOver;
        expect(rehearsal.failedLogins === undefined).toBe(strategy === 'single' || isEmergency);
        expect(await runUntilDone(place, { now: true })).toMatchObject({ outcome: 'done' });
        expect(place.consumerLogsIn('one') && place.consumerLogsIn('two')).toBe(true);
      }
    },
  );
});

describe('adopting', () => {
  test('changes no password and no secret, and makes the first rotation due one interval later', async () => {
    const place = await makePlace();
    expect(await adopt(place.deps())).toEqual({
      credential: 'app-db',
      adopted: true,
      begins: 'due 2026-10-31T00:00:00Z',
      problems: [],
      risks: [],
      sql: [],
    });
    expect(effects(place)).toEqual(['effect create']);
    expect(await adopt(place.deps())).toMatchObject({ adopted: true });
    expect(await place.run()).toMatchObject({ outcome: 'idle', steps: [] });
    place.world.pass(30 * day);
    expect(await place.run()).toMatchObject({ phase: 'draining' });
    place.world.pass(window);
    expect(await place.run()).toMatchObject({ outcome: 'done' });
  });

  test('says everything that is in the way, with the SQL apart, and does not adopt', async () => {
    const place = await makePlace();
    place.host.problems = ['The owner role is missing. Run: CREATE ROLE app_owner NOLOGIN;'];
    place.host.fixes = ['CREATE ROLE app_owner NOLOGIN;'];
    putByHand(place, 'app_a', 'not-the-real-one-0123456789');
    const report = await adopt(place.deps());
    expect(report).toMatchObject({ adopted: false, sql: ['CREATE ROLE app_owner NOLOGIN;'] });
    expect(report.problems).toHaveLength(2);
    expect(place.journal()).toBeUndefined();
  });

  test('finds a store whose login does not work, and one that repeats the password elsewhere', async () => {
    const place = await makePlace({ oneStore: true });
    putByHand(place, 'app_a', 'not-the-real-one-0123456789');
    expect((await adopt(place.deps())).problems).toEqual([expect.stringContaining('refused')]);
    const repeated = JSON.stringify({ username: 'app_a', password: firstValue, note: `it is ${firstValue}` });
    place.vaults['one']?.setByHand('app-db', repeated);
    expect((await adopt(place.deps())).problems).toEqual([expect.stringContaining('repeats the password in note')]);
  });
});
