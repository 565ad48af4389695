import { describe, expect, test } from '@jest/globals';
import { LockkeeperError } from '../../shared/base/error.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import { hour, minute } from '../../shared/base/time.ts';
import { rotate } from '../../shared/rotation/run.ts';
import type { Service } from '../../shared/services/contract.ts';
import { firstValue, makePlace, putByHand, runUntilDone, withOther, type Place } from './place.ts';

const stagedText = (place: Place) => place.vaults['one']?.shelves.get('app-db')?.pending?.text;

describe('the service in trouble:', () => {
  test('while it is down every attempt waits longer, an hour at most, and the value stays the same', async () => {
    const place = await makePlace();
    const deps = place.deps();
    let isDown = true;
    const change: Service['change'] = async (login, keep, guard) => {
      if (isDown) throw new LockkeeperError('unreachable', 'connection refused');
      return await deps.service.change(login, keep, guard);
    };
    const broken = { ...deps, service: withOther(deps.service, { change }) };
    const waits: number[] = [];
    const steps: string[] = [];
    let report = await rotate(broken, { now: true });
    const staged = stagedText(place);
    for (let runs = 0; runs < 9; runs += 1) {
      expect(report).toMatchObject({ outcome: 'failed', phase: 'staged', error: { code: 'unreachable' } });
      waits.push((report.until ?? 0) - place.world.now());
      place.world.pass((waits.at(-1) ?? 0) - 1);
      const early = await rotate(broken);
      expect(early).toMatchObject({ outcome: 'waiting' });
      steps.push(...early.steps);
      place.world.pass(1);
      report = await rotate(broken);
    }
    // Once it has lasted an hour people are told, once.
    expect([steps, place.told]).toMatchObject([['notify people'], [{ level: 'warning' }]]);
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60].map((minutes) => minutes * minute));
    expect(stagedText(place)).toBe(staged);
    isDown = false;
    place.world.pass(hour);
    expect(await rotate(broken)).toMatchObject({ outcome: 'waiting', phase: 'draining' });
    expect(place.vaults['one']?.shelves.get('app-db')?.current?.text).toBe(staged);
  });

  test('a change that may have happened keeps its value and is done again', async () => {
    const place = await makePlace();
    const deps = place.deps();
    let lost = 1;
    const change: Service['change'] = async (login, keep, guard) => {
      const results = await deps.service.change(login, keep, guard);
      if (lost-- > 0) throw new LockkeeperError('uncertain', 'the answer was lost');
      return results;
    };
    const broken = { ...deps, service: withOther(deps.service, { change }) };
    expect(await rotate(broken, { now: true })).toMatchObject({ outcome: 'failed', error: { code: 'uncertain' } });
    const staged = stagedText(place);
    place.world.pass(minute);
    expect(await rotate(broken)).toMatchObject({ phase: 'draining' });
    expect(place.vaults['one']?.shelves.get('app-db')?.current?.text).toBe(staged);
    expect([...place.host.failedLogins]).toEqual([]);
  });

  test('a value that policy refuses is given up for another one under another rotation', async () => {
    const place = await makePlace();
    const refused: string[] = [];
    place.host.policy = (value) => (refused.length < 2 && refused.push(value) > 0 ? 'too plain' : undefined);
    expect(await place.run({ now: true })).toMatchObject({ outcome: 'waiting', phase: 'draining' });
    expect(new Set(refused).size).toBe(2);
    expect(refused).not.toContain(place.consumer('one').value.open());
    expect(place.journal()?.past).toHaveLength(2);
    expect(stagedText(place)).toBeUndefined();
  });

  test('when policy refuses every value, people are told and consumers notice nothing', async () => {
    const place = await makePlace();
    place.host.policy = () => 'never';
    expect(await place.run({ now: true })).toMatchObject({
      outcome: 'blocked',
      text: expect.stringContaining('never'),
    });
    expect(place.told).toEqual([expect.objectContaining({ level: 'alarm' })]);
    expect(place.consumerLogsIn('one')).toBe(true);
    expect(
      place.log.events.filter((event) => event.action === 'rotation.change' && event.result === 'refused'),
    ).toHaveLength(5);
  });
});

