import { describe, expect, test } from '@jest/globals';
import { LockkeeperError } from '../../shared/base/error.ts';
import { minute } from '../../shared/base/time.ts';
import { rotate } from '../../shared/rotation/run.ts';
import type { Service } from '../../shared/services/contract.ts';
import { firstValue, loginIn, makePlace, putByHand, runUntilDone, window, withOther } from './place.ts';

describe('nothing is published before it is proven:', () => {
  test('the value is durable in every store before the service is touched', async () => {
    const place = await makePlace();
    const deps = place.deps();
    const pending: (string | undefined)[] = [];
    const change: Service['change'] = async (login, keep, guard) => {
      for (const vault of Object.values(place.vaults)) pending.push([...vault.shelves.values()][0]?.pending?.text);
      expect(pending.every((text) => text?.includes(login.value.open()))).toBe(true);
      return await deps.service.change(login, keep, guard);
    };
    await rotate({ ...deps, service: withOther(deps.service, { change }) }, { now: true });
    expect(pending).toHaveLength(2);
  });

  test('a verification that cannot be made is no yes: nothing is published, and the same value is tried again later', async () => {
    const place = await makePlace();
    const deps = place.deps();
    let isBroken = true;
    const accepts: Service['accepts'] = async (login) => {
      if (isBroken && login.slot === 'app_b')
        throw new LockkeeperError('unreachable', 'the second endpoint does not answer');
      return await deps.service.accepts(login);
    };
    const broken = { ...deps, service: withOther(deps.service, { accepts }) };
    expect(await rotate(broken, { now: true })).toMatchObject({
      outcome: 'failed',
      phase: 'set',
      until: place.world.now() + minute,
    });
    expect(place.consumer('one').value.open()).toBe(firstValue);
    const staged = place.vaults['one']?.shelves.get('app-db')?.pending?.text;
    isBroken = false;
    expect(await rotate(broken)).toMatchObject({ outcome: 'waiting', steps: [] });
    place.world.pass(minute);
    expect(await rotate(broken)).toMatchObject({ phase: 'draining' });
    expect(place.vaults['one']?.shelves.get('app-db')?.current?.text).toBe(staged);
  });

  test('one endpoint that refuses is enough to publish nothing', async () => {
    const place = await makePlace({ endpoints: ['primary', 'replica'] });
    const deps = place.deps();
    const accepts: Service['accepts'] = async (login) =>
      (await deps.service.accepts(login)).map((answer) => ({
        ...answer,
        answer: login.slot === 'app_b' && answer.endpoint === 'replica' ? 'refused' : answer.answer,
      }));
    const report = await rotate({ ...deps, service: withOther(deps.service, { accepts }) }, { now: true });
    expect(report).toMatchObject({ outcome: 'failed', phase: 'set' });
    expect(place.consumer('two').value.open()).toBe(firstValue);
    expect(place.host.holds('app_a', firstValue)).toBe(true);
  });

  test('an endpoint that did not answer at all is not counted as a yes', async () => {
    const place = await makePlace({ endpoints: ['primary', 'replica'] });
    const deps = place.deps();
    const accepts: Service['accepts'] = async (login) =>
      (await deps.service.accepts(login)).slice(0, login.slot === 'app_b' ? 1 : 2);
    expect(await rotate({ ...deps, service: withOther(deps.service, { accepts }) }, { now: true })).toMatchObject({
      outcome: 'failed',
    });
    expect(place.consumer('one').value.open()).toBe(firstValue);
  });
});

