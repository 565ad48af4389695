import { describe, expect, test } from '@jest/globals';
import { LockkeeperError } from '../../shared/base/error.ts';
import { after, day, minute, second } from '../../shared/base/time.ts';
import { MemoryBucket, memoryObjects } from '../../shared/objects/memory.ts';
import type { RotationDeps } from '../../shared/rotation/plan.ts';
import { rotateMany, type ManyOptions } from '../../shared/rotation/many/rotate-many.ts';
import { adopt } from '../../shared/rotation/adopt.ts';
import type { TestWorld } from '../world.ts';
import { makePlace, withOther, type Place } from './place.ts';

/** Credentials c00, c01, … over one state store and one clock, each with a service of its own. */
interface Many {
  readonly all: ReadonlyMap<string, RotationDeps>;
  readonly places: readonly Place[];
  readonly world: TestWorld;
  /** The most at work at once. */
  readonly most: () => number;
}

async function many(count: number): Promise<Many> {
  const names = Array.from({ length: count }, (_, at) => `c${String(at).padStart(2, '0')}`);
  const places = await Promise.all(names.map((name) => makePlace({ plan: { name } })));
  const [{ world }] = places as [Place];
  const state = memoryObjects(new MemoryBucket());
  const atWork = { now: 0, most: 0 };
  const all = places.map((place) => {
    const deps = place.deps();
    const describe = async () => {
      atWork.now += 1;
      atWork.most = Math.max(atWork.most, atWork.now);
      await new Promise((resolve) => setImmediate(resolve));
      atWork.now -= 1;
      return await deps.service.describe();
    };
    return [place.plan.name, { ...deps, state, world, service: withOther(deps.service, { describe }) }] as const;
  });
  return { all: new Map(all), places, world, most: () => atWork.most };
}

describe('many credentials', () => {
  test('are rotated several at once, and never more than allowed', async () => {
    const { all, most } = await many(12);
    const { reports, problems, left } = await rotateMany(all, { concurrency: 3, request: { now: true } });
    expect([...reports.keys()]).toEqual([...all.keys()]);
    expect([...reports.values()].every(({ phase }) => phase === 'draining')).toBe(true);
    expect([problems.size, left]).toEqual([0, []]);
    expect(most()).toBe(3);
  });

  test('each has its own trouble, a defect too', async () => {
    const { all } = await many(3);
    const broken = new Map(all);
    const [first] = [...all.values()] as [RotationDeps];
    broken.set('c00', {
      ...first,
      service: withOther(first.service, { describe: () => Promise.reject(new TypeError('a defect')) }),
    });
    const { reports, problems } = await rotateMany(broken, { request: { now: true } });
    expect([...reports.keys()]).toEqual(['c01', 'c02']);
    expect([...problems.keys()]).toEqual(['c00']);
  });

  test('with a limit all are rotated in time, so many a run', async () => {
    const { all, world } = await many(7);
    await Promise.all([...all.values()].map((deps) => adopt(deps)));
    world.pass(31 * day);
    const begun: number[] = [];
    for (let run = 0; run < 4; run += 1) {
      const { reports } = await rotateMany(all, { limit: 2, concurrency: 4 });
      begun.push([...reports.values()].filter(({ phase }) => phase === 'draining').length);
      world.pass(minute);
    }
    expect(begun).toEqual([2, 4, 6, 7]);
  });

  test.each([1, 2, 5])('no more than %s begin where that is the limit, and the others are named', async (limit) => {
    const { all } = await many(8);
    const { reports, held, left } = await rotateMany(all, { limit, concurrency: 4, request: { now: true } });
    expect([...reports.values()].map(({ phase }) => phase)).toEqual(Array<string>(limit).fill('draining'));
    expect([held.length, left]).toEqual([8 - limit, []]);
  });
});

/** Ten seconds pass with every credential that is taken up; answers their names in order. */
async function inTime({ all, world }: Many, each: number): Promise<readonly string[]> {
  const taken: string[] = [];
  world.setDeadline(after(world.now(), each * 10 * second + 15 * second));
  const { reports, left } = await rotateMany(all, {
    concurrency: 1,
    onProgress: ({ atWork, report }) => {
      if (report) return;
      taken.push(...atWork);
      world.pass(10 * second);
    },
  });
  expect([...reports.keys()].toSorted()).toEqual(taken.toSorted());
  expect(left).toHaveLength(all.size - taken.length);
  return taken;
}

describe('a deadline in the middle', () => {
  test.each([1, 3, 4])('after %s of ten: all ten are reached in as few runs as can be', async (each) => {
    const place = await many(10);
    const reached: string[] = [];
    for (let run = 0; run < Math.ceil(10 / each); run += 1) reached.push(...(await inTime(place, each)));
    expect(new Set(reached).size).toBe(10);
  });

  test('an emergency comes first, wherever the turn is', async () => {
    const place = await many(6);
    const [name, deps] = [...place.all].at(-1) as [string, RotationDeps];
    const down = withOther(deps.service, {
      describe: () => Promise.reject(new LockkeeperError('unreachable', 'the service is down')),
    });
    const request = { leaked: { reason: 'in a repository' } };
    await rotateMany(new Map([[name, { ...deps, service: down }]]), { request });
    expect((await inTime(place, 2))[0]).toBe(name);
  });
});

test('a stop takes up no further credential, and lets those at work come to their end', async () => {
  const { all } = await many(6);
  const stop = new AbortController();
  const told: Parameters<NonNullable<ManyOptions['onProgress']>>[0][] = [];
  const { reports, left } = await rotateMany(all, {
    concurrency: 2,
    request: { now: true },
    signal: stop.signal,
    onProgress: (progress) => {
      told.push(progress);
      if (progress.done === 2) stop.abort();
    },
  });
  expect(reports.size + left.length).toBe(6);
  expect(reports.size).toBeGreaterThanOrEqual(2);
  expect(left.length).toBeGreaterThan(0);
  expect(told.at(-1)).toMatchObject({ total: 6, atWork: [] });
});