describe('when nobody logs in any more:', () => {
  async function lockedOut(): Promise<Place> {
    const place = await makePlace();
    const deps = place.deps();
    const change: Service['change'] = async (_login, _keep, guard) => {
      await guard();
      place.host.setByHand('app_a', 'changed-by-somebody-else-0123456789');
      return [];
    };
    const broken = { ...deps, service: withOther(deps.service, { change }) };
    expect(await rotate(broken, { now: true })).toMatchObject({ outcome: 'failed', phase: 'staged' });
    place.world.pass(minute);
    expect(await rotate(broken)).toMatchObject({ outcome: 'failed', phase: 'staged' });
    place.world.pass(2 * minute);
    expect(await rotate(broken)).toMatchObject({ outcome: 'blocked' });
    return place;
  }

  test('it stops, tells people once, and makes no third value however often it runs', async () => {
    const place = await lockedOut();
    const staged = stagedText(place);
    for (let runs = 0; runs < 5; runs += 1) {
      place.world.pass(10 * hour);
      expect(await place.run()).toMatchObject({ outcome: 'blocked', steps: [] });
    }
    expect(place.told).toHaveLength(1);
    expect(place.told[0]?.text).toContain('refused both');
    expect(stagedText(place)).toBe(staged);
    expect([...place.host.failedLogins]).toEqual([
      ['app_b', 3],
      ['app_a', 1],
    ]);
  });

  test('a person goes on with the very same value', async () => {
    const place = await lockedOut();
    const staged = stagedText(place);
    expect(await place.run({ now: true })).toMatchObject({ phase: 'draining' });
    expect(place.vaults['two']?.shelves.get('app/db')?.current?.text).toBe(staged);
    expect(place.consumerLogsIn('two')).toBe(true);
  });

  test('people hear of it in the next run if the first could not tell them', async () => {
    const place = await makePlace();
    place.host.policy = () => 'never';
    const deaf = {
      ...place.deps(),
      notify: async () => Promise.reject(new LockkeeperError('unreachable', 'chat is down')),
    };
    expect(await rotate(deaf, { now: true })).toMatchObject({ outcome: 'blocked' });
    expect(place.journal()?.blocked).toMatchObject({ told: false });
    expect(await place.run()).toMatchObject({ outcome: 'blocked' });
    expect(place.told).toHaveLength(1);
  });
});

describe('somebody else at the stores:', () => {
  test('a hand-made change during the rotation stops it; --now goes on from there', async () => {
    const place = await makePlace();
    const deps = place.deps();
    const accepts: Service['accepts'] = async (login) => {
      if (login.slot === 'app_b') putByHand(place, 'app_a', firstValue);
      return await deps.service.accepts(login);
    };
    const report = await rotate({ ...deps, service: withOther(deps.service, { accepts }) }, { now: true });
    expect(report).toMatchObject({ outcome: 'blocked', text: expect.stringContaining('one/app-db') });
    expect(place.told).toHaveLength(1);
    place.world.pass(hour);
    expect(await place.run()).toMatchObject({ outcome: 'blocked', steps: [] });
    expect(place.consumerLogsIn('one') && place.consumerLogsIn('two')).toBe(true);
    expect(await runUntilDone(place)).toMatchObject({ outcome: 'done' });
    expect(place.consumer('one').slot).toBe('app_b');
  });

  test('a value that somebody else staged is not touched; --now forgets it', async () => {
    const place = await makePlace();
    await runUntilDone(place);
    const text = new Sealed(JSON.stringify({ username: 'app_a', password: 'staged-by-hand-0123456789' }));
    await place.deps().stores['two']?.stage('app/db', 'by-hand', text);
    expect(await place.run({ now: true })).toMatchObject({
      outcome: 'blocked',
      text: expect.stringContaining('by-hand'),
    });
    expect(place.vaults['two']?.shelves.get('app/db')?.pending?.rotation).toBe('by-hand');
    expect(await runUntilDone(place)).toMatchObject({ outcome: 'done' });
  });

  test('a rotation whose journal was lost goes on with the value that is staged', async () => {
    const place = await makePlace();
    const deps = place.deps();
    const change: Service['change'] = async () => Promise.reject(new LockkeeperError('unreachable', 'down'));
    await rotate({ ...deps, service: withOther(deps.service, { change }) }, { now: true });
    const staged = stagedText(place);
    const lost = place.journal()?.rotation;
    place.bucket.objects.clear();
    expect(await place.run({ now: true })).toMatchObject({ phase: 'draining', rotation: lost });
    expect(place.vaults['one']?.shelves.get('app-db')?.current?.text).toBe(staged);
  });
});

