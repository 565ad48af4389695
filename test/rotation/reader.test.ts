import { describe, expect, test } from '@jest/globals';
import { LockkeeperError } from '../../shared/base/error.ts';
import { day, hour, instant, minute } from '../../shared/base/time.ts';
import { adopt } from '../../shared/rotation/adopt.ts';
import { plainForm } from '../../shared/rotation/forms/plain.ts';
import { rotate } from '../../shared/rotation/run.ts';
import type { Service } from '../../shared/services/contract.ts';
import { Faults } from '../broken-writes.ts';
import { firstValue, makePlace, putByHand, runUntilDone, window, withOther, type Place } from './place.ts';

const leaked = { reason: 'found in a chat' };
const down = async () => Promise.reject(new LockkeeperError('unreachable', 'down'));

/** The place with other answers of the service. */
function depsWith(place: Place, service: Partial<Service>) {
  const deps = place.deps();
  return { ...deps, service: withOther(deps.service, service) };
}

describe('what is staged holds no login:', () => {
  test('an emergency goes on past a store whose form cannot hold it, and names the store', async () => {
    const place = await makePlace();
    const stores = place.plan.stores.map((one) => (one.store === 'two' ? { ...one, form: plainForm } : one));
    const report = await rotate({ ...place.deps(), plan: { ...place.plan, stores } }, { leaked });
    expect(report).toMatchObject({ outcome: 'failed', phase: 'retired', text: expect.stringContaining('two/app/db') });
    expect(place.host.holds('app_a', firstValue)).toBe(false);
    expect(place.consumerLogsIn('one')).toBe(true);
  });

  test.each(['change', 'accepts'] as const)('one that was spoilt before %s gives way to another one', async (at) => {
    const place = await makePlace();
    const { service } = place.deps();
    const accepts: Service['accepts'] = async (login) => (login.slot === 'app_b' ? down() : service.accepts(login));
    await rotate(depsWith(place, at === 'change' ? { change: down } : { accepts }), { now: true });
    const two = place.vaults['two'];
    two?.spoil('app/db', two.shelves.get('app/db')?.pending?.id ?? '', 'garbage');
    place.world.pass(hour);
    expect(await runUntilDone(place)).toMatchObject({ outcome: 'done' });
    expect(place.consumerLogsIn('one') && place.consumerLogsIn('two')).toBe(true);
  });
});

test.each(['lost-after', 'killed-after'] as const)(
  'a promotion that was %s is found again, also where a store gives what it publishes another id',
  async (how) => {
    const options = { vault: { ids: 'renewed' } } as const;
    const writes = new Faults();
    await (await makePlace(options)).run({ now: true }, writes);
    const at = writes.writes.findIndex((write) => write.endsWith('.promote'));
    const place = await makePlace(options);
    const faults = new Faults(new Map([[at, how]]));
    await expect(place.run({ now: true }, faults).catch(() => ({ outcome: 'failed' }))).resolves.toMatchObject({
      outcome: 'failed',
    });
    place.world.pass(hour);
    expect(await place.run()).toMatchObject({ phase: 'draining', outcome: 'waiting' });
    expect(await runUntilDone(place)).toMatchObject({ outcome: 'done' });
  },
);

describe('an emergency waits', () => {
  test('three runs in all for an endpoint that refuses the new value', async () => {
    const place = await makePlace({ endpoints: ['e1', 'e2'], host: { fleet: 'each' } });
    place.host.lag('e2');
    await place.run({ leaked });
    for (let runs = 0; runs < 3; runs += 1) await place.run();
    expect(place.host.holds('app_a', firstValue, 'e1')).toBe(false);
  });

  test('for no store that never takes the promotion', async () => {
    const place = await makePlace();
    const deps = place.deps();
    const { two } = deps.stores;
    if (!two) throw new Error('no store two');
    const promote = async () => Promise.reject(new LockkeeperError('conflict', 'something else is current'));
    const { read, stage, abandon, retire, writes, settlesMs } = two;
    const stores = { ...deps.stores, two: { read, stage, abandon, retire, writes, settlesMs, promote } };
    const report = await rotate({ ...deps, stores }, { leaked });
    expect(report).toMatchObject({ outcome: 'failed', phase: 'retired', text: expect.stringContaining('two/app/db') });
    expect(place.host.holds('app_a', firstValue)).toBe(false);
    expect(await place.run()).toMatchObject({ outcome: 'done' });
  });
});

