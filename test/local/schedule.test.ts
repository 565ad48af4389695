import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { LockkeeperError } from '../../shared/base/error.ts';
import { day, hour, parseInstant } from '../../shared/base/time.ts';
import { memoryObjects } from '../../shared/objects/memory.ts';
import { LastRuns } from '../../functions/local/last-runs.ts';
import { isMissed, startSchedule, type Job } from '../../functions/local/schedule.ts';
import { serveLog } from '../../functions/local/serve-log.ts';
import { testWorld } from '../world.ts';

const never = '0 0 1 1 *';

function place() {
  const world = testWorld('2026-10-01T00:30:00Z');
  const state = memoryObjects();
  const lines: string[] = [];
  const options = { world, lastRuns: new LastRuns(state), log: serveLog(world, (line) => lines.push(line)) };
  return {
    world,
    lines,
    lastRuns: options.lastRuns,
    start: (jobs: readonly Job[]) => startSchedule({ ...options, jobs }),
  };
}

describe('the schedule', () => {
  test('knows what was missed: a time of the pattern after the last run', () => {
    const at = (text: string) => parseInstant(`2026-10-01T${text}Z`);
    expect(isMissed('0 * * * *', at('00:30:00'), at('00:59:59'))).toBe(false);
    expect(isMissed('0 * * * *', at('00:30:00'), at('01:00:00'))).toBe(true);
    expect(isMissed('0 * * * *', at('01:00:00'), at('01:00:00'))).toBe(false);
  });

  test('runs what was missed once, however often it was missed, and nothing at the very first start', async () => {
    const { world, start } = place();
    let runs = 0;
    const jobs: readonly Job[] = [{ name: 'collect', pattern: '0 * * * *', run: async () => void (runs += 1) }];
    const first = await start(jobs);
    await first.stop();
    expect(runs).toBe(0);
    world.pass(3 * day);
    const second = await start(jobs);
    await sleep(20);
    await second.stop();
    expect(runs).toBe(1);
    const third = await start(jobs);
    await third.stop();
    expect(runs).toBe(1);
  });

  test('never runs two jobs at once, and waits for the present one when it ends', async () => {
    const { world, lastRuns, start } = place();
    for (const name of ['a', 'b']) await lastRuns.write(name, world.now());
    world.pass(2 * hour);
    const events: string[] = [];
    const job = (name: string): Job => ({
      name,
      pattern: '0 * * * *',
      run: async () => {
        events.push(`${name} begins`);
        await sleep(30);
        events.push(`${name} ends`);
      },
    });
    const schedule = await start([job('a'), job('b')]);
    await sleep(45);
    await schedule.stop();
    expect(events).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
  });

  test('logs what a job throws, with what to do, and goes on with the next', async () => {
    const { world, lines, lastRuns, start } = place();
    for (const name of ['bad', 'good']) await lastRuns.write(name, world.now());
    world.pass(2 * hour);
    let isDone = false;
    const bad = async (): Promise<void> => {
      throw new LockkeeperError('unreachable', 'the store is away', { hint: 'Mount it.' });
    };
    const schedule = await start([
      { name: 'bad', pattern: '0 * * * *', run: bad },
      { name: 'good', pattern: '0 * * * *', run: async () => void (isDone = true) },
    ]);
    await sleep(20);
    await schedule.stop();
    expect(isDone).toBe(true);
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
      {
        at: '2026-10-01T02:30:00Z',
        level: 'error',
        job: 'bad',
        code: 'unreachable',
        text: 'the store is away',
        hint: 'Mount it.',
      },
    ]);
  });

  test('runs a job at its time', async () => {
    const { start } = place();
    let runs = 0;
    const schedule = await start([
      { name: 'often', pattern: '* * * * * *', run: async () => void (runs += 1) },
      { name: 'never', pattern: never, run: async () => void (runs += 100) },
    ]);
    await sleep(1_200);
    await schedule.stop();
    const atStop = runs;
    expect(atStop).toBeGreaterThanOrEqual(1);
    expect(atStop).toBeLessThan(100);
    await sleep(1_100);
    expect(runs).toBe(atStop);
  });

  test('a record of the last run never goes back, and a damaged one says what to do', async () => {
    const state = memoryObjects();
    const lastRuns = new LastRuns(state);
    await lastRuns.write('scan', parseInstant('2026-10-02T00:00:00Z'));
    await lastRuns.write('scan', parseInstant('2026-10-01T00:00:00Z'));
    expect(await lastRuns.read('scan')).toBe(parseInstant('2026-10-02T00:00:00Z'));
    await state.create('serve/broken.json', Buffer.from('{'));
    await expect(lastRuns.read('broken')).rejects.toMatchObject({
      code: 'invalid',
      hint: expect.stringContaining('Delete it'),
    });
  });
});