describe('before it begins:', () => {
  test('nothing happens where the current login is refused, unless a person insists', async () => {
    const place = await makePlace({ plan: { everyMs: 0 } });
    await runUntilDone(place);
    place.host.setByHand(place.consumer('one').slot, 'changed-by-somebody-else-0123456789');
    expect(await place.run()).toMatchObject({
      outcome: 'blocked',
      text: expect.stringContaining('refuses what consumers read'),
    });
    expect(await place.run({ now: true })).toMatchObject({ phase: 'draining' });
    expect(place.consumerLogsIn('one')).toBe(true);
  });

  test('a user that should be idle but is in use is left alone', async () => {
    const place = await makePlace();
    place.host.setByHand('app_b', 'somebody-uses-this-0123456789');
    place.host.openSession('app_b', 'somebody-uses-this-0123456789', '10.0.9.9');
    expect(await place.run({ now: true })).toMatchObject({
      outcome: 'blocked',
      text: expect.stringContaining('10.0.9.9'),
    });
    expect(place.trail).not.toContain('effect change');
  });

  test('everything in the way is told at once, before any side effect', async () => {
    const place = await makePlace();
    place.host.problems = ['The owner role is missing. Run: CREATE ROLE app_owner NOLOGIN;'];
    putByHand(place, 'stranger', 'a-password-of-a-stranger');
    const report = await place.run({ now: true });
    expect(report.outcome).toBe('blocked');
    for (const part of ['CREATE ROLE app_owner', 'hands out user stranger', 'different logins'])
      expect(report.text).toContain(part);
    expect(place.trail).toEqual([]);
    expect(place.journal()).toBeUndefined();
  });

  test('a single user is refused unless downtime is accepted', async () => {
    const refusing = await makePlace({ strategy: 'single', plan: { acceptDowntime: false } });
    expect(await refusing.run({ now: true })).toMatchObject({
      outcome: 'blocked',
      text: expect.stringContaining('acceptDowntime'),
    });
    expect(refusing.trail).toEqual([]);
    const accepting = await makePlace({ strategy: 'single' });
    expect(await accepting.run({ now: true })).toMatchObject({ outcome: 'done' });
  });

  test('the deadline of the host is kept: a run stops before it and the next goes on', async () => {
    const place = await makePlace();
    place.world.setDeadline(place.world.now());
    expect(await place.run({ now: true })).toMatchObject({ outcome: 'stopped', steps: [] });
  });

  test('without an acknowledged intent nothing is done', async () => {
    const place = await makePlace();
    const deaf = {
      ...place.deps(),
      audit: { record: async () => Promise.reject(new LockkeeperError('unreachable', 'the log is down')) },
    };
    expect(await rotate(deaf, { now: true })).toMatchObject({ outcome: 'failed', error: { code: 'unreachable' } });
    expect(place.trail).toEqual([]);
    expect(place.told).toEqual([]);
  });
});
