import { describe, expect, test } from '@jest/globals';
import type { AuditLog } from '../../shared/audit/entry.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { after, day, hour, type Instant } from '../../shared/base/time.ts';
import type { UsageBatch } from '../../shared/flow-logs/contract.ts';
import { MemoryBucket, memoryObjects } from '../../shared/objects/memory.ts';
import { collect } from '../../shared/usage/collect.ts';
import { readLedger } from '../../shared/usage/ledger.ts';
import { readEvidence } from '../../shared/usage/read-evidence.ts';
import { breaks, Faults } from '../broken-writes.ts';
import { testWorld, type TestWorld } from '../world.ts';
import { hourlyLog, keyAt, remembering, objectAt, session, start } from './made-log.ts';

const window = { from: start, to: after(start, 10 * day) };

/** Sums of everything collected: what must never be lost or doubled. */
async function evidence(bucket: MemoryBucket, world: TestWorld, log = 'made') {
  return readEvidence({ state: memoryObjects(bucket), logs: [log], window, world });
}

async function recordsIn(bucket: MemoryBucket, world: TestWorld): Promise<number> {
  return (await evidence(bucket, world)).rows.reduce((sum, { records }) => sum + records, 0);
}

function tablesIn(bucket: MemoryBucket): number {
  return [...bucket.objects.keys()].filter((key) => !key.endsWith('ledger.json')).length;
}

function worldAt(at: Instant): TestWorld {
  return testWorld(new Date(at).toISOString());
}

describe('collecting flow logs', () => {
  test('reads each object once, however often it runs, and only what is settled', async () => {
    const { log } = hourlyLog(6);
    const bucket = new MemoryBucket();
    const world = worldAt(after(start, 4 * hour));
    expect(await collect({ flowLog: log, state: memoryObjects(bucket), world })).toMatchObject({
      objects: 3,
      records: 3,
      young: 3,
      left: 0,
    });
    expect(await collect({ flowLog: log, state: memoryObjects(bucket), world })).toMatchObject({
      objects: 0,
      records: 0,
    });
    world.pass(3 * hour);
    expect(await collect({ flowLog: log, state: memoryObjects(bucket), world })).toMatchObject({ objects: 3 });
    expect(await recordsIn(bucket, world)).toBe(6);
  });

  test('has its intent in the log before anything is read, and its outcome afterwards; a run that reads nothing is silent', async () => {
    const { log } = hourlyLog(3);
    const [state, world, told] = [memoryObjects(), worldAt(after(start, day)), [] as unknown[]];
    const audit: AuditLog = {
      record: async ({ stage, result, subject, details }) => {
        told.push([stage, result, subject.id, details['objects'], details['records']]);
        return { run: 'heard', n: 0, hash: '', at: world.now() };
      },
    };
    const usage: typeof log.usage = (objects) => (told.push('read'), log.usage(objects));
    for (let runs = 0; runs < 2; runs += 1) await collect({ flowLog: { ...log, usage }, state, world, audit });
    expect(told).toEqual([['intent', undefined, 'made', 3, undefined], 'read', ['outcome', 'done', 'made', 3, 3]]);
  });

  test('without the log reads nothing', async () => {
    const { log } = hourlyLog(3);
    const [bucket, world] = [new MemoryBucket(), worldAt(after(start, day))];
    const audit = { record: async () => Promise.reject(new LockkeeperError('unreachable', 'the log is down')) };
    const usage: typeof log.usage = async () => Promise.reject(new Error('it was read'));
    await expect(
      collect({ flowLog: { ...log, usage }, state: memoryObjects(bucket), world, audit }),
    ).rejects.toMatchObject({ code: 'unreachable' });
    expect(bucket.objects.size).toBe(0);
    expect(await collect({ flowLog: log, state: memoryObjects(bucket), world })).toMatchObject({ objects: 3 });
  });

  test('an object that changed after it was read replaces what was read of it', async () => {
    const { log, objects } = hourlyLog(3);
    const bucket = new MemoryBucket();
    const world = worldAt(after(start, day));
    await collect({ flowLog: log, state: memoryObjects(bucket), world });
    objects.set(keyAt(1), objectAt(1, '2', [session(1), session(1, '10.0.0.10')]));
    await collect({ flowLog: log, state: memoryObjects(bucket), world });
    const { rows } = await evidence(bucket, world);
    expect(rows.map(({ peer, records }) => [peer, records])).toEqual([
      ['10.0.0.10', 1],
      ['10.0.0.9', 3],
    ]);
    expect(tablesIn(bucket)).toBe(3);
  });

  test('a batch whose other objects are gone from the log is kept when one of its objects changes', async () => {
    const { log, objects } = hourlyLog(3);
    const bucket = new MemoryBucket();
    const world = worldAt(after(start, day));
    await collect({ flowLog: log, state: memoryObjects(bucket), world });
    objects.delete(keyAt(0));
    objects.set(keyAt(1), objectAt(1, '2', [session(1), session(1, '10.0.0.10')]));
    await collect({ flowLog: log, state: memoryObjects(bucket), world });
    const { rows } = await evidence(bucket, world);
    expect(rows.map(({ peer, first, last }) => [peer, first, last])).toEqual([
      ['10.0.0.10', start + hour + 60_000, start + hour + 90_000],
      ['10.0.0.9', start + 60_000, start + 2 * hour + 90_000],
    ]);
    expect(await collect({ flowLog: log, state: memoryObjects(bucket), world })).toMatchObject({ objects: 0 });
  });

  test('an object that cannot be read is named in the evidence and not tried again until it changes', async () => {
    const { log, objects } = hourlyLog(2);
    objects.set(keyAt(0), { ...objectAt(0), unreadable: 'cut off' });
    const bucket = new MemoryBucket();
    const world = worldAt(after(start, day));
    expect(await collect({ flowLog: log, state: memoryObjects(bucket), world })).toMatchObject({
      objects: 2,
      records: 1,
      unreadable: 1,
    });
    expect((await evidence(bucket, world)).damaged).toEqual([{ key: keyAt(0), malformed: 0, unreadable: 'cut off' }]);
    objects.set(keyAt(0), objectAt(0, '2'));
    await collect({ flowLog: log, state: memoryObjects(bucket), world });
    expect((await evidence(bucket, world)).damaged).toEqual([]);
    expect(await recordsIn(bucket, world)).toBe(2);
  });

  test('stops before the deadline and goes on in the next run', async () => {
    const { log } = hourlyLog(3);
    const bucket = new MemoryBucket();
    const world = worldAt(after(start, day));
    world.setDeadline(world.now());
    expect(await collect({ flowLog: log, state: memoryObjects(bucket), world })).toMatchObject({ objects: 0, left: 3 });
    world.setDeadline(after(world.now(), day));
    expect(await collect({ flowLog: log, state: memoryObjects(bucket), world })).toMatchObject({ objects: 3, left: 0 });
  });

  test('forgets old objects one by one, keeps their facts, and lists only what is after them', async () => {
    const { log, objects } = hourlyLog(24 * 8);
    const bucket = new MemoryBucket();
    const world = worldAt(after(start, 8 * day + 2 * hour));
    await collect({ flowLog: log, state: memoryObjects(bucket), world });
    const ledger = await readLedger(memoryObjects(bucket), 'made');
    expect(ledger.recent.length).toBeLessThanOrEqual(3 * 24);
    expect(ledger.settled).toEqual({ 'AWSLogs/1/vpcflowlogs/r': keyAt(24 * 5) });
    let yielded = 0;
    const counted = {
      ...log,
      async *objects(from?: string) {
        for await (const object of log.objects(from)) {
          yielded += 1;
          yield object;
        }
      },
    };
    objects.set(keyAt(24 * 8), objectAt(24 * 8));
    world.pass(hour);
    expect(await collect({ flowLog: counted, state: memoryObjects(bucket), world })).toMatchObject({ objects: 1 });
    expect(yielded).toBeLessThan(3 * 24 + 4);
    expect(await recordsIn(bucket, world)).toBe(24 * 8 + 1);
  });

  test('an object that comes days late is read by a run that looks at everything again', async () => {
    const { log, objects } = hourlyLog(24 * 8);
    objects.delete(keyAt(5));
    const bucket = new MemoryBucket();
    const world = worldAt(after(start, 9 * day));
    await collect({ flowLog: log, state: memoryObjects(bucket), world });
    objects.set(keyAt(5), objectAt(5));
    expect(await collect({ flowLog: log, state: memoryObjects(bucket), world })).toMatchObject({ objects: 0 });
    expect(await collect({ flowLog: log, state: memoryObjects(bucket), world, relist: true })).toMatchObject({
      objects: 1,
    });
    expect(await collect({ flowLog: log, state: memoryObjects(bucket), world, relist: true })).toMatchObject({
      objects: 0,
    });
    expect(await recordsIn(bucket, world)).toBe(24 * 8);
  });

  test('two collectors at once count nothing twice and lose nothing', async () => {
    const { log } = hourlyLog(5);
    const bucket = new MemoryBucket();
    const worlds = [testWorld('2026-09-03T00:00:00Z', 'one'), testWorld('2026-09-03T00:00:00Z', 'two')];
    const reports = await Promise.all(
      worlds.map((world) => collect({ flowLog: log, state: memoryObjects(bucket), world })),
    );
    expect(reports.map(({ objects }) => objects).toSorted((a, b) => a - b)).toEqual([0, 5]);
    expect(await recordsIn(bucket, testWorld())).toBe(5);
    expect(tablesIn(bucket)).toBe(3);
  });
});

