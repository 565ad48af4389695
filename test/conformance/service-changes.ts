import { expect, test } from '@jest/globals';
import type { Login } from '../../shared/services/contract.ts';
import { expectAll, expectDone, free, keptIn, retireOld, stop, type ServiceCase } from './service-harness.ts';

/** What change and retire do to values. */
export function changeTests(here: () => ServiceCase): void {
  test('change makes the login valid, and locks nobody out unless the strategy is single', async () => {
    const { place, told, fresh } = here();
    expect(await place.logsIn(fresh)).toBe(false);
    expectDone(here(), await place.first.change(fresh, place.initial, free));
    expect(await place.logsIn(fresh)).toBe(true);
    expectAll(await place.second.accepts(fresh), 'accepted');
    expect(await place.logsIn(place.initial)).toBe(told.strategy !== 'single');
    const isBeside = told.strategy === 'additive' || told.strategy === 'alternating';
    expectAll(await place.second.accepts(place.initial), isBeside ? 'accepted' : 'refused');
    await expectCount(here(), told.strategy === 'additive' ? 2 : 1);
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
    await expectCount(here(), told.strategy === 'additive' ? 2 : 1);
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
      expectAll(await place.second.accepts(login), 'accepted');
      if (told.capacity > 1 || place.target !== place.initial.slot)
        expectAll(await place.second.accepts(place.initial), 'accepted');
      const held = (await place.first.describe()).holds[place.target];
      if (held !== undefined) expect(held).toBeLessThanOrEqual(told.capacity);
    }
    // What there is no room for goes, the oldest first.
    expectAll(await place.first.accepts(fresh), told.capacity > 3 ? 'accepted' : 'refused');
    expectAll(await place.first.accepts(newer), told.capacity > 2 ? 'accepted' : 'refused');
  });

  test('keep is whichever login the caller names, also the newest', async () => {
    const { place, told, fresh, newer, newest } = here();
    await place.first.change(fresh, place.initial, free);
    await place.first.change(newer, fresh, free);
    await place.first.change(newest, newer, free);
    expectAll(await place.first.accepts(newest), 'accepted');
    if (told.capacity > 1) expectAll(await place.first.accepts(newer), 'accepted');
  });

  test('retire leaves exactly what is kept, again and again', async () => {
    const { place, fresh, newer } = here();
    await place.first.change(newer, place.initial, free);
    await place.first.change(fresh, place.initial, free);
    for (const by of [place.first, place.second]) {
      expectDone(here(), await retireOld(here(), fresh, { by }));
      expect(await place.logsIn(fresh)).toBe(true);
      for (const login of [place.initial, newer]) await expectOut(here(), login);
      await expectCount(here(), 1);
    }
  });

  test('retire without keep: nobody logs in as that user, and other users do', async () => {
    const { place, fresh, newer } = here();
    await place.first.change(newer, place.initial, free);
    await place.first.change(fresh, place.initial, free);
    for (const by of [place.first, place.second]) {
      expectDone(here(), await by.retire(place.target, undefined, free));
      for (const login of [fresh, newer]) await expectOut(here(), login);
      expect(await place.logsIn(place.initial)).toBe(place.initial.slot !== place.target);
      await expectCount(here(), 0);
    }
  });

  test('retire never makes the value that it shall keep; the one value of a slot stays instead', async () => {
    const { place, told, wrong } = here();
    expectDone(here(), await place.first.retire(place.initial.slot, wrong, free));
    await expectOut(here(), wrong);
    expect(await place.logsIn(place.initial)).toBe(told.capacity === 1);
  });

  test('a login of another user keeps nothing', async () => {
    const { place } = here();
    const other = { slot: `${place.initial.slot}_other`, value: place.initial.value };
    expectDone(here(), await place.first.retire(place.initial.slot, other, free));
    await expectOut(here(), place.initial);
  });

  test('what was retired can be made valid again', async () => {
    const { place, fresh } = here();
    await place.first.change(fresh, place.initial, free);
    await retireOld(here(), fresh);
    expectDone(here(), await place.second.change(place.initial, keptIn(place.initial.slot, fresh), free));
    expect(await place.logsIn(place.initial)).toBe(true);
    expectAll(await place.first.accepts(place.initial), 'accepted');
  });
}

async function expectOut({ place }: ServiceCase, login: Login): Promise<void> {
  expect(await place.logsIn(login)).toBe(false);
  expectAll(await place.first.accepts(login), 'refused');
}

/** Where the target's values are counted, there are so many. */
async function expectCount({ place, told }: ServiceCase, count: number): Promise<void> {
  const held = (await place.first.describe()).holds[place.target];
  if (held !== undefined || told.capacity > 1) expect(held).toBe(count);
}
