import { expect, test } from '@jest/globals';
import { checkpointOf, expectOwnKey } from '../../shared/audit/sealing/checkpoints.ts';
import { GrowingTree } from '../../shared/audit/sealing/grow.ts';
import { crowd } from './crowd.ts';
import { event, filled, runOn } from './place.ts';
import { simulate } from './simulated.ts';

test('writers that record and seal at once, while calls fail and processes die, lose nothing that was acknowledged and fork nothing', async () => {
  const report = await crowd({ seed: 3, writers: 6, events: 16, hasFaults: true });
  expect(report).toMatchObject({ acknowledged: 96, lost: [], forks: [], unfinished: [] });
  expect(report.faults.size).toBeGreaterThan(4);
});

test('one create is what an acknowledgement costs, and one more what the end of a run does', async () => {
  const { puts, acknowledged } = await crowd({ seed: 12, writers: 3, events: 10, hasFaults: false });
  expect([puts, acknowledged]).toEqual([33, 30]);
});

test.each([1, 3, 4])(
  'hosts that sleep, die, and whose clocks differ by a day lose nothing over weeks, and verify raises no alarm on the way (seed %i)',
  async (seed) => {
    const report = await simulate({ seed, steps: 2_000 });
    expect(report.problems).toEqual([]);
    expect(report.acknowledged).toBeGreaterThan(90);
    expect(report.days).toBeGreaterThan(5);
  },
);

test('one host whose clock is days ahead now and then makes nobody lose anything', async () => {
  expect((await simulate({ seed: 7, steps: 2_000, trouble: 'clock' })).problems).toEqual([]);
});

test('a state store that is lost or put back to an older copy makes nobody lose anything', async () => {
  expect((await simulate({ seed: 8, steps: 2_000, trouble: 'state' })).problems).toEqual([]);
});

test('the same seed simulates the same weeks', async () => {
  expect(await simulate({ seed: 2, steps: 600 })).toEqual(await simulate({ seed: 2, steps: 600 }));
});

test('where another tree of the same size was signed already, nothing is published', async () => {
  const at = await filled(2);
  const other = new GrowingTree();
  for (let leaf = 0; leaf < 6; leaf += 1) other.append(Uint8Array.of(leaf));
  await checkpointOf(at, await expectOwnKey(at), other);
  const log = runOn(at, 'second');
  await log.record(event(1));
  await expect(log.seal()).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('forked') });
});
