import { describe, expect, test } from '@jest/globals';
import { LockkeeperError } from '../../shared/base/error.ts';
import { rotate } from '../../shared/rotation/run.ts';
import type { Service } from '../../shared/services/contract.ts';
import { firstValue, makePlace, runUntilDone, withOther, type Place } from './place.ts';

const leaked = { reason: 'found in a chat' };

const review = (place: Place): string => {
  const [, stored] = [...place.bucket.objects].find(([key]) => key.startsWith('reviews/')) ?? [];
  return Buffer.from(stored?.bytes ?? []).toString();
};

describe('a leaked value', () => {
  test.each(['alternating', 'additive', 'single'] as const)(
    'is refused in one run, without waiting for anybody (%s)',
    async (strategy) => {
      const place = await makePlace({ strategy });
      const thief = place.host.openSession('app_a', firstValue, '203.0.113.9');
      const report = await place.run({ leaked });
      expect(report).toMatchObject({ outcome: 'done' });
      expect(place.host.holds('app_a', firstValue)).toBe(false);
      expect(thief?.isOpen()).toBe(false);
      expect(place.consumerLogsIn('one') && place.consumerLogsIn('two')).toBe(true);
      expect(place.journal()).toMatchObject({
        proof: 'refused',
        emergency: { orders: [{ reason: leaked.reason, told: true }], reviewed: true, told: true },
      });
    },
  );

  test('opens a review that two people must sign, and tells people that it begins and how it ended', async () => {
    const place = await makePlace();
    const { rotation } = await place.run({ leaked });
    expect(JSON.parse(review(place))).toMatchObject({
      rotation,
      credential: 'app-db',
      reason: leaked.reason,
      needed: 2,
      signatures: [],
    });
    expect(place.told).toEqual([
      expect.objectContaining({
        level: 'alarm',
        text: expect.stringMatching(/was ordered by lockkeeper: found in a chat/),
      }),
      expect.objectContaining({
        level: 'alarm',
        text: expect.stringMatching(/found in a chat.*refused.*lockkeeper review sign r-/),
      }),
    ]);
  });

  test('ends both users, also the one that an earlier rotation is still draining', async () => {
    const place = await makePlace();
    await place.run({ now: true });
    const second = place.consumer('one');
    const slow = place.host.openSession('app_a', firstValue, 'slow consumer');
    const thief = place.host.openSession(second.slot, second.value.open(), '203.0.113.9');
    expect(await place.run({ leaked })).toMatchObject({ outcome: 'done' });
    expect(place.host.holds('app_a', firstValue) || place.host.holds(second.slot, second.value.open())).toBe(false);
    expect([slow?.isOpen(), thief?.isOpen()]).toEqual([false, false]);
    expect(place.consumerLogsIn('one') && place.consumerLogsIn('two')).toBe(true);
  });

  test.each(['change', 'accepts', 'promote'] as const)('takes over a rotation that stuck at %s', async (at) => {
    const place = await makePlace();
    const deps = place.deps();
    const stuck = async () => Promise.reject(new LockkeeperError('unreachable', 'stuck'));
    const accepts: Service['accepts'] = async (login) =>
      login.slot === 'app_b' ? stuck() : deps.service.accepts(login);
    const service =
      at === 'promote' ? deps.service : withOther(deps.service, at === 'change' ? { change: stuck } : { accepts });
    const two = deps.stores['two'];
    if (!two) throw new Error('no store two');
    const stores = at === 'promote' ? { ...deps.stores, two: { ...readable(two), promote: stuck } } : deps.stores;
    expect(await rotate({ ...deps, service, stores }, { now: true })).toMatchObject({ outcome: 'failed' });
    const held = Object.values(place.vaults).flatMap((vault) =>
      [...vault.shelves.values()].flatMap((shelf) => shelf.pending?.text ?? []),
    );
    expect(held.length).toBeGreaterThan(0);
    expect(await place.run({ leaked })).toMatchObject({ outcome: 'done' });
    expect(place.host.holds('app_a', firstValue)).toBe(false);
    expect(place.consumer('one').value.equals(place.consumer('two').value)).toBe(true);
    expect(held.some((text) => text.includes(place.consumer('one').value.open()))).toBe(false);
    expect(place.consumerLogsIn('one')).toBe(true);
  });

  test('is finished by the schedule if the run that began it died', async () => {
    const place = await makePlace();
    const deps = place.deps();
    const retire: Service['retire'] = async () => Promise.reject(new LockkeeperError('unreachable', 'down'));
    expect(await rotate({ ...deps, service: withOther(deps.service, { retire }) }, { leaked })).toMatchObject({
      outcome: 'failed',
    });
    expect(await runUntilDone(place, {})).toMatchObject({ outcome: 'done' });
    expect(place.host.holds('app_a', firstValue)).toBe(false);
    expect(review(place)).not.toBe('');
  });
});

function readable<T extends object>(store: T): T {
  return {
    ...store,
    ...Object.fromEntries(['read', 'stage', 'abandon', 'retire'].map((name) => [name, Reflect.get(store, name)])),
  };
}
