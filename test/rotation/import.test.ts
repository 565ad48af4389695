import { describe, expect, test } from '@jest/globals';
import { refuseSecrets } from '../../shared/audit/entries/refuse-secrets.ts';
import type { AuditEvent, AuditLog } from '../../shared/audit/entry.ts';
import { asLockkeeperError } from '../../shared/base/error.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import { MemoryBucket, memoryObjects } from '../../shared/objects/memory.ts';
import { consumerForm, type FormSpec } from '../../shared/rotation/forms/consumer-form.ts';
import { importLogin } from '../../shared/rotation/import.ts';
import type { CredentialPlan, RotationDeps } from '../../shared/rotation/plan.ts';
import { MemoryVault, memorySecrets, type MemoryVaultOptions } from '../../shared/secrets/memory.ts';
import type { Login } from '../../shared/services/contract.ts';
import { MemoryHost, memoryService } from '../../shared/services/memory.ts';
import type { MemoryHostOptions } from '../../shared/services/memory-options.ts';
import { breaks, Faults, Killed } from '../broken-writes.ts';
import { PlantedSecret } from '../planted-secret.ts';
import { testWorld } from '../world.ts';

const value = new PlantedSecret();
const login: Login = { slot: 'app_a', value: value.sealed() };
const address = { engine: 'postgres', host: 'db', port: 5432, dbname: 'app' };

/** Two stores with one empty secret each, and a service that accepts `login`. */
function makePlace(more: {
  forms?: readonly FormSpec[];
  vaults?: readonly MemoryVaultOptions[];
  service?: Partial<MemoryHostOptions>;
}) {
  const world = testWorld();
  const slots = more.service?.slots ?? ['app_a', 'app_b'];
  const host = new MemoryHost({ strategy: slots.length > 1 ? 'alternating' : 'single', slots, world, ...more.service });
  host.setByHand('app_a', value.bare());
  const vaults = [0, 1].map((at) => new MemoryVault({ world, ...more.vaults?.[at] }));
  for (const vault of vaults) vault.add('app-db');
  const events: AuditEvent[] = [];
  const audit: AuditLog = {
    async record(event) {
      refuseSecrets(event);
      events.push(event);
      return { run: 'heard', n: events.length - 1, hash: '', at: world.now() };
    },
  };
  const forms = (more.forms ?? [{}, { form: 'url' }]).map((spec) => consumerForm(spec));
  const plan: CredentialPlan = {
    name: 'app-db',
    service: 'app database',
    stores: forms.map((form, at) => ({ store: `s${at}`, secret: 'app-db', form })),
    address,
    propagationMs: 1,
    everyMs: 1,
    acceptDowntime: false,
  };
  const bucket = new MemoryBucket();
  const deps = (faults?: Faults): RotationDeps => {
    const wrapped = <T extends object>(target: T, name: string, writes: readonly (keyof T & string)[]) =>
      faults ? faults.wrap(target, name, writes) : target;
    const stores = vaults.map((vault, at) => {
      return [`s${at}`, wrapped(memorySecrets(vault), `s${at}`, ['stage', 'promote', 'abandon'])] as const;
    });
    return {
      plan,
      stores: Object.fromEntries(stores),
      service: wrapped(memoryService(host), 'service', ['change', 'retire']),
      state: memoryObjects(bucket),
      audit: wrapped(audit, 'audit', ['record']),
      world,
      notify: async () => undefined,
      actor: 'ada',
      fingerprintKey: new Uint8Array(32).fill(7),
    };
  };
  const handedOut = () =>
    vaults.map((vault, at) => {
      const text = vault.shelves.get('app-db')?.current?.text;
      return text === undefined ? undefined : forms[at]?.read(new Sealed(text), slots);
    });
  return { host, vaults, events, plan, deps, world, handedOut, bucket };
}

const isThere = (found: readonly (Login | undefined)[]) =>
  found.every((one) => one?.slot === login.slot && one.value.equals(login.value));

describe('an import', () => {
  test('puts the login into every empty store, in its form, and changes no password', async () => {
    const place = makePlace({});
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
    const place = makePlace({});
    await importLogin(place.deps(), login);
    const before = place.vaults.map((vault) => vault.state);
    place.events.length = 0;
    expect(await importLogin(place.deps(), login)).toEqual([]);
    expect(place.vaults.map((vault) => vault.state)).toEqual(before);
    expect(place.events).toEqual([]);
  });

  test('tells its login and each store, intent before and outcome after', async () => {
    const place = makePlace({});
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
      candidate: 'imported',
      accepted: true,
      logins: [{ slot: 'app_a', answers }],
    });
    expect(place.events.every(({ actor }) => actor === 'ada')).toBe(true);
  });

  test.each([
    ['a password that the service refuses', { slot: 'app_a', value: new Sealed('wrong') }, 'rejected', /refuses at memory/],
    ['a user that is not rotated', { slot: 'root', value: new Sealed('x') }, 'invalid', /no user root .* app_a, app_b/],
  ])('of %s puts nothing anywhere', async (_, wrong, code, message) => {
    const place = makePlace({});
    await expect(importLogin(place.deps(), wrong)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    expect(place.handedOut()).toEqual([undefined, undefined]);
  }); // prettier-ignore

  test('waits for an endpoint that does not answer', async () => {
    const place = makePlace({ service: { endpoints: ['a', 'b'] } });
    place.host.setUp('b', false);
    await expect(importLogin(place.deps(), login)).rejects.toMatchObject({ code: 'unreachable' });
    expect(place.handedOut()).toEqual([undefined, undefined]);
    place.host.setUp('b', true);
    expect(await importLogin(place.deps(), login)).toHaveLength(2);
  });

  test('goes into no store while another hands out something else', async () => {
    const texts = ['{"username":"app_a","password":"another-one"}', 'no login at all'];
    for (const text of texts) {
      const place = makePlace({ forms: [{}, {}] });
      const [, second] = place.vaults;
      if (second) second.shelves.set('app-db', { ...emptied(second), current: { id: second.nextVersion(), text } });
      await expect(importLogin(place.deps(), login)).rejects.toMatchObject({ code: 'conflict' });
      expect(place.vaults[0]?.shelves.get('app-db')?.current).toBeNull();
      expect(place.events).toEqual([]);
    }
  });

  test('is refused where a form cannot hold the login', async () => {
    await expect(importLogin(makePlace({ forms: [{}, { form: 'plain' }] }).deps(), login)).resolves.toHaveLength(2);
    const place = makePlace({ forms: [{ form: 'pem' }], service: { slots: ['app_a'] } });
    await expect(importLogin(place.deps(), login)).rejects.toMatchObject({ code: 'invalid' });
  });

  test('leaves what a rotation staged alone', async () => {
    const place = makePlace({});
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
    await importLogin(makePlace({ vaults: [vault, vault] }).deps(counted), login);
    expect(counted.writes.length).toBeGreaterThan(9);
    for (let at = 0; at < counted.writes.length; at += 1) {
      const place = makePlace({ vaults: [vault, vault] });
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
    const place = makePlace({});
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
