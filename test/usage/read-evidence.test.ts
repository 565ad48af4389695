import { expect, test } from '@jest/globals';
import { after, day, hour, instant } from '../../shared/base/time.ts';
import { memoryObjects } from '../../shared/objects/memory.ts';
import { collect } from '../../shared/usage/collect.ts';
import { readEvidence } from '../../shared/usage/read-evidence.ts';
import { testWorld } from '../world.ts';
import { hourlyLog, keyAt, objectAt, session, start } from './made-log.ts';

const world = testWorld('2026-10-01T00:00:00Z');
const at = (hours: number) => after(start, hours * hour);

/** Evidence of a log with one session in each of these hours. */
async function evidenceOf(hours: readonly number[], window: { from: number; to: number }, more = {}) {
  const { log, objects } = hourlyLog(0);
  for (const index of hours) objects.set(keyAt(index), objectAt(index));
  const state = memoryObjects();
  await collect({ flowLog: log, state, world });
  return readEvidence({ state, logs: ['made'], window: { from: at(window.from), to: at(window.to) }, world, ...more });
}

test('days tell the whole history until the end of the window, times inside it are told apart', async () => {
  const { rows } = await evidenceOf([1, 30, 55, 80], { from: 24, to: 72 });
  expect(rows).toMatchObject([
    {
      kind: 'answered',
      port: 5432,
      records: 3,
      days: ['2026-09-01', '2026-09-02', '2026-09-03'],
      first: at(1) + 60_000,
      last: at(55) + 90_000,
      firstInWindow: at(30) + 60_000,
      lastInWindow: at(55) + 90_000,
    },
  ]);
});

test('traffic before the window leaves its days and no time inside', async () => {
  const { rows } = await evidenceOf([1], { from: 24, to: 72 });
  expect(rows).toMatchObject([{ days: ['2026-09-01'], firstInWindow: undefined, lastInWindow: undefined }]);
});

test('coverage counts hours of the window, its rhythm, and the stretches between', async () => {
  const { coverage } = await evidenceOf([0, 24, 25, 26, 30, 48, 49, 100], { from: 24, to: 72 });
  expect(coverage).toEqual([
    {
      scope: 'eni-0a',
      seenHours: 6,
      lostHours: 0,
      seenDays: ['2026-09-02', '2026-09-03'],
      hoursADay: 3,
      firstSeen: at(24),
      lastSeen: at(49),
      gaps: [
        { from: at(50), to: at(72) },
        { from: at(31), to: at(48) },
        { from: at(27), to: at(30) },
      ],
    },
  ]);
});

test('hours that the cloud lost are told, and are not seen', async () => {
  const { log, objects } = hourlyLog(2);
  const lost = {
    kind: 'status',
    status: 'SKIPDATA',
    scope: 'eni-0a',
    start: at(1),
    end: instant(at(1) + 60_000),
  } as const;
  objects.set(keyAt(1), objectAt(1, '1', [lost]));
  const state = memoryObjects();
  await collect({ flowLog: log, state, world });
  const { coverage } = await readEvidence({ state, logs: ['made'], window: { from: at(0), to: at(3) }, world });
  expect(coverage).toMatchObject([{ seenHours: 1, lostHours: 1, gaps: [{ from: at(1), to: at(3) }] }]);
});

test('the same facts give the same digest, however they were collected; others another', async () => {
  const window = { from: start, to: after(start, 5 * day) };
  const together = hourlyLog(6);
  const one = memoryObjects();
  await collect({ flowLog: together.log, state: one, world });
  const apart = hourlyLog(3);
  const two = memoryObjects();
  await collect({ flowLog: apart.log, state: two, world });
  for (const index of [3, 4, 5]) apart.objects.set(keyAt(index), objectAt(index));
  await collect({ flowLog: apart.log, state: two, world });
  const digest = async (state: typeof one) => (await readEvidence({ state, logs: ['made'], window, world })).digest;
  expect(await digest(two)).toBe(await digest(one));
  apart.objects.set(keyAt(6), objectAt(6, '1', [session(6, '10.0.0.77')]));
  await collect({ flowLog: apart.log, state: two, world });
  expect(await digest(two)).not.toBe(await digest(one));
});

test('a log that was never collected has neither rows nor coverage', async () => {
  const { rows, coverage, damaged } = await readEvidence({
    state: memoryObjects(),
    logs: ['nothing'],
    window: { from: at(0), to: at(3) },
    world,
  });
  expect([rows, coverage, damaged]).toEqual([[], [], []]);
});

test('only the interfaces asked for, with the coverage of all', async () => {
  const { rows, coverage } = await evidenceOf([0], { from: 0, to: 3 }, { interfaces: ['eni-other'] });
  expect([rows.length, coverage.length]).toEqual([0, 1]);
});
