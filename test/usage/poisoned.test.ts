import { describe, expect, test } from '@jest/globals';
import { LockkeeperError } from '../../shared/base/error.ts';
import { after, day, hour } from '../../shared/base/time.ts';
import type { FlowLog } from '../../shared/flow-logs/contract.ts';
import { MemoryBucket, memoryObjects } from '../../shared/objects/memory.ts';
import { collect } from '../../shared/usage/collect.ts';
import { changeLedger, readLedger } from '../../shared/usage/ledger.ts';
import { readEvidence } from '../../shared/usage/read-evidence.ts';
import { testWorld } from '../world.ts';
import { culpritCrashes, failing } from './culprit-crashes.ts';
import { hourlyLog, keyAt, objectAt, start } from './made-log.ts';

const worldOf = (days = 1) => testWorld(new Date(after(start, days * day)).toISOString());

async function recordsIn(bucket: MemoryBucket, world = worldOf()): Promise<number> {
  const window = { from: start, to: after(start, 10 * day) };
  const { rows } = await readEvidence({ state: memoryObjects(bucket), logs: ['made'], window, world });
  return rows.reduce((sum, { records }) => sum + records, 0);
}

describe('a batch on which the flow log fails', () => {
  test('is read without the objects that it fails on, which are named and not read again', async () => {
    const { log } = hourlyLog(9);
    const flowLog = failing(log, [keyAt(2), keyAt(7)]);
    const [bucket, world] = [new MemoryBucket(), worldOf()];
    const state = memoryObjects(bucket);
    expect(await collect({ flowLog, state, world })).toMatchObject({
      objects: 9,
      records: 7,
      unreadable: 2,
      named: [{ key: keyAt(2), why: 'unforeseen' }, { key: keyAt(7) }],
    });
    expect(await collect({ flowLog, state, world })).toMatchObject({ objects: 0 });
    expect(await recordsIn(bucket)).toBe(7);
    expect((await readLedger(state, 'made')).batches).toHaveLength(1);
  });

  test('fails as a whole where the failure is not about an object, and is read in full afterwards', async () => {
    const { log } = hourlyLog(4);
    const [bucket, world] = [new MemoryBucket(), worldOf()];
    const state = memoryObjects(bucket);
    const full = Object.assign(new Error('write'), { code: 'ENOSPC' });
    for (const thrown of [new LockkeeperError('unreachable', 'away'), new LockkeeperError('bug', 'x', { cause: full })])
      await expect(collect({ flowLog: failing(log, [keyAt(1)], thrown), state, world })).rejects.toBe(thrown);
    const broken: FlowLog = { ...log, usage: async () => Promise.reject(new Error('nothing can be read')) };
    await expect(collect({ flowLog: broken, state, world })).rejects.toThrow('nothing can be read');
    expect(await collect({ flowLog: log, state, world })).toMatchObject({ objects: 4, records: 4, unreadable: 0 });
  });

  test('is read in halves where it is too much at once', async () => {
    const { log } = hourlyLog(8);
    const flowLog: FlowLog = {
      ...log,
      usage: async (objects, within) =>
        objects.length > 4 ? Promise.reject(new Error('Out of Memory')) : log.usage(objects, within),
    };
    const bucket = new MemoryBucket();
    expect(await collect({ flowLog, state: memoryObjects(bucket), world: worldOf() })).toMatchObject({ records: 8 });
    expect(await recordsIn(bucket)).toBe(8);
  });

  test('an object that the machine fails on is named, in doubt, and read once the machine can', async () => {
    const { log } = hourlyLog(3);
    const again: FlowLog = {
      ...log,
      async usage(objects, within) {
        const rest = await log.usage(
          objects.filter(({ key }) => key !== keyAt(1)),
          within,
        );
        const mine = objects.filter(({ key }) => key === keyAt(1));
        const reports = mine.map(({ key, version }) => ({
          key,
          version,
          records: 0,
          malformed: 0,
          unreadable: 'EACCES',
          again: true,
        }));
        return { ...rest, objects: [...rest.objects, ...reports] };
      },
    };
    const [bucket, world] = [new MemoryBucket(), worldOf()];
    const state = memoryObjects(bucket);
    expect(await collect({ flowLog: again, state, world })).toMatchObject({ records: 2, unreadable: 1 });
    expect(await collect({ flowLog: again, state, world })).toMatchObject({ objects: 1, unreadable: 1 });
    expect((await readLedger(state, 'made')).damaged).toMatchObject([{ key: keyAt(1), unreadable: 'EACCES' }]);
    expect(await collect({ flowLog: log, state, world })).toMatchObject({ objects: 1, records: 1, unreadable: 0 });
    expect(await readLedger(state, 'made')).toMatchObject({
      damaged: [],
      batches: [{}, {}].map(() => expect.any(String)),
    });
    expect(await recordsIn(bucket)).toBe(3);
  });

  test('counts every object once, whichever write breaks while the culprit is looked for', async () => {
    // Every write, each killed in one of the ways; the proof of attacks has them all.
    expect(await culpritCrashes((write, way) => write % 2 === way)).toMatchObject({ wrong: [] });
  }, 60_000);
});

