import { describe, expect, test } from '@jest/globals';
import { LockkeeperError } from '../../shared/base/error.ts';
import { day, hour } from '../../shared/base/time.ts';
import { adopt } from '../../shared/rotation/adopt.ts';
import { rotate } from '../../shared/rotation/run.ts';
import type { Service } from '../../shared/services/contract.ts';
import { PlantedSecret } from '../planted-secret.ts';
import { firstValue, makePlace, runUntilDone, window, withOther, type Place } from './place.ts';

/** Runs every hour for `days`; answers after how many hours people were told. */
async function toldAt(place: Place, days: number, run: () => Promise<unknown> = () => place.run()) {
  const [began, hours]: readonly [number, number[]] = [place.world.now(), []];
  for (let known = place.told.length; place.world.now() < began + days * day; place.world.pass(hour)) {
    await run();
    for (; known < place.told.length; known += 1) hours.push(Math.round((place.world.now() - began) / hour));
  }
  return hours;
}

const failing = (place: Place, text = 'connection refused') => {
  const deps = place.deps();
  const change: Service['change'] = async () => Promise.reject(new LockkeeperError('unreachable', text));
  return { ...deps, service: withOther(deps.service, { change }) };
};

describe('people are told', () => {
  test('of a trouble once it has lasted an hour, and again after growing pauses, a week at most', async () => {
    const place = await makePlace();
    const broken = failing(place);
    await rotate(broken, { now: true });
    expect(await toldAt(place, 15, () => rotate(broken))).toEqual([1, 25, 73, 169, 337]);
    expect(place.told.every(({ level, text }) => level === 'warning' && text.includes('connection refused'))).toBe(
      true,
    );
    expect(await runUntilDone(place)).toMatchObject({ outcome: 'done' });
  });

  test('at once where a due rotation cannot begin, and again after growing pauses', async () => {
    const place = await makePlace();
    await adopt(place.deps());
    place.world.pass(30 * day);
    place.host.problems = ['The owner role is missing. Run: CREATE ROLE app_owner NOLOGIN;'];
    expect(await toldAt(place, 10)).toEqual([0, 24, 72, 168]);
    expect(place.told[0]?.text).toMatch(/cannot begin: The owner role is missing/);
    place.host.problems = [];
    place.world.pass(day);
    expect(await place.run()).toMatchObject({ phase: 'draining' });
    expect(place.journal()?.trouble).toBeNull();
  });

  test('where what consumers read is refused, with one login an attempt and a day at most between two', async () => {
    const place = await makePlace();
    await adopt(place.deps());
    place.world.pass(30 * day);
    place.host.setByHand('app_a', 'changed-by-somebody-else-0123456789');
    const attempts: number[] = [];
    const run = async () => {
      const before = place.host.failedLogins.get('app_a') ?? 0;
      await place.run();
      const after = place.host.failedLogins.get('app_a') ?? 0;
      expect(after - before).toBeLessThanOrEqual(1);
      if (after > before) attempts.push(place.world.now());
    };
    expect(await toldAt(place, 12, run)).toEqual([0, 24, 72, 168]);
    expect(attempts.length).toBeLessThan(25);
    expect(Math.max(...attempts.map((at, index) => at - (attempts[index - 1] ?? at)))).toBeLessThanOrEqual(day + hour);
  });

  test('every hour or more of an emergency that is not finished', async () => {
    const place = await makePlace();
    place.host.isUp = false;
    const { leaked } = { leaked: { reason: 'found in a chat' } };
    expect(await place.run({ leaked })).toMatchObject({ outcome: 'failed', until: undefined });
    expect((await toldAt(place, 2)).length).toBeGreaterThanOrEqual(4);
    expect(place.told.every(({ level }) => level === 'alarm')).toBe(true);
    place.host.isUp = true;
    expect(await place.run()).toMatchObject({ outcome: 'done' });
    expect(place.host.holds('app_a', firstValue)).toBe(false);
  });

  test('in the next run, where the messenger is down; it stops nothing', async () => {
    const place = await makePlace();
    const notify = async () => Promise.reject(new LockkeeperError('unreachable', 'chat is down'));
    const leaked = { reason: 'found in a chat' };
    await rotate({ ...place.deps(), notify }, { leaked });
    expect(place.host.holds('app_a', firstValue)).toBe(false);
    expect(place.consumerLogsIn('one')).toBe(true);
    expect(await runUntilDone(place, {})).toMatchObject({ outcome: 'done' });
    expect(place.told.at(-1)?.text).toMatch(/found in a chat.*must sign/);
    const other = await makePlace();
    const deaf = { ...other.deps(), notify };
    await rotate(failing({ ...other, deps: () => deaf }), { now: true });
    other.world.pass(2 * hour);
    expect(await rotate(deaf)).toMatchObject({ phase: 'draining' });
    other.world.pass(window);
    expect(await rotate(deaf)).toMatchObject({ outcome: 'done' });
  });

  test('and no entry, journal or notice holds a secret that a driver put into its error', async () => {
    const planted = new PlantedSecret();
    const place = await makePlace();
    const broken = failing(place, `could not connect with password=${planted.bare()}`);
    await rotate(broken, { now: true });
    await toldAt(place, 3, () => rotate(broken));
    expect(place.told.length).toBeGreaterThan(1);
    planted.search('entries', place.log.events).search('people', place.told);
    for (const [key, { bytes }] of place.bucket.objects) planted.search(key, bytes);
    planted.expectNowhere();
  });
});