describe('a failure that is over', () => {
  const slow = { plan: { propagationMs: day } };

  test.each([0, 30])('is told to nobody an hour later, also where nothing ran for %d minutes', async (minutes) => {
    const place = await makePlace(slow);
    await place.run({ now: true });
    expect(await rotate(depsWith(place, { describe: down }))).toMatchObject({ outcome: 'failed' });
    if (minutes > 0) {
      place.world.pass(minutes * minute);
      expect(await place.run()).toMatchObject({ outcome: 'waiting' });
    }
    place.world.pass(hour);
    expect(await place.run()).toMatchObject({ outcome: 'waiting', steps: [] });
    expect(place.told).toEqual([]);
  });

  test('does not make the next one look as if it had lasted', async () => {
    const place = await makePlace(slow);
    await place.run({ now: true });
    for (let times = 0; times < 2; times += 1) {
      await rotate(depsWith(place, { describe: down }));
      expect(place.journal()?.trouble).toMatchObject({ attempts: 1, told: 0 });
      place.world.pass(2 * hour);
      await place.run();
    }
    expect(place.told).toEqual([]);
  });
});

describe('a clock that was a year ahead', () => {
  const ahead = (place: Place) => ({
    ...place.deps(),
    world: { ...place.world, now: () => instant(place.world.now() + 365 * day) },
  });

  test.each([true, false])('keeps no old value valid for a year (the service tells its time: %s)', async (clock) => {
    const place = await makePlace({ host: { clock } });
    expect(await rotate(ahead(place), { now: true })).toMatchObject({ phase: 'draining' });
    expect(await place.run()).toMatchObject({ outcome: 'waiting', until: place.world.now() + window });
    place.world.pass(window - minute);
    expect(await place.run()).toMatchObject({ outcome: 'waiting' });
    place.world.pass(minute);
    expect(await place.run()).toMatchObject({ outcome: 'done' });
  });

  test('does not put the next rotation off for a year', async () => {
    const place = await makePlace();
    await place.run({ now: true });
    expect(await rotate({ ...ahead(place) })).toMatchObject({ outcome: 'waiting' });
    place.world.pass(window);
    expect(await rotate(ahead(place))).toMatchObject({ outcome: 'done' });
    place.world.pass(day);
    expect(await place.run()).toMatchObject({ phase: 'draining' });
  });
});

describe('what was handed out a moment ago is not reset by --now', () => {
  const byHand = 'by-hand-0123456789-0123456789-01';

  test('where the journal was lost while it drained, and the credential adopted anew', async () => {
    const place = await makePlace();
    await place.run({ now: true });
    place.bucket.objects.clear();
    expect(await adopt(place.deps())).toMatchObject({ adopted: true });
    place.world.pass(minute);
    expect(await place.run({ now: true })).toMatchObject({ outcome: 'waiting', phase: 'draining' });
    expect(place.host.holds('app_a', firstValue)).toBe(true);
    place.world.pass(window);
    expect(await place.run()).toMatchObject({ outcome: 'done' });
    expect(await place.run({ now: true })).toMatchObject({ outcome: 'waiting', phase: 'draining' });
    expect(place.consumer('one').slot).toBe('app_a');
  });

  test('where a person published the other user between two rotations', async () => {
    const place = await makePlace();
    await runUntilDone(place);
    const before = place.consumer('one');
    place.host.setByHand('app_a', byHand);
    publishByHand(place, 'app_a', byHand);
    place.world.pass(minute);
    expect(await place.run({ now: true })).toMatchObject({ outcome: 'waiting', phase: 'draining' });
    expect(place.host.holds(before.slot, before.value.open())).toBe(true);
  });

  test('and a single user, whose earlier value is dead, rotates at once', async () => {
    const place = await makePlace({ strategy: 'single' });
    place.host.setByHand('app_a', byHand);
    publishByHand(place, 'app_a', byHand);
    expect(await place.run({ now: true })).toMatchObject({ outcome: 'done' });
    expect(place.host.holds('app_a', byHand)).toBe(false);
  });
});

