import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { LockkeeperError } from '../../shared/base/error.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import type { Guard, Login, Service, Session, Slot } from '../../shared/services/contract.ts';
import { inspectAll } from '../services/printed.ts';

/** A session that a consumer holds open on its own connection. */
export interface HeldSession {
  isOpen(): Promise<boolean>;
  close(): Promise<void>;
}

/** A fresh service with one credential that nobody has changed yet. */
export interface ServicePlace {
  /** Two drivers on the same service, as two processes have them. */
  readonly first: Service;
  readonly second: Service;
  /** A driver whose service does not answer. */
  readonly down: Service;
  /** What consumers use now. */
  readonly initial: Login;
  /** The user that the next value belongs to. */
  readonly target: Slot;
  /** The independent observer: a consumer's own login, true if it gets in. */
  logsIn(login: Login): Promise<boolean>;
  hold(login: Login): Promise<HeldSession>;
  close(): Promise<void>;
}

const free: Guard = async () => undefined;
const stop: Guard = async () => {
  throw new LockkeeperError('conflict', 'the journal moved on');
};

/** The service contract, line by line; every driver passes it. */
export function serviceSuite(name: string, open: () => Promise<ServicePlace>): void {
  describe(`${name} keeps the service contract:`, () => {
    let place: ServicePlace;
    let fresh: Login;
    beforeEach(async () => {
      place = await open();
      fresh = { slot: place.target, value: new Sealed('Fresh_value-0123456789abcdefghij') };
    });
    afterEach(async () => place.close());

    test('describe tells slots, endpoints and a rule of at least 128 bits, and finds nothing in the way', async () => {
      const told = await place.first.describe();
      expect(told.slots).toHaveLength(told.strategy === 'alternating' ? 2 : 1);
      expect(told.slots).toContain(place.initial.slot);
      expect(told.endpoints.length).toBeGreaterThan(0);
      expect(told.problems).toEqual([]);
      expect(told.slotsEqual).toBe(told.strategy === 'alternating');
      expect(told.valueRule.length * Math.log2(new Set(told.valueRule.alphabet).size)).toBeGreaterThanOrEqual(128);
    });

    test('accepts answers yes on every endpoint for a good login and no for a wrong value', async () => {
      const { endpoints } = await place.first.describe();
      const yes = await place.first.accepts(place.initial);
      expect(yes.map((answer) => answer.endpoint)).toEqual(endpoints);
      expect(yes.every((answer) => answer.accepted)).toBe(true);
      const no = await place.first.accepts({
        slot: place.initial.slot,
        value: new Sealed('wrong-value-000000000000000000'),
      });
      expect(no.map((answer) => answer.accepted)).toEqual(endpoints.map(() => false));
    });

    test('change makes the login valid, and leaves what consumers use alone unless there is only one value', async () => {
      expect(await place.logsIn(fresh)).toBe(false);
      await place.first.change(fresh, free);
      expect(await place.logsIn(fresh)).toBe(true);
      const { strategy } = await place.first.describe();
      expect(await place.logsIn(place.initial)).toBe(strategy !== 'single');
    });

    test('changing to the same login again disturbs nobody who uses it', async () => {
      await place.first.change(fresh, free);
      const session = await place.hold(fresh);
      await place.second.change(fresh, free);
      expect(await session.isOpen()).toBe(true);
      expect(await place.logsIn(fresh)).toBe(true);
      await session.close();
    });

    test('a guard that throws stops change and retire before anything happens, with its own error', async () => {
      await expect(place.first.change(fresh, stop)).rejects.toMatchObject({
        code: 'conflict',
        message: 'the journal moved on',
      });
      await expect(place.first.retire(place.initial, stop)).rejects.toMatchObject({
        code: 'conflict',
        message: 'the journal moved on',
      });
      expect(await place.logsIn(fresh)).toBe(false);
      expect(await place.logsIn(place.initial)).toBe(true);
    });

    test('the guard runs under the lock: two processes are never inside at once', async () => {
      let inside = 0;
      let most = 0;
      const slow: Guard = async () => {
        inside += 1;
        most = Math.max(most, inside);
        await pause(60);
        inside -= 1;
      };
      await Promise.all([
        place.first.change(fresh, slow),
        place.second.change(fresh, slow),
        place.second.retire(fresh, slow),
      ]);
      expect(most).toBe(1);
    });

    test('a stale writer that waited for the lock cannot overwrite the newer value', async () => {
      let epoch = 1;
      const newer = { slot: place.target, value: new Sealed('Newer_value-0123456789abcdefghij') };
      const inside = Promise.withResolvers<void>();
      const move: Guard = async () => {
        inside.resolve();
        await pause(40);
        epoch = 2;
      };
      const onlyInFirstEpoch: Guard = async () => {
        if (epoch !== 1) throw new LockkeeperError('conflict', 'stale');
      };
      const winning = place.first.change(newer, move);
      await inside.promise;
      await expect(place.second.change(fresh, onlyInFirstEpoch)).rejects.toMatchObject({ code: 'conflict' });
      await winning;
      expect(await place.logsIn(newer)).toBe(true);
      expect(await place.logsIn(fresh)).toBe(false);
    });

    test("sessions shows who is logged in, and not the driver's own logins", async () => {
      await place.first.accepts(place.initial);
      expect(await place.first.sessions(place.initial.slot)).toEqual([]);
      const session = await place.hold(place.initial);
      const [seen, ...others] = await place.second.sessions(place.initial.slot);
      expect(others).toEqual([]);
      expect(seen).toMatchObject({ slot: place.initial.slot, peer: expect.stringMatching(/./) });
      await session.close();
      expect(await until(async () => (await place.first.sessions(place.initial.slot)).length === 0)).toBe(true);
    });

    test('retire makes exactly this login worthless, again and again, and nothing else', async () => {
      await place.first.change(fresh, free);
      await place.first.retire(place.initial, free);
      await place.second.retire(place.initial, free);
      expect(await place.logsIn(place.initial)).toBe(false);
      expect((await place.first.accepts(place.initial)).some((answer) => answer.accepted)).toBe(false);
      expect(await place.logsIn(fresh)).toBe(true);
    });

    test('retire ends sessions only when told to', async () => {
      const session = await place.hold(place.initial);
      await place.first.change(fresh, free);
      await place.first.retire(place.initial, free);
      expect(await session.isOpen()).toBe(true);
      await place.first.retire(place.initial, free, { endSessions: true });
      expect(await session.isOpen()).toBe(false);
      await session.close();
    });

    test('a service that does not answer is unreachable: never a no, never a done', async () => {
      await expect(place.down.accepts(place.initial)).rejects.toMatchObject({ code: 'unreachable' });
      await expect(place.down.change(fresh, free)).rejects.toMatchObject({ code: 'unreachable' });
      await expect(place.down.describe()).rejects.toMatchObject({ code: 'unreachable' });
      await expect(place.down.sessions(place.initial.slot)).rejects.toMatchObject({ code: 'unreachable' });
    });

    test('a user that is not one of the slots is never touched', async () => {
      const stranger = { slot: 'stranger', value: fresh.value };
      await expect(place.first.change(stranger, free)).rejects.toMatchObject({ code: 'not-found' });
      await expect(place.first.retire(stranger, free)).rejects.toMatchObject({ code: 'not-found' });
    });

    test('no value appears in anything it answers or throws', async () => {
      const sessions: readonly Session[] = await place.first.sessions(place.initial.slot);
      const errors = await Promise.all(
        [place.down.change(fresh, free), place.down.accepts(fresh)].map(async (call) =>
          call.then(
            () => '',
            (thrown: unknown) => inspectAll(thrown),
          ),
        ),
      );
      const all = JSON.stringify([await place.first.describe(), sessions, await place.first.accepts(fresh), ...errors]);
      expect(all).not.toContain(fresh.value.open());
    });
  });
}

/** True as soon as `done` says so; false after two seconds. */
export async function until(done: () => Promise<boolean>): Promise<boolean> {
  for (let attempt = 0; attempt < 80; attempt += 1) {
    if (await done()) return true;
    await pause(25);
  }
  return false;
}
