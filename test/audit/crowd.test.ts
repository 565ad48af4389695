import { expect, test } from '@jest/globals';
import { crowd } from './crowd.ts';

test('writers that record and seal at once, while calls fail and processes die, lose nothing that was acknowledged and fork nothing', async () => {
  const report = await crowd({ seed: 3, writers: 6, events: 16, hasFaults: true });
  expect(report).toMatchObject({ acknowledged: 96, lost: [], forks: [], unfinished: [] });
  expect(report.faults.size).toBeGreaterThan(4);
});

test('one create is what an acknowledgement costs, and one more what the end of a run does', async () => {
  const { puts, acknowledged } = await crowd({ seed: 12, writers: 3, events: 10, hasFaults: false });
  expect([puts, acknowledged]).toEqual([33, 30]);
});
