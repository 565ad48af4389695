import { describe, expect, test } from '@jest/globals';
import { LockkeeperError } from '../../shared/base/error.ts';
import { day, hour } from '../../shared/base/time.ts';
import { adopt } from '../../shared/rotation/adopt.ts';
import { rehearse } from '../../shared/rotation/rehearse.ts';
import { rotate } from '../../shared/rotation/run.ts';
import type { Service } from '../../shared/services/contract.ts';
import { breaks, Faults } from '../broken-writes.ts';
import { unpaired } from '../intent-pairs.ts';
import { firstValue, makePlace, runUntilDone, withOther, unlessKilled, type Place } from './place.ts';

const leaked = { reason: 'found in a chat' };
const reviews = (place: Place) => [...place.bucket.objects.keys()].filter((key) => key.startsWith('reviews/'));
const ordered = (place: Place) => place.told.filter(({ text }) => text.includes('was ordered by'));

/** The service breaks off at its next change. */
const stuck = (place: Place) => {
  const deps = place.deps();
  const change: Service['change'] = async () => Promise.reject(new LockkeeperError('unreachable', 'broke off'));
  return { ...deps, service: withOther(deps.service, { change }) };
};

describe('an order', () => {
  test('is durable and people know of it before anything is looked at', async () => {
    const place = await makePlace();
    const deps = place.deps();
    const looking = async () => {
      expect(place.journal()).toMatchObject({ orders: [{ ...leaked, actor: 'lockkeeper', told: true }] });
      expect(ordered(place)).toHaveLength(1);
      throw new LockkeeperError('unreachable', 'the service is down');
    };
    const down = { ...deps, service: withOther(deps.service, { describe: looking }) };
    expect(await rotate(down, { leaked })).toMatchObject({
      outcome: 'failed',
      emergency: ['lockkeeper: found in a chat'],
    });
    expect(await place.run()).toMatchObject({ outcome: 'done' });
    expect(ordered(place)).toHaveLength(1);
  });

  test('that broke off at any of its writes is carried out by whoever asks or runs next, and people hear of it', async () => {
    const counted = new Faults();
    await (await makePlace()).run({ leaked }, counted);
    const last = counted.writes.findIndex((name) => name.endsWith('.stage'));
    for (let at = 0; at < last; at += 1)
      for (const how of breaks) {
        const place = await makePlace();
        const faults = new Faults(new Map([[at, how]]));
        await unlessKilled(place.run({ leaked }, faults));
        if (!place.journal()) await place.run({ leaked });
        for (let runs = 0; runs < 3; runs += 1) await place.run();
        expect(place.journal()).toMatchObject({ phase: 'done', orders: [], emergency: { orders: [leaked] } });
        expect(place.host.holds('app_a', firstValue)).toBe(false);
        expect(place.consumerLogsIn('one')).toBe(true);
        expect(place.told.some(({ text }) => text.includes('found in a chat'))).toBe(true);
      }
  });

  test('that could not be recorded is told to people all the same, and says that nothing was changed', async () => {
    const place = await makePlace();
    const deps = place.deps();
    const create = async () => Promise.reject(new LockkeeperError('denied', 'the state store is read-only'));
    const report = await rotate({ ...deps, state: { ...deps.state, create } }, { leaked });
    expect(report).toMatchObject({ outcome: 'failed', error: { code: 'denied' } });
    expect(place.told).toMatchObject([
      { level: 'alarm', text: expect.stringMatching(/could not be recorded.*still valid.*found in a chat/) },
    ]);
    expect(place.consumer('one').value.open()).toBe(firstValue);
  });

  test('given again in the same words before the new value is handed out is the same order', async () => {
    const place = await makePlace();
    await rotate(stuck(place), { leaked });
    await rotate(stuck(place), { leaked });
    expect(place.journal()).toMatchObject({ orders: [], emergency: { orders: [leaked] } });
    expect(await place.run({ leaked })).toMatchObject({ outcome: 'done' });
    expect([place.host.count('app_a'), reviews(place).length, ordered(place).length]).toEqual([0, 1, 1]);
  });

  test('given again after the value was replaced is another one: it may be the new value that leaked', async () => {
    const place = await makePlace();
    await place.run({ leaked });
    const second = place.consumer('one');
    expect(await place.run({ leaked })).toMatchObject({ outcome: 'done' });
    expect(place.host.holds(second.slot, second.value.open())).toBe(false);
    expect(place.consumerLogsIn('one')).toBe(true);
    expect([reviews(place).length, ordered(place).length]).toEqual([2, 2]);
  });

  test('for another leak during an emergency follows it, with both reasons in log, report, review and notice', async () => {
    const place = await makePlace();
    await rotate(stuck(place), { leaked });
    const [first] = Object.values(place.vaults).flatMap((vault) =>
      vault.shelves.values().flatMap(({ pending }) => pending?.text ?? []),
    );
    const report = await rotate({ ...place.deps(), actor: 'ann' }, { leaked: { reason: 'found in a backup' } });
    expect(report).toMatchObject({
      outcome: 'done',
      emergency: ['lockkeeper: found in a chat', 'ann: found in a backup'],
    });
    expect(first).not.toContain(place.consumer('one').value.open());
    expect(place.journal()?.orders).toEqual([]);
    expect(place.told.at(-1)?.text).toMatch(/found in a chat; found in a backup/);
    expect(Buffer.from(place.bucket.objects.get(reviews(place)[0] ?? '')?.bytes ?? []).toString()).toMatch(
      /found in a backup/,
    );
    expect(
      place.log.events.filter(({ action, stage }) => action === 'rotation.order' && stage === 'outcome'),
    ).toHaveLength(2);
    expect(unpaired(place.log.events)).toEqual([]);
  });

  test.each(['draining', 'retired'] as const)(
    'during an ordinary rotation at %s ends every value that ever was',
    async (phase) => {
      const place = await makePlace({ strategy: 'additive' });
      await place.run({ now: true });
      const second = place.consumer('one').value.open();
      if (phase === 'retired') {
        const deps = place.deps();
        place.world.pass(day);
        await rotate({ ...deps, service: withOther(deps.service, { retire: async () => [] }) });
      }
      expect(place.host.holds('app_a', firstValue)).toBe(true);
      expect(await place.run({ leaked })).toMatchObject({ outcome: 'done' });
      expect([firstValue, second].map((value) => place.host.holds('app_a', value))).toEqual([false, false]);
      expect([place.host.count('app_a'), place.consumerLogsIn('one')]).toEqual([1, true]);
    },
  );

  test('for a credential that was never adopted leaves it unadopted: the schedule does not touch it', async () => {
    const place = await makePlace();
    expect(await place.run({ leaked })).toMatchObject({ outcome: 'done' });
    expect(place.journal()).toMatchObject({ adopted: false, phase: 'done' });
    place.world.pass(99 * day);
    expect(await place.run()).toMatchObject({ outcome: 'idle', steps: [] });
    expect(await adopt(place.deps())).toMatchObject({ adopted: true });
    place.world.pass(31 * day);
    expect(await place.run()).toMatchObject({ phase: 'draining' });
  });

  test('for a credential that was adopted leaves it so: the next rotation is due one interval later', async () => {
    const place = await makePlace();
    await adopt(place.deps());
    await place.run({ leaked });
    expect(await place.run()).toMatchObject({ outcome: 'idle', until: place.world.now() + 30 * day });
    place.world.pass(30 * day);
    expect(await runUntilDone(place, {})).toMatchObject({ outcome: 'done' });
  });

  test('keeps a secret in its reason out of entries and notices', async () => {
    const place = await makePlace();
    await place.run({ leaked: { reason: 'it stands in postgres://app:hunter2-leaked@db/app' } });
    const all = JSON.stringify([place.log.events, place.told]);
    expect(all).not.toContain('hunter2');
  });

  const begunBefore = [false, true];
  test.each(begunBefore)(
    'goes round a store that cannot be read, names it, and ends once it can (begun before: %s)',
    async (isBegun) => {
      const place = await makePlace();
      if (isBegun) await place.run({ now: true });
      const old = place.consumer('two');
      place.vaults['two']?.setCorrupt('app/db', true);
      for (let runs = 0; runs < 3; runs += 1) {
        const report = await place.run(runs === 0 ? { leaked } : {});
        expect(report).toMatchObject({
          outcome: 'failed',
          until: undefined,
          text: expect.stringContaining('two/app/db'),
        });
        expect(
          [firstValue, old.value.open()].some(
            (value) => place.host.holds('app_a', value) || place.host.holds('app_b', value),
          ),
        ).toBe(false);
        expect(place.consumerLogsIn('one')).toBe(true);
        place.world.pass(hour);
      }
      expect(place.told.some(({ text }) => text.includes('two/app/db'))).toBe(true);
      place.vaults['two']?.setCorrupt('app/db', false);
      expect(await place.run()).toMatchObject({ outcome: 'done' });
      expect(place.consumer('two').value.equals(place.consumer('one').value)).toBe(true);
      expect(place.consumerLogsIn('two')).toBe(true);
      const shelves = Object.values(place.vaults).flatMap((vault) => vault.shelves.values());
      expect(shelves.map(({ pending, earlier }) => [pending, earlier])).toEqual([
        [null, []],
        [null, []],
      ]);
    },
  );

  test('replaces a text that no login can be read from', async () => {
    const place = await makePlace();
    place.vaults['two']?.setByHand('app/db', 'garbage');
    expect(await place.run({ leaked })).toMatchObject({ outcome: 'done' });
    expect(place.host.holds('app_a', firstValue)).toBe(false);
    expect(place.consumer('two').value.equals(place.consumer('one').value)).toBe(true);
    expect(place.consumerLogsIn('one')).toBe(true);
  });
});

