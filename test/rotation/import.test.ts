import { describe, expect, test } from '@jest/globals';
import { asLockkeeperError } from '../../shared/base/error.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import { importLogin } from '../../shared/rotation/import.ts';
import type { MemoryVault } from '../../shared/secrets/memory.ts';
import type { Login } from '../../shared/services/contract.ts';
import { breaks, Faults, Killed } from '../broken-writes.ts';
import { address, login, makeEmptyPlace, value } from './import-place.ts';

const isThere = (found: readonly (Login | undefined)[]) =>
  found.every((one) => one?.slot === login.slot && one.value.equals(login.value));

describe('an import', () => {
  test('puts the login into every empty store, in its form, and changes no password', async () => {
    const place = makeEmptyPlace({});
    const before = place.host.state;
    expect(await importLogin(place.deps(), login)).toEqual([
      { store: 's0', secret: 'app-db' },
      { store: 's1', secret: 'app-db' },
    ]);
    expect(isThere(place.handedOut())).toBe(true);
    expect(JSON.parse(place.vaults[0]?.shelves.get('app-db')?.current?.text ?? '')).toMatchObject(address);
    expect(place.vaults[1]?.shelves.get('app-db')?.current?.text).toMatch(/^postgres:\/\/app_a:.*@db:5432\/app$/);
    expect(place.host.state.endpoints).toEqual(before.endpoints);
    value.search('the log', place.events).expectNowhere();
  });

  test('can be repeated: what is there stays, and nobody logs in for nothing', async () => {
    const place = makeEmptyPlace({});
    await importLogin(place.deps(), login);
    const before = place.vaults.map((vault) => vault.state);
    place.events.length = 0;
    expect(await importLogin(place.deps(), login)).toEqual([]);
    expect(place.vaults.map((vault) => vault.state)).toEqual(before);
    expect(place.events).toEqual([]);
  });

  test('tells its login and each store, intent before and outcome after', async () => {
    const place = makeEmptyPlace({});
    await importLogin(place.deps(), login);
    expect(place.events.map(({ action, stage }) => `${action} ${stage}`)).toEqual([
      'rotation.login intent',
      'rotation.login outcome',
      'rotation.import intent',
      'rotation.import outcome',
      'rotation.import intent',
      'rotation.import outcome',
    ]);
    const [, outcome] = place.events;
    const answers = [{ endpoint: 'memory', answer: 'accepted', encrypted: false }];
    expect(outcome?.details).toMatchObject({
      candidate: 'current',
      logins: [{ slot: 'app_a', answers }],
    });
    expect(place.events.every(({ actor }) => actor === 'ada')).toBe(true);
  });

  test.each([
    ['a password that the service refuses', { slot: 'app_a', value: new Sealed('wrong') }, 'rejected', /refused at memory/],
    ['a user that is not rotated', { slot: 'root', value: new Sealed('x') }, 'invalid', /no user root .* app_a, app_b/],
  ])('of %s puts nothing anywhere', async (_, wrong, code, message) => {
    const place = makeEmptyPlace({});
    await expect(importLogin(place.deps(), wrong)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    expect(place.handedOut()).toEqual([undefined, undefined]);
  }); // prettier-ignore

  test('waits for an endpoint that does not answer', async () => {
    const place = makeEmptyPlace({ service: { endpoints: ['a', 'b'] } });
    place.host.setUp('b', false);
    await expect(importLogin(place.deps(), login)).rejects.toMatchObject({ code: 'unreachable' });
    expect(place.handedOut()).toEqual([undefined, undefined]);
    place.host.setUp('b', true);
    expect(await importLogin(place.deps(), login)).toHaveLength(2);
  });

  test('goes into no store while another hands out something else', async () => {
    const texts = ['{"username":"app_a","password":"another-one"}', 'no login at all'];
    for (const text of texts) {
      const place = makeEmptyPlace({ forms: [{}, {}] });
      const [, second] = place.vaults;
      if (second) second.shelves.set('app-db', { ...emptied(second), current: { id: second.nextVersion(), text } });
      await expect(importLogin(place.deps(), login)).rejects.toMatchObject({ code: 'conflict' });
      expect(place.vaults[0]?.shelves.get('app-db')?.current).toBeNull();
      expect(place.events).toEqual([]);
    }
  });

  test('is refused where a form cannot hold the login', async () => {
    await expect(importLogin(makeEmptyPlace({ forms: [{}, { form: 'plain' }] }).deps(), login)).resolves.toHaveLength(
      2,
    );
    const place = makeEmptyPlace({ forms: [{ form: 'pem' }], service: { slots: ['app_a'] } });
    await expect(importLogin(place.deps(), login)).rejects.toMatchObject({ code: 'invalid' });
  });

  test('leaves what a rotation staged alone', async () => {
    const place = makeEmptyPlace({});
    await place.deps().stores['s0']?.stage('app-db', 'r-1', new Sealed('of a rotation'));
    await expect(importLogin(place.deps(), login)).rejects.toMatchObject({ code: 'conflict' });
    expect(place.vaults[0]?.shelves.get('app-db')?.pending?.rotation).toBe('r-1');
  });
});

describe('an import that is killed', () => {
  const rows = breaks.flatMap((how) =>
    [{ writes: 'conditional' as const }, { writes: 'checked' as const, ids: 'renewed' as const }].map((vault) => {
      return [how, vault] as const;
    }),
  );
  test.each(rows)('at any write (%s, %j) hands out the login or nothing, and the next one finishes it', async (how, vault) => {
    const counted = new Faults();
    await importLogin(makeEmptyPlace({ vaults: [vault, vault] }).deps(counted), login);
    expect(counted.writes.length).toBeGreaterThan(9);
    for (let at = 0; at < counted.writes.length; at += 1) {
      const place = makeEmptyPlace({ vaults: [vault, vault] });
      const thrown: unknown = await importLogin(place.deps(new Faults(new Map([[at, how]]))), login).catch(
        (error: unknown) => error,
      );
      if (!(thrown instanceof Killed)) value.search(counted.writes[at] ?? '', asLockkeeperError(thrown));
      expect(isThere(place.handedOut().filter((one) => one !== undefined))).toBe(true);
      await importLogin(place.deps(), login);
      expect(isThere(place.handedOut())).toBe(true);
      expect(place.vaults.map(({ shelves }) => shelves.get('app-db')?.pending)).toEqual([null, null]);
    }
  }); // prettier-ignore

  test('leaves nothing behind that a later import of another login would publish', async () => {
    const place = makeEmptyPlace({});
    const counted = new Faults(new Map([[3, 'killed-after']]));
    await expect(importLogin(place.deps(counted), login)).rejects.toBeInstanceOf(Killed);
    expect(counted.writes.at(-1)).toBe('s0.stage');
    place.host.setByHand('app_a', 'a newer password');
    const newer = { slot: 'app_a', value: new Sealed('a newer password') };
    await importLogin(place.deps(), newer);
    expect(place.handedOut().map((one) => one?.value.open())).toEqual(Array(2).fill('a newer password'));
    expect(place.events.map(({ action }) => action)).toContain('rotation.abandon');
  });
});

function emptied(vault: MemoryVault) {
  const shelf = vault.shelves.get('app-db');
  if (shelf) return shelf;
  throw new Error('the vault has no such secret');
}
