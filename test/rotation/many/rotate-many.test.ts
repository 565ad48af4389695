import { describe, expect, test } from '@jest/globals';
import { LockkeeperError } from '../../../shared/base/error.ts';
import { after, day, hour, minute, second } from '../../../shared/base/time.ts';
import { rotateMany } from '../../../shared/rotation/many/rotate-many.ts';
import type { ObjectStore } from '../../../shared/objects/contract.ts';
import { firstValue } from '../place.ts';
import { manyPlaces, type ManyPlaces } from './fleet.ts';

const now = { now: true };
const outcomes = ({ reports }: Awaited<ReturnType<ManyPlaces['run']>>) =>
  Object.fromEntries([...reports].map(([name, { outcome }]) => [name, outcome]));

describe('a run over many credentials', () => {
  test('begins with emergencies, then what is under way, then what is due the longest; what rests comes last', async () => {
    const many = await manyPlaces(['new', 'due', 'longer', 'waits', 'leaked']);
    for (const name of ['longer', 'due']) {
      await many.alone(name, now);
      many.world.pass(hour);
    }
    many.world.pass(31 * day);
    many.place('waits').host.setUp('memory', false);
    await many.alone('leaked', now);
    many.place('leaked').host.isUp = false;
    await many.alone('leaked', { leaked: { reason: 'in a chat' } });
    many.place('leaked').host.isUp = true;
    many.begun.length = 0;
    const report = await many.run({ concurrency: 1 });
    expect(many.begun).toEqual(['leaked', 'longer', 'due']);
    expect(outcomes(report)).toEqual({ new: 'idle', due: 'done', longer: 'done', waits: 'idle', leaked: 'done' });
    expect([...report.reports.keys()]).toEqual(['new', 'due', 'longer', 'waits', 'leaked']);
  });

  test('goes on with what is under way before anything begins', async () => {
    const many = await manyPlaces(['a', 'b', 'c'], { propagationMs: hour });
    await many.alone('c', now);
    many.begun.length = 0;
    await many.run({ concurrency: 1, request: now });
    expect(many.begun).toEqual(['c', 'a', 'b']);
  });

  test('works on as many at once as it may, and never twice on one', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    const many = await manyPlaces(names);
    const seen: string[][] = [];
    await many.run({ concurrency: 3, request: now, onProgress: ({ atWork }) => void seen.push([...atWork]) });
    expect(many.most()).toBe(3);
    expect(Math.max(...seen.map((one) => one.length))).toBe(3);
    expect(many.begun.toSorted()).toEqual(names);
  });

  test('one that fails, one whose journal is damaged and one with a defect are each their own trouble', async () => {
    const many = await manyPlaces(['down', 'damaged', 'defect', 'good']);
    many.place('down').host.isUp = false;
    await many.alone('damaged', now);
    const held = many.bucket.objects.get('rotations/damaged.json');
    if (held) many.bucket.objects.set('rotations/damaged.json', { ...held, bytes: Buffer.from('{') });
    const broken = new Map(many.deps());
    const defect = broken.get('defect');
    const fails = async (): Promise<never> => await Promise.reject(new TypeError('nobody foresaw it'));
    if (defect) broken.set('defect', { ...defect, service: { ...defect.service, describe: fails } });
    const report = await rotateMany(broken, { request: now });
    expect(outcomes(report)).toEqual({ down: 'failed', damaged: 'failed', good: 'done' });
    expect([...report.problems].map(([name, { code }]) => [name, code])).toEqual([['defect', 'bug']]);
    expect({ left: report.left, held: report.held }).toEqual({ left: [], held: [] });
  });

  test('an emergency is ordered for every one that is named, whatever the limit', async () => {
    const many = await manyPlaces(['a', 'b', 'c']);
    const report = await many.run({ request: { leaked: { reason: 'in a chat' } }, limit: 1 });
    expect(outcomes(report)).toEqual({ a: 'done', b: 'done', c: 'done' });
    for (const place of many.places.values()) expect(place.host.holds('app_a', firstValue)).toBe(false);
  });
});

