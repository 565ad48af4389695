import { expect, test } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { LockkeeperError } from '../../shared/base/error.ts';
import type { Guard } from '../../shared/services/contract.ts';
import { answered, free, keptIn, type ServiceCase } from './service-harness.ts';

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
    expect(told.fence === 'lock' ? [1] : [1, 2, 3]).toContain(most);
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
    const isExact = told.fence === 'exact';
    const meanwhile = (login: typeof newer): Guard => {
      if (told.fence === 'lock') return free;
      return async () => void (await place.second.change(login, place.initial, free));
    };
    // Where there is no room for both, the one that was paused gives way.
    const isRoom = !isExact || told.capacity > 2;
    const paused = await settled(place.first.change(fresh, place.initial, meanwhile(newer)));
    expect(paused).toBe(isRoom ? 'done' : 'conflict');
    expect(!isExact || answered(await place.second.accepts(newer)) === 'accepted').toBe(true);
    expect(answered(await place.second.accepts(fresh))).toBe(isRoom ? 'accepted' : 'refused');
    const kept = keptIn(place.target, place.initial);
    expect(await settled(place.first.retire(place.target, kept, meanwhile(newest)))).toBe('done');
    expect(!isExact || answered(await place.second.accepts(newest)) === 'accepted').toBe(true);
  });

  test('a writer whose connection is gone leaves the lock free, and does nothing when it wakes up', async () => {
    const { place, told, fresh, newer } = here();
    const canBeLost = 'loseFirst' in place;
    expect(canBeLost).toBe(told.fence === 'lock');
    if (!canBeLost) return;
    let other: string | undefined;
    const die: Guard = async () => {
      await place.loseFirst?.();
      other = await settled(place.second.change(newer, place.initial, free));
    };
    const lost = await settled(place.first.change(fresh, place.initial, die));
    expect([lost === 'done', other]).toEqual([false, 'done']);
    expect([await place.logsIn(newer), await place.logsIn(fresh)]).toEqual([true, false]);
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