describe('a rehearsed emergency', () => {
  test.each(['alternating', 'additive', 'replacing', 'single'] as const)(
    'says how many sessions it ends, promises no 0, and changes nothing (%s)',
    async (strategy) => {
      const place = await makePlace({ strategy });
      for (const peer of ['10.0.0.1', '10.0.0.2', '10.0.0.3']) place.host.openSession('app_a', firstValue, peer);
      const before = [place.host.state, place.bucket.objects.size];
      const rehearsal = await rehearse(place.deps(), { leaked: true });
      expect(rehearsal).toMatchObject({ wouldFinish: true, failedLogins: undefined });
      expect(rehearsal.why).toMatch(/emergency.*3 sessions/);
      expect([place.host.state, place.bucket.objects.size]).toEqual(before);
      expect(place.told).toEqual([]);
      expect(rehearsal.steps.some((step) => step.includes('its sessions'))).toBe(true);
      expect(await place.run({ leaked })).toMatchObject({ outcome: 'done' });
    },
  );

  test('is what a rehearsal shows once an emergency was ordered, or is under way', async () => {
    const place = await makePlace();
    await rotate(stuck(place), { leaked });
    expect(await rehearse(place.deps())).toMatchObject({ wouldFinish: true, failedLogins: undefined });
    const other = await makePlace();
    other.host.isUp = false;
    await other.run({ leaked });
    other.host.isUp = true;
    expect(await rehearse(other.deps())).toMatchObject({ wouldFinish: true, failedLogins: undefined });
  });

  test('begins where the ordinary one would be stopped', async () => {
    const place = await makePlace();
    place.host.problems = ['The owner role is missing.'];
    expect(await rehearse(place.deps())).toMatchObject({ wouldFinish: false });
    const { steps, wouldFinish } = await rehearse(place.deps(), { leaked: true });
    expect(steps[0]).toContain('not waited for: The owner role is missing.');
    expect({ wouldFinish, end: steps.at(-1) }).toEqual({ wouldFinish: false, end: 'done' });
  });
});

describe('--now', () => {
  test('does not begin where both users do not see the same', async () => {
    const place = await makePlace();
    const deps = place.deps();
    const looking: Service['describe'] = async () => ({ ...(await deps.service.describe()), slotsEqual: false });
    const unequal = { ...deps, service: withOther(deps.service, { describe: looking }) };
    expect(await rotate(unequal, { now: true })).toMatchObject({
      outcome: 'blocked',
      text: expect.stringContaining('same objects and rights'),
    });
    expect([place.trail, place.journal()]).toEqual([[], undefined]);
    expect((await adopt(unequal)).problems).toEqual([expect.stringContaining('same objects and rights')]);
  });

  test('carries out an emergency that was ordered before, and says so', async () => {
    const place = await makePlace();
    await rotate(stuck(place), { leaked });
    const report = await place.run({ now: true });
    expect(report).toMatchObject({ outcome: 'done', emergency: ['lockkeeper: found in a chat'] });
  });
});