describe('a limit', () => {
  test('lets as many begin, names those that wait, and the next run begins with them', async () => {
    const many = await manyPlaces(['a', 'b', 'c', 'd', 'e']);
    const first = await many.run({ request: now, limit: 2 });
    expect(outcomes(first)).toEqual({ a: 'done', b: 'done' });
    expect({ held: first.held, left: first.left }).toEqual({ held: ['c', 'd', 'e'], left: [] });
    expect((await many.run({ request: now, limit: 2 })).held).toEqual(['a', 'b', 'e']);
    expect(outcomes(await many.run({ request: now, limit: 2 }))).toHaveProperty('e', 'done');
  });

  test('counts neither what is under way, nor what rests, nor what could not begin', async () => {
    const many = await manyPlaces(['a', 'b', 'c', 'd', 'new'], { propagationMs: hour });
    await many.alone('b', now);
    for (const name of ['a', 'c', 'd']) await many.alone(name, now);
    many.world.pass(2 * hour);
    for (const name of ['a', 'c', 'd']) await many.alone(name);
    many.world.pass(31 * day);
    many.place('a').host.isUp = false;
    const report = await many.run({ limit: 1 });
    expect(outcomes(report)).toEqual({ a: 'failed', b: 'done', c: 'waiting', new: 'idle' });
    expect(report.held).toEqual(['d']);
  });
});

describe('a deadline', () => {
  test('lets nothing begin in the last fifteen seconds, or the last tenth of a short time', async () => {
    for (const [lasts, passes] of [
      [hour, hour - 14 * second],
      [minute, 55 * second],
    ] as const) {
      const many = await manyPlaces(['a', 'b']);
      many.world.setDeadline(after(many.world.now(), lasts));
      const onProgress = ({ done }: { readonly done: number }) => void (done === 1 && many.world.pass(passes));
      const report = await many.run({ concurrency: 1, request: now, onProgress });
      expect(outcomes(report)).toEqual({ a: 'done' });
      expect(report.left).toEqual(['b']);
      expect(many.world.now() < many.world.deadline()).toBe(true);
    }
  });

  test('ends a rotation between two steps with time left, and the next run goes on where it stopped', async () => {
    const many = await manyPlaces(['a', 'b']);
    many.world.setDeadline(after(many.world.now(), hour));
    const onProgress = () => many.world.pass(hour - 15 * second);
    const report = await many.run({ concurrency: 1, request: now, onProgress });
    expect(outcomes(report)).toEqual({ a: 'stopped' });
    many.world.setDeadline(after(many.world.now(), day));
    expect(outcomes(await many.run({ request: now }))).toEqual({ a: 'done', b: 'done' });
  });

  test('is also what a stop is: those at work come to their end, the others are named', async () => {
    const many = await manyPlaces(['a', 'b', 'c', 'd']);
    const stop = new AbortController();
    const onProgress = ({ atWork }: { readonly atWork: readonly string[] }) =>
      void (atWork.length === 2 && stop.abort());
    const report = await many.run({ concurrency: 2, request: now, signal: stop.signal, onProgress });
    expect(outcomes(report)).toEqual({ a: 'done', b: 'done' });
    expect(report.left).toEqual(['c', 'd']);
    many.begun.length = 0;
    await many.run({ concurrency: 1, request: now });
    expect(many.begun).toEqual(['c', 'd', 'a', 'b']);
  });
});

describe('the record of turns', () => {
  const recorded = (many: ManyPlaces) => many.bucket.objects.has('rotation-turns/reached.json');

  test('is not written where every run reaches all', async () => {
    const many = await manyPlaces(['a', 'b']);
    await many.run({ request: now });
    expect(recorded(many)).toBe(false);
  });

  test('that is damaged, or cannot be read or written, keeps nothing from being rotated', async () => {
    const many = await manyPlaces(['a', 'b', 'c']);
    await many.runUntil(1, { concurrency: 1, request: now });
    const held = many.bucket.objects.get('rotation-turns/reached.json');
    if (held) many.bucket.objects.set('rotation-turns/reached.json', { ...held, bytes: Buffer.from('{"reached":7}') });
    expect(outcomes(await many.run({ request: now }))).toEqual({ a: 'done', b: 'done', c: 'done' });
    const broken = new Map([...many.deps()].map(([name, one]) => [name, { ...one, state: withoutTurns(one.state) }]));
    const report = await rotateMany(broken, { request: now, limit: 2 });
    expect(outcomes(report)).toEqual({ a: 'done', b: 'done' });
  });

  function withoutTurns(state: ObjectStore): ObjectStore {
    const guarded = <T>(key: string, work: () => Promise<T>): Promise<T> =>
      key.startsWith('rotation-turns/')
        ? Promise.reject(new LockkeeperError('denied', 'the key is not allowed'))
        : work();
    return {
      get: (key) => guarded(key, () => state.get(key)),
      create: (key, bytes) => guarded(key, () => state.create(key, bytes)),
      replace: (key, bytes, held) => guarded(key, () => state.replace(key, bytes, held)),
      list: (prefix, from) => state.list(prefix, from),
      delete: (key, held) => state.delete(key, held),
    };
  }
});