describe('the drain:', () => {
  test('begins only when every store has taken the new value, however late that is', async () => {
    const place = await makePlace();
    const deps = place.deps();
    const two = deps.stores['two'];
    if (!two) throw new Error('no store two');
    const promote = async () => Promise.reject(new LockkeeperError('unreachable', 'store two is down'));
    const down = new Proxy(two, {
      get: (store, name): unknown => Reflect.get(name === 'promote' ? { promote } : store, name),
    });
    const late = { ...deps, stores: { ...deps.stores, two: down } };
    expect(await rotate(late, { now: true })).toMatchObject({ outcome: 'failed', phase: 'verified' });
    place.world.pass(window);
    expect(await place.run()).toMatchObject({ phase: 'draining', until: place.world.now() + window });
    expect(place.host.holds('app_a', firstValue)).toBe(true);
  });

  test('lasts the window from when a store has settled, and what it shows meanwhile changes nothing', async () => {
    const settlesMs = window * 2;
    const place = await makePlace({ vault: { settlesMs } });
    expect(await place.run({ now: true })).toMatchObject({
      phase: 'draining',
      until: place.world.now() + window + settlesMs,
    });
    expect(place.vaults['one']?.consumer('app-db')).toContain(firstValue);
    place.world.pass(window + settlesMs - 1);
    expect(await place.run({ now: true })).toMatchObject({ outcome: 'waiting', phase: 'draining' });
    place.world.pass(1);
    expect(await place.run()).toMatchObject({ outcome: 'done' });
    expect(place.consumerLogsIn('one') && place.consumerLogsIn('two')).toBe(true);
  });

  test('the old value stays valid for the whole window, and nobody can shorten it by asking', async () => {
    const place = await makePlace();
    await place.run({ now: true });
    place.world.pass(window - 1);
    expect(await place.run({ now: true })).toMatchObject({ outcome: 'waiting', phase: 'draining' });
    expect(place.host.holds('app_a', firstValue)).toBe(true);
    place.world.pass(1);
    expect(await place.run()).toMatchObject({ outcome: 'done' });
  });

  test('after the window it waits for every session on the old user, and says whose they are', async () => {
    const place = await makePlace();
    const session = place.host.openSession('app_a', firstValue, '10.0.4.17 (api)');
    await place.run({ now: true });
    place.world.pass(window * 10);
    const report = await place.run({ now: true });
    expect(report).toMatchObject({ outcome: 'waiting', sessions: [{ slot: 'app_a', peer: '10.0.4.17 (api)' }] });
    expect(report.text).toContain('10.0.4.17 (api)');
    expect(place.host.holds('app_a', firstValue)).toBe(true);
    session?.close();
    expect(await place.run()).toMatchObject({ outcome: 'done' });
  });

  test('where sessions are told apart by a mark, it waits for those that were opened before the window was over', async () => {
    const place = await makePlace({ strategy: 'additive' });
    const old = place.host.openSession('app_a', firstValue, 'old');
    await place.run({ now: true });
    place.world.pass(window);
    expect(await place.run()).toMatchObject({ outcome: 'waiting', sessions: [{ peer: 'old' }] });
    place.host.openSession('app_a', place.consumer('one').value.open(), 'young');
    expect(await place.run()).toMatchObject({ outcome: 'waiting', sessions: [{ peer: 'old' }] });
    old?.close();
    expect(await place.run()).toMatchObject({ outcome: 'done' });
    expect(place.host.sessionsOf('app_a')).toHaveLength(1);
  });

  test('no second rotation starts while one drains', async () => {
    const place = await makePlace();
    const { rotation } = await place.run({ now: true });
    place.world.pass(window / 2);
    expect(await place.run({ now: true })).toMatchObject({ outcome: 'waiting', rotation });
    expect(place.consumer('one').slot).toBe('app_b');
  });

  test('a store that hands out the old user again stops the retirement', async () => {
    const place = await makePlace();
    await place.run({ now: true });
    putByHand(place, 'app_a', firstValue);
    place.world.pass(window);
    expect(await place.run()).toMatchObject({ outcome: 'blocked', text: expect.stringContaining('one/app-db') });
    expect(place.host.holds('app_a', firstValue)).toBe(true);
  });
});

describe('the end:', () => {
  test('a retirement that did not work is found by logging in, tried again, and then told', async () => {
    const place = await makePlace();
    const deps = place.deps();
    const broken = { ...deps, service: withOther(deps.service, { retire: async () => [] }) };
    await rotate(broken, { now: true });
    place.world.pass(window);
    expect(await rotate(broken)).toMatchObject({ outcome: 'failed', text: expect.stringContaining('still logs in') });
    for (let runs = 0; runs < 2; runs += 1) {
      place.world.pass(10 * minute);
      await rotate(broken);
    }
    expect(place.journal()).toMatchObject({
      phase: 'retired',
      proof: null,
      blocked: { reason: 'old-still-accepted', told: true },
    });
    expect(place.told).toHaveLength(1);
    expect(await place.run()).toMatchObject({ outcome: 'blocked', steps: [] });
    expect(await place.run({ now: true })).toMatchObject({ outcome: 'done' });
    expect(place.host.holds('app_a', firstValue)).toBe(false);
  });

  test('the old value is tried once, and only after it was retired', async () => {
    const place = await makePlace();
    await runUntilDone(place);
    expect([...place.host.failedLogins]).toEqual([['app_a', 1]]);
    const retired = place.trail.indexOf('effect retire');
    expect(retired).toBeGreaterThan(0);
    expect(
      place.log.events
        .filter((event) => event.action === 'rotation.login' && event.stage === 'outcome')
        .map((event) => event.details['candidate']),
    ).toEqual(['current', 'new', 'new', 'old', 'new']);
  });
});

describe('the guard:', () => {
  test('a rotator that slept through a whole rotation changes nothing when it wakes', async () => {
    const place = await makePlace();
    const asleep = Promise.withResolvers<void>();
    const atTheDoor = Promise.withResolvers<void>();
    const deps = place.deps();
    const change: Service['change'] = async (login, keep, guard) => {
      atTheDoor.resolve();
      await asleep.promise;
      return await deps.service.change(login, keep, guard);
    };
    const late = rotate({ ...deps, service: withOther(deps.service, { change }) }, { now: true });
    await atTheDoor.promise;
    const stale = loginIn(place.vaults['one']?.shelves.get('app-db')?.pending?.text ?? '');
    // Three turns later the user it was about to change is the one that consumers use.
    for (let turn = 0; turn < 3; turn += 1) await runUntilDone(place);
    const live = place.consumer('one');
    expect(live.slot).toBe(stale.slot);
    asleep.resolve();
    expect(await late).toMatchObject({ outcome: 'busy' });
    expect(place.host.holds(stale.slot, stale.value.open())).toBe(false);
    expect(place.consumer('one').value.equals(live.value)).toBe(true);
    expect(place.consumerLogsIn('one') && place.consumerLogsIn('two')).toBe(true);
    expect(await runUntilDone(place)).toMatchObject({ outcome: 'done' });
  });
});
