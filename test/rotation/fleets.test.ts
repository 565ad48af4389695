import { describe, expect, test } from '@jest/globals';
import { day, hour, instant, minute } from '../../shared/base/time.ts';
import { rotate } from '../../shared/rotation/run.ts';
import type { Service } from '../../shared/services/contract.ts';
import { firstValue, makePlace, runUntilDone, window, withOther, type Place } from './place.ts';

const endpoints = ['a', 'b', 'c'];
const fleet = (more: Parameters<typeof makePlace>[0] = {}) =>
  makePlace({ endpoints, ...more, host: { fleet: 'each', ...more.host } });
const leaked = { reason: 'found in a chat' };

async function often(place: Place, ms: number): Promise<void> {
  for (let at = 0; at < ms; at += 10 * minute) {
    place.world.pass(10 * minute);
    await place.run();
  }
}

describe('where every endpoint is changed for itself and one is silent,', () => {
  async function endsWell(place: Place): Promise<void> {
    expect(place.consumer('one').value.open()).toBe(firstValue);
    expect(place.consumerLogsIn('one')).toBe(true);
    place.host.setUp('b', true);
    place.world.pass(hour);
    expect(await runUntilDone(place)).toMatchObject({ outcome: 'done' });
    expect(place.host.holdsSomewhere('app_a', firstValue)).toBe(false);
    expect(place.consumerLogsIn('one')).toBe(true);
  }

  test('an ordinary rotation does not begin', async () => {
    const place = await fleet();
    place.host.setUp('b', false);
    const said = { outcome: 'failed', text: expect.stringMatching(/\bb\b.* does not answer/) };
    expect(await place.run({ now: true })).toMatchObject(said);
    expect(place.trail.filter((what) => what.startsWith('effect'))).toEqual([]);
    await endsWell(place);
  });

  test('an ordinary rotation that began publishes nothing, and people are told after an hour', async () => {
    const place = await fleet();
    const deps = place.deps();
    const change: Service['change'] = async (login, keep, guard) => {
      place.host.setUp('b', false);
      return await deps.service.change(login, keep, guard);
    };
    const broken = { ...deps, service: withOther(deps.service, { change }) };
    expect(await rotate(broken, { now: true })).toMatchObject({ outcome: 'failed', phase: 'staged' });
    expect(place.told).toEqual([]);
    await often(place, 90 * minute);
    expect(place.told).toMatchObject([{ level: 'warning', text: expect.stringMatching(/\bb\b.* does not answer/) }]);
    expect(place.journal()?.blocked).toBeNull();
    await endsWell(place);
  });

  test.each(['set', 'verified', 'retired'] as const)(
    'an ordinary rotation does not go on from %s, and nothing is taken for refused',
    async (phase) => {
      const place = await fleet();
      const isThere = () => place.journal()?.phase === phase;
      const world = { ...place.world, deadline: () => (isThere() ? instant(0) : place.world.deadline()) };
      for (const passMs of [0, window]) {
        place.world.pass(passMs);
        if (!isThere()) await rotate({ ...place.deps(), world }, { now: true });
      }
      place.host.setUp('b', false);
      await often(place, day);
      expect(place.journal()).toMatchObject({ phase, blocked: null, proof: null });
      expect(place.host.failedLogins.get('app_b')).toBeUndefined();
      expect(place.told).toMatchObject([{ level: 'warning' }]);
      place.host.setUp('b', true);
      place.world.pass(hour);
      expect(await runUntilDone(place)).toMatchObject({ outcome: 'done' });
    },
  );

  test('a drain ends nothing for a value that one endpoint cannot be asked about', async () => {
    const place = await fleet();
    await place.run({ now: true });
    place.host.setUp('c', false);
    place.world.pass(window);
    await often(place, 2 * hour);
    expect(place.host.holds('app_a', firstValue)).toBe(true);
    expect(place.told).toHaveLength(1);
    expect(place.journal()?.blocked).toBeNull();
    place.host.setUp('c', true);
    place.world.pass(hour);
    expect(await runUntilDone(place)).toMatchObject({ outcome: 'done' });
    expect(place.host.holdsSomewhere('app_a', firstValue)).toBe(false);
  });

  test.each(['alternating', 'additive'] as const)(
    'an emergency goes on with the others, says which is left, and ends once it came back (%s)',
    async (strategy) => {
      const place = await fleet({ strategy });
      place.host.setUp('b', false);
      const report = await place.run({ leaked });
      expect(report).toMatchObject({ outcome: 'failed', until: undefined, emergency: ['lockkeeper: found in a chat'] });
      expect(report.text).toMatch(/\bb\b.* does not answer/);
      for (const endpoint of ['a', 'c']) {
        expect(place.host.holds('app_a', firstValue, endpoint)).toBe(false);
        const { slot, value } = place.consumer('one');
        expect(place.host.holds(slot, value.open(), endpoint)).toBe(true);
      }
      expect(place.host.holds('app_a', firstValue, 'b')).toBe(true);
      expect(place.told.some(({ level, text }) => level === 'alarm' && /\bb\b/.test(text))).toBe(true);
      const value = place.consumer('one').value.open();
      for (let runs = 0; runs < 10; runs += 1) {
        place.world.pass(10 * minute);
        expect(await place.run()).toMatchObject({ outcome: 'failed' });
      }
      expect(place.consumer('one').value.open()).toBe(value);
      expect(place.told.filter(({ text }) => text.includes('was ordered'))).toHaveLength(1);
      place.host.setUp('b', true);
      expect(await place.run()).toMatchObject({ outcome: 'done' });
      expect(place.host.holdsSomewhere('app_a', firstValue)).toBe(false);
      expect(place.consumerLogsIn('one') && place.consumerLogsIn('two')).toBe(true);
      expect(place.consumer('one').value.open()).toBe(value);
      expect(place.told.at(-1)?.text).toContain('must sign');
    },
  );

  test('an emergency with every endpoint silent changes nothing and is tried in every run', async () => {
    const place = await fleet();
    place.host.isUp = false;
    expect(await place.run({ leaked })).toMatchObject({ outcome: 'failed', until: undefined });
    await often(place, hour);
    expect(place.consumer('one').value.open()).toBe(firstValue);
    place.host.isUp = true;
    expect(await place.run()).toMatchObject({ outcome: 'done' });
  });
});

test('an endpoint that lags a moment is asked again, and consumers are not called out of bed for it', async () => {
  const place = await makePlace({ strategy: 'single', endpoints });
  place.host.lag('c');
  expect(await place.run({ now: true })).toMatchObject({ outcome: 'failed' });
  place.world.pass(minute);
  place.host.catchUp('c');
  expect(await runUntilDone(place, {})).toMatchObject({ outcome: 'done' });
  expect(place.told).toEqual([]);
});