describe('a store that is added to the configuration while a rotation is under way', () => {
  async function begunWithOne(how: Partial<Service> = {}): Promise<Place> {
    const place = await makePlace();
    const deps = depsWith(place, how);
    await rotate({ ...deps, plan: { ...deps.plan, stores: deps.plan.stores.slice(0, 1) } }, { now: true });
    place.world.pass(hour);
    return place;
  }

  test.each([
    ['draining', {}],
    ['staged', { change: down }],
  ])('gets the new value as the others, its consumers are never refused (%s)', async (_phase, how) => {
    const place = await begunWithOne(how);
    for (let runs = 0; runs < 8; runs += 1) {
      await place.run();
      expect(place.consumerLogsIn('one') && place.consumerLogsIn('two')).toBe(true);
      if (runs < 2) expect(place.host.holds('app_a', firstValue)).toBe(true);
      place.world.pass(hour);
    }
    expect(place.journal()?.phase).toBe('done');
    expect(place.consumer('two').value.equals(place.consumer('one').value)).toBe(true);
  });

  test('and hands out a login of somebody else is not touched, and people are told', async () => {
    const place = await begunWithOne();
    place.vaults['two']?.setByHand(
      'app/db',
      JSON.stringify({ username: 'app_a', password: 'of-another-app-0123456789' }),
    );
    place.world.pass(window);
    expect(await place.run()).toMatchObject({ outcome: 'blocked', text: expect.stringContaining('two/app/db') });
    expect(place.told).toHaveLength(1);
    expect(place.consumer('two').value.open()).toBe('of-another-app-0123456789');
  });
});

describe('people publish the user that would change, before it does:', () => {
  const byHand = 'by-hand-0123456789-0123456789-01';

  async function staged(): Promise<Place> {
    const place = await makePlace();
    await rotate(depsWith(place, { change: down }), { now: true });
    expect(place.journal()).toMatchObject({ phase: 'staged', target: 'app_b' });
    place.host.setByHand('app_b', byHand);
    place.world.pass(hour);
    return place;
  }

  test('in every store: nobody is refused, and the other user ends when it has drained', async () => {
    const place = await staged();
    publishByHand(place, 'app_b', byHand);
    expect(await place.run()).toMatchObject({ outcome: 'waiting', phase: 'draining' });
    expect(place.host.holds('app_b', byHand) && place.host.holds('app_a', firstValue)).toBe(true);
    place.world.pass(window);
    expect(await place.run()).toMatchObject({ outcome: 'done' });
    expect([place.host.holds('app_b', byHand), place.host.holds('app_a', firstValue)]).toEqual([true, false]);
    expect(await runUntilDone(place)).toMatchObject({ outcome: 'done' });
    expect(place.consumer('two').slot).toBe('app_a');
  });

  test('in one store: it stops until all hand out the same', async () => {
    const place = await staged();
    putByHand(place, 'app_b', byHand);
    expect(await place.run()).toMatchObject({ outcome: 'blocked', text: expect.stringContaining('one/app-db') });
    expect(await place.run({ now: true })).toMatchObject({ outcome: 'blocked' });
    expect(place.consumerLogsIn('one') && place.consumerLogsIn('two')).toBe(true);
    publishByHand(place, 'app_b', byHand);
    expect(await place.run({ now: true })).toMatchObject({ outcome: 'waiting', phase: 'draining' });
  });
});

function publishByHand(place: Place, username: string, password: string): void {
  for (const { store, secret } of place.plan.stores) {
    place.vaults[store]?.setByHand(secret, JSON.stringify({ username, password }));
    place.vaults[store]?.settle(secret);
  }
}

describe('consumers are told to read again', () => {
  async function toldOf(place: Place): Promise<{ run: () => Promise<unknown>; told: string[] }> {
    const told: string[] = [];
    const refreshes = { app: { poke: async () => void told.push(place.consumer('one').value.open()) } };
    const deps = { ...place.deps(), plan: { ...place.plan, refreshes: ['app'] }, refreshes };
    await rotate(deps, { now: true });
    return { run: () => rotate(deps), told };
  }

  test('when another value had to take the place of a published one', async () => {
    const place = await makePlace();
    const { run, told } = await toldOf(place);
    const { slot, value } = place.consumer('one');
    place.host.setByHand(slot, 'reset-by-hand-0123456789-012345678');
    place.host.policy = (other) => (other === value.open() ? 'used before' : undefined);
    place.world.pass(window);
    for (let runs = 0; runs < 3; runs += 1) {
      await run();
      place.world.pass(hour);
    }
    expect(place.consumerLogsIn('one')).toBe(true);
    expect(place.consumer('one').value.equals(value)).toBe(false);
    expect(told).toEqual([value.open(), place.consumer('one').value.open()]);
  });

  test('when people went back to the value before', async () => {
    const place = await makePlace();
    const { run, told } = await toldOf(place);
    const published = place.consumer('one').value.open();
    for (const { store, secret } of place.plan.stores) place.vaults[store]?.rollBack(secret);
    place.world.pass(minute);
    expect(await run()).toMatchObject({ outcome: 'waiting', phase: 'draining' });
    expect(told).toEqual([published, firstValue]);
    place.world.pass(window);
    expect(await run()).toMatchObject({ outcome: 'reverted' });
  });
});
