import { expect, test } from '@jest/globals';
import {
  answered,
  counted,
  expectDone,
  isOut,
  free,
  keptIn,
  retireOld,
  stop,
  type ServiceCase,
} from './service-harness.ts';

/** What change and retire do to values. */
export function changeTests(here: () => ServiceCase): void {
  test('change makes the login valid, and locks nobody out unless the strategy is single', async () => {
    const { place, told, fresh } = here();
    expect(await place.logsIn(fresh)).toBe(false);
    expectDone(here(), await place.first.change(fresh, place.initial, free));
    expect(await place.logsIn(fresh)).toBe(true);
    expect(answered(await place.second.accepts(fresh))).toBe('accepted');
    expect(await place.logsIn(place.initial)).toBe(told.strategy !== 'single');
    const isBeside = told.strategy === 'additive' || told.strategy === 'alternating';
    expect(answered(await place.second.accepts(place.initial))).toBe(isBeside ? 'accepted' : 'refused');
    expect([told.strategy === 'additive' ? 2 : 1, undefined]).toContain(await counted(here(), place.target));
  });

  test('changing to the same login again disturbs nobody who uses it, and runs the guard again', async () => {
    const { place, told, fresh } = here();
    await place.first.change(fresh, place.initial, free);
    const session = await place.hold(fresh);
    let guards = 0;
    const counting = async () => void (guards += 1);
    expectDone(here(), await place.second.change(fresh, place.initial, counting));
    expect(guards).toBe(1);
    expect(await session.isOpen()).toBe(true);
    expect(await place.logsIn(fresh)).toBe(true);
    expect(await place.logsIn(place.initial)).toBe(told.strategy !== 'single');
    expect([told.strategy === 'additive' ? 2 : 1, undefined]).toContain(await counted(here(), place.target));
    await session.close();
  });

  test('a guard that throws stops change and retire before anything happens, with its own error', async () => {
    const { place, fresh } = here();
    const itsOwn = { code: 'conflict', message: 'the journal moved on' };
    await expect(place.first.change(fresh, place.initial, stop)).rejects.toMatchObject(itsOwn);
    await expect(retireOld(here(), fresh, { guard: stop })).rejects.toMatchObject(itsOwn);
    await expect(place.first.retire(place.initial.slot, undefined, stop)).rejects.toMatchObject(itsOwn);
    expect(await place.logsIn(fresh)).toBe(false);
    expect(await place.logsIn(place.initial)).toBe(true);
  });

  test('however often it changes, keep stays valid; no slot ever holds more than it can', async () => {
    const { place, told, fresh, newer, newest } = here();
    for (const login of [fresh, newer, newest]) {
      await place.first.change(login, place.initial, free);
      expect(answered(await place.second.accepts(login))).toBe('accepted');
      const isBeside = told.capacity > 1 || place.target !== place.initial.slot;
      expect(answered(await place.second.accepts(place.initial))).toBe(isBeside ? 'accepted' : 'refused');
      expect((await counted(here(), place.target)) ?? 0).toBeLessThanOrEqual(told.capacity);
    }
    // What there is no room for goes, the oldest first.
    expect(answered(await place.first.accepts(fresh))).toBe(told.capacity > 3 ? 'accepted' : 'refused');
    expect(answered(await place.first.accepts(newer))).toBe(told.capacity > 2 ? 'accepted' : 'refused');
  });

  test('keep is whichever login the caller names, also the newest', async () => {
    const { place, told, fresh, newer, newest } = here();
    await place.first.change(fresh, place.initial, free);
    await place.first.change(newer, fresh, free);
    await place.first.change(newest, newer, free);
    expect(answered(await place.first.accepts(newest))).toBe('accepted');
    expect(answered(await place.first.accepts(newer))).toBe(told.capacity > 1 ? 'accepted' : 'refused');
  });

  test('retire leaves exactly what is kept, again and again', async () => {
    const { place, fresh, newer } = here();
    await place.first.change(newer, place.initial, free);
    await place.first.change(fresh, place.initial, free);
    for (const by of [place.first, place.second]) {
      expectDone(here(), await retireOld(here(), fresh, { by }));
      expect(await place.logsIn(fresh)).toBe(true);
      for (const login of [place.initial, newer]) expect(await isOut(here(), login)).toBe(true);
      expect([1, undefined]).toContain(await counted(here(), place.target));
    }
  });

  test('retire without keep: nobody logs in as that user, and other users do', async () => {
    const { place, fresh, newer } = here();
    await place.first.change(newer, place.initial, free);
    await place.first.change(fresh, place.initial, free);
    for (const by of [place.first, place.second]) {
      expectDone(here(), await by.retire(place.target, undefined, free));
      for (const login of [fresh, newer]) expect(await isOut(here(), login)).toBe(true);
      expect(await place.logsIn(place.initial)).toBe(place.initial.slot !== place.target);
      expect([0, undefined]).toContain(await counted(here(), place.target));
    }
  });

  test('retire never makes the value that it shall keep; the one value of a slot stays instead', async () => {
    const { place, told, wrong } = here();
    expectDone(here(), await place.first.retire(place.initial.slot, wrong, free));
    expect(await isOut(here(), wrong)).toBe(true);
    expect(await place.logsIn(place.initial)).toBe(told.capacity === 1);
  });

  test('a login of another user keeps nothing', async () => {
    const { place } = here();
    const other = { slot: `${place.initial.slot}_other`, value: place.initial.value };
    expectDone(here(), await place.first.retire(place.initial.slot, other, free));
    expect(await isOut(here(), place.initial)).toBe(true);
  });

  test('what was retired can be made valid again', async () => {
    const { place, fresh } = here();
    await place.first.change(fresh, place.initial, free);
    await retireOld(here(), fresh);
    expectDone(here(), await place.second.change(place.initial, keptIn(place.initial.slot, fresh), free));
    expect(await place.logsIn(place.initial)).toBe(true);
    expect(answered(await place.first.accepts(place.initial))).toBe('accepted');
  });
}
