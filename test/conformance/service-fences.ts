import { expect, test } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { LockkeeperError } from '../../shared/base/error.ts';
import type { Guard } from '../../shared/services/contract.ts';
import { expectAll, free, keptIn, type ServiceCase } from './service-harness.ts';

/** What stops a writer that was paused. */
export function fenceTests(here: () => ServiceCase): void {
  test('the guard runs before anything is changed', async () => {
    const { place, fresh } = here();
    const seen: boolean[] = [];
    const look: Guard = async () => void seen.push(await place.logsIn(fresh), await place.logsIn(place.initial));
    await place.first.change(fresh, place.initial, look);
    expect(seen).toEqual([false, true]);
    const lookAgain: Guard = async () => void seen.push(await place.logsIn(fresh));
    await place.first.retire(place.target, undefined, lookAgain);
    expect(seen).toEqual([false, true, true]);
  });

  test('under a lock two processes are never inside at once', async () => {
    const { place, told, fresh } = here();
    let inside = 0;
    let most = 0;
    const slow: Guard = async () => {
      inside += 1;
      most = Math.max(most, inside);
      await pause(told.fence === 'lock' ? 10 : 0);
      inside -= 1;
    };
    await Promise.allSettled([
      place.first.change(fresh, place.initial, slow),
      place.second.change(fresh, place.initial, slow),
      place.second.retire(place.target, fresh, slow),
    ]);
    if (told.fence === 'lock') expect(most).toBe(1);
    else expect(most).toBeGreaterThan(0);
    expect(await place.logsIn(fresh)).toBe(true);
  });

  test('a stale writer whose guard runs late cannot overwrite the newer value', async () => {
    const { place, fresh, newer } = here();
    let epoch = 1;
    const onlyInFirstEpoch: Guard = async () => {
      if (epoch !== 1) throw new LockkeeperError('conflict', 'stale');
    };
    const inside = Promise.withResolvers<void>();
    const move: Guard = async () => {
      epoch = 2;
      inside.resolve();
      await pause(10);
    };
    const winning = place.first.change(newer, place.initial, move);
    await inside.promise;
    await expect(place.second.change(fresh, place.initial, onlyInFirstEpoch)).rejects.toMatchObject({
      code: 'conflict',
    });
    await winning;
    expect(await place.logsIn(newer)).toBe(true);
    expect(await place.logsIn(fresh)).toBe(false);
  });

  test('an exact writer that was paused after its guard leaves a value alone that came meanwhile', async () => {
    const { place, told, fresh, newer, newest } = here();
    const meanwhile = (login: typeof newer): Guard => {
      if (told.fence === 'lock') return free;
      return async () => void (await place.second.change(login, place.initial, free));
    };
    const paused = await settled(place.first.change(fresh, place.initial, meanwhile(newer)));
    if (told.fence === 'exact') {
      expectAll(await place.second.accepts(newer), 'accepted');
      // Where there is no room for both, the one that was paused gives way.
      const isRoom = told.capacity > 2;
      expect(paused).toBe(isRoom ? 'done' : 'conflict');
      expectAll(await place.second.accepts(fresh), isRoom ? 'accepted' : 'refused');
    } else expect(paused).toBe('done');
    const kept = keptIn(place.target, place.initial);
    expect(await settled(place.first.retire(place.target, kept, meanwhile(newest)))).toBe('done');
    if (told.fence === 'exact') expectAll(await place.second.accepts(newest), 'accepted');
  });

  test('a writer whose connection is gone leaves the lock free, and does nothing when it wakes up', async () => {
    const { place, told, fresh, newer } = here();
    if (told.fence !== 'lock') {
      expect(place.loseFirst).toBeUndefined();
      return;
    }
    let other: string | undefined;
    const die: Guard = async () => {
      await place.loseFirst?.();
      other = await settled(place.second.change(newer, place.initial, free));
    };
    if (!place.loseFirst) throw new Error('a place with a lock can lose the one who holds it');
    expect(await settled(place.first.change(fresh, place.initial, die))).not.toBe('done');
    expect(other).toBe('done');
    expect(await place.logsIn(newer)).toBe(true);
    expect(await place.logsIn(fresh)).toBe(false);
    await place.second.change(fresh, place.initial, free);
    expect(await place.logsIn(fresh)).toBe(true);
  });
}

async function settled(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'done',
    (thrown: unknown) => (thrown instanceof LockkeeperError ? thrown.code : 'bug'),
  );
}
