import { expect, test } from '@jest/globals';
import { free, retireOld, until, type ServiceCase } from './service-harness.ts';

/** Sessions, as far as the service shows them. */
export function sessionTests(here: () => ServiceCase): void {
  test("sessions shows who is logged in, and not the driver's own logins", async () => {
    const { place, told } = here();
    const { slot } = place.initial;
    await place.first.accepts(place.initial);
    const unsupported = expect.objectContaining({ code: 'unsupported' });
    const came: unknown = await place.first.sessions(slot).catch((thrown: unknown) => thrown);
    expect(came).toEqual(told.sessionsSeen === 'none' ? unsupported : []);
    if (told.sessionsSeen === 'none') return;
    const session = await place.hold(place.initial);
    const [seen, ...others] = await place.second.sessions(slot);
    expect(others).toEqual([]);
    expect(seen).toMatchObject({ slot, peer: expect.stringMatching(/./) });
    expect(JSON.stringify(seen)).not.toContain(place.initial.value.open());
    await session.close();
    expect(await until(async () => (await place.first.sessions(slot)).length === 0)).toBe(true);
  });

  test('a mark tells the sessions of before from those that began after it, also for another process', async () => {
    const { place, told } = here();
    expect(told.mark !== undefined).toBe(told.sessionsSeen === 'marked');
    if (told.mark === undefined) return;
    const { slot } = place.initial;
    const old = await place.hold(place.initial);
    const { mark } = await place.first.describe();
    const young = await place.hold(place.initial);
    expect(await place.second.sessions(slot, mark)).toHaveLength(1);
    expect(await place.second.sessions(slot)).toHaveLength(2);
    expect(await place.second.sessions(slot, told.mark)).toEqual([]);
    await old.close();
    expect(await until(async () => (await place.first.sessions(slot, mark)).length === 0)).toBe(true);
    expect(await place.first.sessions(slot)).toHaveLength(1);
    await young.close();
  });

  test('retire ends sessions only when told to, also when repeated', async () => {
    const { place, fresh } = here();
    const session = await place.hold(place.initial);
    await place.first.change(fresh, place.initial, free);
    await retireOld(here(), fresh);
    expect(await session.isOpen()).toBe(true);
    await retireOld(here(), fresh, { endSessions: true });
    expect(await session.isOpen()).toBe(false);
    await retireOld(here(), fresh, { endSessions: true });
    await session.close();
  });
}
