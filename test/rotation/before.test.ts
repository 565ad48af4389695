import { describe, expect, test } from '@jest/globals';
import { Sealed } from '../../shared/base/sealed.ts';
import { day } from '../../shared/base/time.ts';
import { adopt } from '../../shared/rotation/adopt.ts';
import { importLogin } from '../../shared/rotation/import.ts';
import { rehearse } from '../../shared/rotation/rehearse.ts';
import { address, firstValue, makePlace, putByHand, runUntilDone, window, type Place } from './place.ts';

const effects = (place: Place) => place.trail.filter((what) => what.startsWith('effect'));

describe('rehearsing', () => {
  test('changes nothing and names, in order, the steps that a real rotation then takes', async () => {
    const place = await makePlace();
    const before = structuredClone([...(place.vaults['one']?.shelves ?? [])]);
    const rehearsal = await rehearse(place.deps());
    expect(rehearsal).toMatchObject({ wouldFinish: true, failedLogins: 0, sessions: [] });
    expect([effects(place), place.log.events, [...place.bucket.objects]]).toEqual([[], [], []]);
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
});

describe('adopting', () => {
  test('changes no password and no secret, and makes the first rotation due one interval later', async () => {
    const place = await makePlace();
    expect(await adopt(place.deps())).toEqual({ credential: 'app-db', adopted: true, problems: [], sql: [] });
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
    const place = await makePlace({ plan: { stores: [{ store: 'one', secret: 'app-db' }] } });
    putByHand(place, 'app_a', 'not-the-real-one-0123456789');
    expect((await adopt(place.deps())).problems).toEqual([expect.stringContaining('refused')]);
    const shelf = place.vaults['one']?.shelves.get('app-db');
    const url = JSON.stringify({
      username: 'app_a',
      password: firstValue,
      url: `postgres://app_a:${firstValue}@db/app`,
    });
    place.vaults['one']?.shelves.set('app-db', {
      ...shelf,
      promoted: [],
      previous: null,
      pending: null,
      current: { id: 'x', text: url },
    });
    expect((await adopt(place.deps())).problems).toEqual([expect.stringContaining('repeats the password in url')]);
  });
});

describe('importing', () => {
  test('puts the login that works today where nothing is, and nothing else anywhere', async () => {
    const place = await makePlace();
    place.vaults['two']?.shelves.clear();
    place.vaults['two']?.add('app/db');
    const login = { slot: 'app_a', value: new Sealed(firstValue) };
    expect(await importLogin(place.deps(), address, login)).toEqual([{ store: 'two', secret: 'app/db' }]);
    expect(await importLogin(place.deps(), address, login)).toEqual([]);
    expect(place.trail.filter((what) => / (change|retire)$/.test(what))).toEqual([]);
  });

  test('refuses a login that the service refuses, and never overwrites another', async () => {
    const place = await makePlace();
    await expect(
      importLogin(place.deps(), address, { slot: 'app_a', value: new Sealed('wrong') }),
    ).rejects.toMatchObject({ code: 'rejected' });
    place.host.setByHand('app_b', 'another-value-0123456789');
    await expect(
      importLogin(place.deps(), address, { slot: 'app_b', value: new Sealed('another-value-0123456789') }),
    ).rejects.toMatchObject({ code: 'conflict' });
  });
});
