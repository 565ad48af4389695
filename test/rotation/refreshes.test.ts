import { describe, expect, test } from '@jest/globals';
import { minute } from '../../shared/base/time.ts';
import { MemoryReceiver, memoryRefresh } from '../../shared/refreshes/memory.ts';
import type { RotationDeps } from '../../shared/rotation/plan.ts';
import { rotate, type RotationReport } from '../../shared/rotation/run.ts';
import type { RotateRequest } from '../../shared/rotation/effects/under-way.ts';
import { breaks, Faults } from '../broken-writes.ts';
import { unpaired } from '../intent-pairs.ts';
import { firstValue, makePlace, unlessKilled, window, type Place } from './place.ts';

interface Told extends Place {
  readonly web: MemoryReceiver;
  readonly job: MemoryReceiver;
  go(request?: RotateRequest, faults?: Faults): Promise<RotationReport>;
}

/** A place whose plan tells two receivers, in this order. */
async function telling(): Promise<Told> {
  const place = await makePlace({ plan: { refreshes: ['web', 'job'] } });
  const [web, job] = [new MemoryReceiver(), new MemoryReceiver()];
  const deps = (faults?: Faults): RotationDeps => {
    const wrapped = (receiver: MemoryReceiver, name: string) =>
      faults ? faults.wrap(memoryRefresh(receiver), name, ['poke']) : memoryRefresh(receiver);
    return { ...place.deps(faults), refreshes: { web: wrapped(web, 'web'), job: wrapped(job, 'job') } };
  };
  return { ...place, web, job, go: (request = {}, faults) => rotate(deps(faults), request) };
}

describe('consumers that are told to read again', () => {
  test('are told after every store hands out the new value and before the window begins, and never the value', async () => {
    const place = await telling();
    const { rotation, steps } = await place.go({ now: true });
    const [one] = place.web.state.seen;
    const secrets = [
      { store: 'one', secret: 'app-db' },
      { store: 'two', secret: 'app/db' },
    ];
    expect([place.web.state.seen, place.job.state.seen]).toEqual([
      [{ credential: 'app-db', rotation, secrets }],
      [{ credential: 'app-db', rotation, secrets }],
    ]);
    expect(JSON.stringify(one)).not.toContain(place.consumer('one').value.open());
    const order = [
      'publish in two/app/db',
      'tell web to read the secret again',
      'tell job to read the secret again',
      'journal: draining',
    ];
    expect(steps.filter((step) => order.includes(step))).toEqual(order);
    expect(place.trail.filter((what) => /refresh|effect promote/.test(what))).toEqual([
      'effect promote',
      'effect promote',
      'rotation.refresh intent',
      'rotation.refresh outcome',
      'rotation.refresh intent',
      'rotation.refresh outcome',
    ]);
    place.world.pass(window);
    expect(await place.go()).toMatchObject({ outcome: 'done' });
    expect([place.web.state.seen.length, place.job.state.seen.length]).toEqual([1, 1]);
  });

  test('are told again where the answer was lost or the run died, and the others only once', async () => {
    const counted = new Faults();
    await (await telling()).go({ now: true }, counted);
    const pokes = counted.writes.flatMap((name, at) => (name.endsWith('.poke') ? [at] : []));
    expect(pokes).toHaveLength(2);
    for (const at of pokes)
      for (const how of breaks) {
        const place = await telling();
        const faults = new Faults(new Map([[at, how]]));
        await unlessKilled(place.go({ now: true }, faults));
        expect(place.journal()?.phase).toBe('published');
        place.world.pass(minute);
        expect(await place.go()).toMatchObject({ phase: 'draining' });
        const [web, job] = [place.web.state.seen, place.job.state.seen];
        const isTwice = how.endsWith('after');
        const broken = counted.writes[at] === 'web.poke' ? web : job;
        expect(broken).toHaveLength(isTwice ? 2 : 1);
        expect(web.length + job.length).toBe(isTwice ? 3 : 2);
        expect(new Set([...web, ...job].map(({ rotation }) => rotation)).size).toBe(1);
        place.world.pass(window);
        expect(await place.go()).toMatchObject({ outcome: 'done' });
      }
  });

  test('that cannot be told are given up after three attempts, people hear which, and the old value stays for the window', async () => {
    const place = await telling();
    place.web.fail('unreachable', 'denied', 'rejected', 'unreachable');
    expect(await place.go({ now: true })).toMatchObject({ outcome: 'failed', phase: 'published' });
    for (const attempts of [2, 3]) {
      expect(place.told).toEqual([]);
      place.world.pass(5 * minute);
      await place.go();
      expect(place.journal()?.refreshed.find(({ name }) => name === 'web')).toMatchObject({
        attempts,
        done: attempts === 3,
      });
    }
    expect(place.told).toMatchObject([{ level: 'warning', text: expect.stringContaining('web could not be told') }]);
    expect(place.journal()).toMatchObject({
      phase: 'draining',
      refreshed: [{ name: 'web' }, { name: 'job', attempts: 1, done: true }],
    });
    expect(place.host.holds('app_a', firstValue)).toBe(true);
    place.world.pass(window);
    expect(await place.go()).toMatchObject({ outcome: 'done' });
    expect(unpaired(place.log.events)).toEqual([]);
  });

  test('hold an emergency up for one attempt only', async () => {
    const place = await telling();
    place.web.fail('unreachable', 'unreachable', 'unreachable');
    expect(await place.go({ leaked: { reason: 'in a chat' } })).toMatchObject({ outcome: 'done' });
    expect(place.web.state).toMatchObject({ seen: [], faults: ['unreachable', 'unreachable'] });
    expect(place.job.state.seen).toHaveLength(1);
    expect(place.host.holds('app_a', firstValue)).toBe(false);
    expect(place.told.map(({ text }) => text)).toEqual([
      expect.stringContaining('was ordered'),
      expect.stringContaining('web could not be told'),
      expect.stringContaining('must sign the review'),
    ]);
  });

  test('whom the configuration does not say how to tell are named to people', async () => {
    const place = await makePlace({ plan: { refreshes: ['gone'] } });
    expect(await place.run({ now: true })).toMatchObject({ phase: 'draining' });
    expect(place.told).toMatchObject([{ text: expect.stringContaining('gone could not be told') }]);
  });
});