describe('names', () => {
  test('of objects that a record has by itself stop nothing', async () => {
    const { log, objects } = hourlyLog(2);
    for (const folder of ['constructor', '__proto__', 'toString']) {
      const key = `${folder}/2026/09/01/x.log.gz`;
      objects.set(key, { ...objectAt(0), key });
    }
    const [bucket, world] = [new MemoryBucket(), worldOf()];
    const run = () => collect({ flowLog: log, state: memoryObjects(bucket), world });
    expect(await run()).toMatchObject({ objects: 5 });
    world.pass(9 * day);
    objects.set(keyAt(24 * 9), objectAt(24 * 9));
    expect(await run()).toMatchObject({ objects: 1 });
    expect(Object.keys((await readLedger(memoryObjects(bucket), 'made')).settled)).toHaveLength(4);
    expect(await run()).toMatchObject({ objects: 0 });
  });

  test('of a day to come settle nothing that is earlier', async () => {
    const { log, objects } = hourlyLog(2);
    for (const date of ['2027/12/31', '9999/99/99', 'year=2026/month=09/day=01']) {
      const key = `AWSLogs/1/vpcflowlogs/r/${date}/x.log.gz`;
      objects.set(key, { ...objectAt(0), key });
    }
    const [bucket, world] = [new MemoryBucket(), worldOf()];
    const run = () => collect({ flowLog: log, state: memoryObjects(bucket), world });
    expect(await run()).toMatchObject({ objects: 5 });
    world.pass(9 * day);
    objects.set(keyAt(24 * 8), objectAt(24 * 8));
    expect(await run()).toMatchObject({ objects: 1 });
    objects.set(keyAt(24 * 9), objectAt(24 * 9));
    world.pass(2 * hour);
    expect(await run()).toMatchObject({ objects: 1 });
  });

  test('in ledgers of before settle what they settled', async () => {
    const [state, { log, objects }] = [memoryObjects(), hourlyLog(0)];
    const keys = [1, 2].map((month) => `AWSLogs/r/year=2026/month=0${month}/day=01/x.log.gz`);
    for (const key of keys) objects.set(key, { ...objectAt(0), key });
    await changeLedger(state, 'made', (held) => ({ ...held, settled: { 'AWSLogs/r': keys[0] ?? '' } }));
    expect(await collect({ flowLog: log, state, world: worldOf() })).toMatchObject({ objects: 1 });
  });
});

test('what could not be read is in doubt until the window is past it', async () => {
  const { log, objects } = hourlyLog(3);
  objects.set(keyAt(1), { ...objectAt(1), unreadable: 'cut off' });
  const [state, world] = [memoryObjects(), worldOf()];
  await collect({ flowLog: log, state, world });
  const damagedFrom = async (from: number) =>
    (
      await readEvidence({
        state,
        logs: ['made'],
        window: { from: after(start, from * hour), to: after(start, 9 * day) },
        world,
      })
    ).damaged;
  expect(await damagedFrom(0)).toEqual([{ key: keyAt(1), malformed: 0, unreadable: 'cut off' }]);
  expect(await damagedFrom(2)).toHaveLength(1);
  expect(await damagedFrom(3)).toEqual([]);
});
