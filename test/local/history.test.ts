import { expect, test } from '@jest/globals';
import { hour, instant } from '../../shared/base/time.ts';
import { systemWorld } from '../../shared/base/world.ts';
import { makeHistory, worldUpTo } from '../../functions/local/demo/history.ts';

const present = systemWorld();

test('every hour of a history happens, in order, also where life is slower than the clock', async () => {
  const world = worldUpTo(present, instant(present.now() - 60 * hour));
  const hours: number[] = [];
  const lags: number[] = [];
  await makeHistory({
    world,
    speed: hour / 2,
    present: () => present.now(),
    signal: new AbortController().signal,
    live: async (at) => {
      hours.push(at / hour);
      lags.push(world.now() - at);
      if (hours.length === 20) await new Promise((resolve) => setTimeout(resolve, 60));
    },
  });
  expect(hours.length).toBeGreaterThanOrEqual(59);
  expect(hours).toEqual(hours.map((_, at) => (hours[0] ?? 0) + at));
  expect(lags.every((lag) => lag >= 0)).toBe(true);
  expect(lags.at(-1)).toBeLessThan(10 * hour);
  expect(present.now() - world.now()).toBeLessThan(1_000);
  expect(world.now()).toBeLessThanOrEqual(present.now());
});

test('a history that is interrupted ends at once, at natural speed', async () => {
  const world = worldUpTo(present, instant(present.now() - 1_000 * hour));
  const stop = new AbortController();
  let hours = 0;
  await makeHistory({
    world,
    speed: hour,
    present: () => present.now(),
    signal: stop.signal,
    live: async () => void ((hours += 1) === 3 && stop.abort()),
  });
  expect(hours).toBe(3);
  const before = world.now();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(world.now() - before).toBeLessThan(5_000);
});
