import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ServiceDescription } from '../../shared/services/contract.ts';
import { inspectAll } from '../services/printed.ts';
import { changeTests } from './service-changes.ts';
import { fenceTests } from './service-fences.ts';
import { fleetTests } from './service-fleets.ts';
import { answered, free, openCase, type ServiceCase, type ServicePlace } from './service-harness.ts';
import { sessionTests } from './service-sessions.ts';

export { until } from './service-harness.ts';
export type { HeldSession, ServicePlace } from './service-harness.ts';

/** The service contract, line by line; every driver passes it. */
export function serviceSuite(name: string, open: () => Promise<ServicePlace>): void {
  describe(`${name} keeps the service contract:`, () => {
    let opened: ServiceCase;
    const here = () => opened;
    beforeEach(async () => {
      opened = await openCase(open);
    });
    afterEach(async () => opened.place.close());

    test('describe says what it is and what it can do, and finds nothing in the way', () => {
      const { place, told } = here();
      expect(told.slots).toHaveLength(told.strategy === 'alternating' ? 2 : 1);
      expect(told.slots).toEqual(expect.arrayContaining([place.initial.slot, place.target]));
      expect(told.endpoints.length).toBeGreaterThan(0);
      expect(told.problems).toEqual([]);
      expect(told.slotsEqual).toBe(told.strategy === 'alternating');
      expect(['lock', 'exact', 'none']).toContain(told.fence);
      expect(told.mark !== undefined).toBe(told.sessionsSeen === 'marked');
      expect(told.clock === undefined || Number.isSafeInteger(told.clock)).toBe(true);
      expect(told.capacity).toBeGreaterThanOrEqual(1);
      expect(told.capacity > 1).toBe(told.strategy === 'additive');
    });

    test('a value that is drawn has at least 128 bits', () => {
      expect(bits(here().told.value)).toBeGreaterThanOrEqual(128);
    });

    test('describe counts every slot where a slot can hold more than one value', () => {
      const { place, told } = here();
      const counted = Object.keys(told.holds);
      expect(told.slots).toEqual(expect.arrayContaining(counted));
      expect(counted).toEqual(expect.arrayContaining(told.capacity > 1 ? [...told.slots] : []));
      for (const slot of counted) expect(told.holds[slot]).toBe(slot === place.initial.slot ? 1 : 0);
    });

    test('accepts answers yes on every endpoint for a good login and no for a wrong value', async () => {
      const { place, told, wrong } = here();
      const yes = await place.first.accepts(place.initial);
      expect(yes.map((answer) => answer.endpoint)).toEqual(told.endpoints);
      expect(answered(yes)).toBe('accepted');
      const no = await place.first.accepts(wrong);
      expect(no.map((answer) => answer.endpoint)).toEqual(told.endpoints);
      expect(answered(no)).toBe('refused');
      expect([...yes, ...no].some((answer) => 'error' in answer)).toBe(false);
      expect(!told.encrypted || yes.every((answer) => answer.encrypted)).toBe(true);
    });

    changeTests(here);
    fenceTests(here);
    fleetTests(here);
    sessionTests(here);

    test('a service that does not answer is unreachable: never a no, never a done', async () => {
      const { place, fresh } = here();
      const answers = await place.down.accepts(place.initial);
      expect(answered(answers)).toBe('no-answer');
      for (const { error } of answers) expect(error).toMatchObject({ code: 'unreachable' });
      const gone = { code: 'unreachable' };
      await expect(place.down.change(fresh, place.initial, free)).rejects.toMatchObject(gone);
      await expect(place.down.retire(place.initial.slot, undefined, free)).rejects.toMatchObject(gone);
      await expect(place.down.describe()).rejects.toMatchObject(gone);
      await expect(place.down.sessions(place.initial.slot)).rejects.toMatchObject(gone);
    });

    test('a user that is not one of the slots is never touched', async () => {
      const { place, fresh } = here();
      const stranger = { slot: 'stranger', value: fresh.value };
      await expect(place.first.change(stranger, undefined, free)).rejects.toMatchObject({ code: 'not-found' });
      await expect(place.first.retire('stranger', undefined, free)).rejects.toMatchObject({ code: 'not-found' });
      expect(await place.logsIn(place.initial)).toBe(true);
    });

    test('no value appears in anything it answers or throws', async () => {
      const { place, told, fresh, wrong } = here();
      const calls: readonly Promise<unknown>[] = [
        place.down.change(fresh, place.initial, free),
        place.down.retire(place.initial.slot, place.initial, free),
        place.down.accepts(fresh),
        place.first.accepts(wrong),
        place.first.change(fresh, place.initial, free),
        place.first.change({ slot: 'stranger', value: fresh.value }, place.initial, free),
        place.first.describe(),
      ];
      const came = await Promise.all(calls.map((call) => call.then(printed, inspectAll)));
      const all = JSON.stringify([told, ...came]);
      for (const { value } of [fresh, wrong, place.initial])
        expect(all).not.toContain(JSON.stringify(value.open()).slice(1, -1));
    });
  });
}

function bits(value: ServiceDescription['value']): number {
  if (value.kind === 'text') return value.rule.length * Math.log2(new Set(value.rule.alphabet).size);
  return Infinity;
}

/** An answer as JSON, with all that its errors could print. */
function printed(answer: unknown): string {
  return JSON.stringify(answer, (_, one: unknown) => (one instanceof Error ? inspectAll(one) : one)) ?? '';
}