describe('a collector whose writes break', () => {
  const usages = new Map<string, UsageBatch>();

  test('ends as if nothing had happened, whichever write broke and however', async () => {
    const count = (await run(new Map())).writes;
    expect(count).toBeGreaterThan(6);
    for (let write = 0; write < count; write += 1) {
      for (const how of breaks) {
        const { records, leftover } = await run(new Map([[write, how]]));
        expect([write, how, records, leftover]).toEqual([write, how, 5, 6]);
      }
    }
  }, 60_000);

  /** Two runs with an object that grows between them, each repeated until it ends well; then an hour passes. */
  async function run(broken: ConstructorParameters<typeof Faults>[0]) {
    const faults = new Faults(broken);
    const { log, objects } = hourlyLog(2);
    const flowLog = remembering(log, usages);
    const bucket = new MemoryBucket();
    const world = worldAt(after(start, day));
    const state = faults.wrap(memoryObjects(bucket), 'state', ['create', 'replace', 'delete']);
    const again = async () => {
      for (let attempt = 0; attempt < 4; attempt += 1) {
        faults.restart();
        try {
          return await collect({ flowLog, state, world });
        } catch (thrown) {
          if (attempt === 3) throw thrown;
        }
      }
      return undefined;
    };
    await again();
    objects.set(keyAt(1), objectAt(1, '2', [session(1), session(1, '10.0.0.10')]));
    objects.set(keyAt(2), objectAt(2, '1', [session(2), session(2, '10.0.0.11')]));
    await again();
    const { writes } = faults;
    world.pass(2 * hour);
    await again();
    return { writes: writes.length, records: await recordsIn(bucket, world), leftover: tablesIn(bucket) };
  }
});
