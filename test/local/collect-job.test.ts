import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { after, minute } from '../../shared/base/time.ts';
import type { CollectReport } from '../../shared/usage/collect.ts';
import { CollectJob } from '../../functions/local/collect-job.ts';
import { jobClock } from '../../functions/local/job-clock.ts';
import { serveLog } from '../../functions/local/serve-log.ts';
import { visibleStart } from '../../shared/base/visible.ts';
import { WorkQueue } from '../../functions/local/work-queue.ts';
import { testWorld } from '../world.ts';

const nothing: CollectReport = {
  objects: 0,
  records: 0,
  malformed: 0,
  unreadable: 0,
  bytes: 0,
  left: 0,
  young: 0,
  named: [],
};

test('people are notified of an object that cannot be read once, also where the first notice is lost', async () => {
  const named = [{ key: 'a\n\u202e.log', why: 'a FIFO' }];
  const reports = [{ ...nothing, unreadable: 1, named }, { ...nothing, unreadable: 1, named }, nothing];
  const sent: string[] = [];
  let isLost = true;
  const job = new CollectJob({
    collect: async () => ({ done: [{ name: 'log', report: reports.shift() ?? nothing }], problems: [] }),
    log: serveLog(testWorld(), () => undefined),
    notify: async ({ text }) => {
      if (isLost) throw new Error('away');
      sent.push(text);
    },
  });
  await job.run();
  isLost = false;
  for (let runs = 0; runs < 3; runs += 1) await job.run();
  expect(sent).toEqual([expect.stringContaining('a\\u000a\\u202e.log: a FIFO')]);
});

test('somebody else’s text is one line, and is cut', () => {
  expect(visibleStart('a\u001b[2J\u0085b')).toBe('a\\u001b[2J\\u0085b');
  expect(visibleStart('x'.repeat(1_000))).toHaveLength(301);
});

test('a job that does not end is let go, and does not begin again before it is over', async () => {
  const late: string[] = [];
  const queue = new WorkQueue({ limitMs: 20, onLate: (name) => late.push(name) });
  const hang = Promise.withResolvers<void>();
  let [begun, others] = [0, 0];
  const hanging = async () => {
    begun += 1;
    await hang.promise;
  };
  queue.add('hangs', hanging);
  queue.add('other', async () => void (others += 1));
  await queue.settled();
  queue.add('hangs', hanging);
  await queue.settled();
  expect([late, begun, others]).toEqual([['hangs'], 1, 1]);
  hang.resolve();
  await sleep(1);
  queue.add('hangs', hanging);
  await queue.settled();
  expect(begun).toBe(2);
});

test('every run of a job has its own deadline', () => {
  const world = testWorld();
  const clock = jobClock(world, 10 * minute);
  clock.begin();
  expect(clock.world.deadline()).toBe(after(world.now(), 10 * minute));
  world.pass(20 * minute);
  clock.begin();
  expect(clock.world.deadline()).toBe(after(world.now(), 10 * minute));
});
