import { describe, expect, test } from '@jest/globals';
import { Sealed } from '../../shared/base/sealed.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { day, hour, minute } from '../../shared/base/time.ts';
import { consumerForm, type FormSpec } from '../../shared/rotation/forms/consumer-form.ts';
import { drawValue } from '../../shared/rotation/effects/generate.ts';
import type { RotationDeps } from '../../shared/rotation/plan.ts';
import { rotate } from '../../shared/rotation/run.ts';
import type { MemoryVaultOptions } from '../../shared/secrets/memory.ts';
import type { Login, Service, Strategy } from '../../shared/services/contract.ts';
import { MemoryAuthority, memoryIssuer } from '../../shared/services/memory-issuer.ts';
import type { MemoryHostOptions } from '../../shared/services/memory-options.ts';
import { breaks, Faults } from '../broken-writes.ts';
import { testWorld } from '../world.ts';
import { address, firstValue, makePlace, runUntilDone, unlessKilled, window, withOther, type Place } from './place.ts';

describe('a service that takes one value at a time, whose clients accept the next one too (replacing)', () => {
  test('lets clients of the old value in until the window is over, and nobody with it afterwards', async () => {
    const place = await makePlace({ strategy: 'replacing' });
    expect(await place.run({ now: true })).toMatchObject({ phase: 'draining' });
    expect(place.host.clientLogsIn('app_a', firstValue)).toBe(true);
    expect(place.consumerLogsIn('one') && place.consumerLogsIn('two')).toBe(true);
    place.world.pass(window);
    expect(await place.run()).toMatchObject({ outcome: 'done' });
    expect(place.host.clientLogsIn('app_a', firstValue)).toBe(false);
    expect(place.consumerLogsIn('one')).toBe(true);
  });

  test('ends the leaked value in one run', async () => {
    const place = await makePlace({ strategy: 'replacing' });
    expect(await place.run({ leaked: { reason: 'in a chat' } })).toMatchObject({ outcome: 'done' });
    expect(place.host.clientLogsIn('app_a', firstValue)).toBe(false);
    expect(place.consumerLogsIn('one')).toBe(true);
  });
});

describe('a user that holds two values', () => {
  const two = { strategy: 'additive', host: { capacity: 2 } } as const;

  test('keeps what consumers read through every turn, and holds one value at the end of each', async () => {
    const place = await makePlace(two);
    for (let turn = 0; turn < 5; turn += 1) {
      const old = place.consumer('one').value.open();
      expect(await place.run({ now: true })).toMatchObject({ phase: 'draining' });
      expect([place.host.count('app_a'), place.host.holds('app_a', old)]).toEqual([2, true]);
      place.world.pass(window);
      expect(await runUntilDone(place)).toMatchObject({ outcome: 'done' });
      expect([place.host.count('app_a'), place.host.holds('app_a', old)]).toEqual([1, false]);
      expect(place.consumerLogsIn('one') && place.consumerLogsIn('two')).toBe(true);
    }
  });

  test('loses a forgotten value instead of the one that consumers read', async () => {
    const place = await makePlace(two);
    place.host.setByHand('app_a', 'forgotten-0123456789');
    place.host.addByHand('app_a', firstValue);
    expect(await place.run({ now: true })).toMatchObject({ phase: 'draining' });
    expect(place.host.holds('app_a', firstValue)).toBe(true);
    expect(place.host.holds('app_a', 'forgotten-0123456789')).toBe(false);
    place.world.pass(window);
    expect(await runUntilDone(place)).toMatchObject({ outcome: 'done' });
    expect(place.host.count('app_a')).toBe(1);
  });

  test('keeps it too where a value was set and then lost, so that another one follows', async () => {
    const place = await makePlace(two);
    const deps = place.deps();
    const accepts: Service['accepts'] = async (login) => {
      if (!login.value.equals(new Sealed(firstValue))) throw new LockkeeperError('unreachable', 'broke off');
      return await deps.service.accepts(login);
    };
    await rotate({ ...deps, service: withOther(deps.service, { accepts }) }, { now: true });
    expect(place.journal()?.phase).toBe('set');
    for (const [name, vault] of Object.entries(place.vaults)) vault.dropPending(name === 'one' ? 'app-db' : 'app/db');
    place.world.pass(day);
    expect(await place.run()).toMatchObject({ phase: 'draining' });
    expect(place.host.holds('app_a', firstValue)).toBe(true);
    place.world.pass(window);
    expect(await runUntilDone(place)).toMatchObject({ outcome: 'done' });
    expect(place.host.count('app_a')).toBe(1);
  });

  test('is not begun with where the service does not tell how many it holds', async () => {
    const place = await makePlace({ strategy: 'additive', host: { capacity: 2, counts: false } });
    expect(await place.run({ now: true })).toMatchObject({
      outcome: 'blocked',
      text: expect.stringContaining('how many'),
    });
    expect(place.trail).toEqual([]);
  });

  test('ends everything that was left by hand, and says that it counted where no store keeps the old value', async () => {
    const place = await makePlace({ ...two, host: { capacity: 5 }, vault: { keepsPrevious: false } });
    place.host.addByHand('app_a', 'forgotten-0123456789');
    expect(await runUntilDone(place)).toMatchObject({ outcome: 'done', text: expect.stringContaining('counts') });
    expect(place.journal()?.proof).toBe('counted');
    expect(place.host.count('app_a')).toBe(1);
  });
});

/** A credential in one form, with values of one kind. */
interface Kind {
  readonly strategy: Strategy;
  readonly form: FormSpec;
  readonly host: Partial<MemoryHostOptions>;
}

interface KindPlace extends Place {
  readonly authority: MemoryAuthority;
  readonly first: Login;
  readonly go: (request?: { readonly now: boolean }, faults?: Faults) => ReturnType<Place['run']>;
  readonly reads: () => Login;
}

async function ofKind({ strategy, form: spec, host }: Kind): Promise<KindPlace> {
  const form = consumerForm(spec);
  const stores = [
    { store: 'one', secret: 'app-db', form },
    { store: 'two', secret: 'app/db', form },
  ];
  const authority = new MemoryAuthority(testWorld());
  const issuer = memoryIssuer(authority);
  const drawn = host.value?.kind === 'key-pair' ? drawValue(host.value, testWorld(undefined, 'first')) : undefined;
  const issued = host.value?.kind === 'issued' ? await issuer.issue('import-1', 'app_a') : undefined;
  const first = { slot: 'app_a', value: drawn ?? issued ?? new Sealed(firstValue) };
  const place = await makePlace({ strategy, host, plan: { stores }, first: first.value.open() });
  for (const [name, vault] of Object.entries(place.vaults))
    vault.setByHand(name === 'one' ? 'app-db' : 'app/db', form.write(undefined, first, address).open());
  for (const [name, vault] of Object.entries(place.vaults)) {
    const shelf = vault.live(name === 'one' ? 'app-db' : 'app/db');
    vault.shelves.set(name === 'one' ? 'app-db' : 'app/db', { ...shelf, earlier: [] });
  }
  const deps = (faults?: Faults): RotationDeps => ({
    ...place.deps(faults),
    issuer: faults ? faults.wrap(issuer, 'issuer', ['issue', 'recall']) : issuer,
  });
  const { slots } = await place.deps().service.describe();
  const text = () => new Sealed(place.vaults['two']?.consumer('app/db') ?? '');
  return {
    ...place,
    authority,
    first,
    go: (request = { now: false }, faults) => rotate(deps(faults), request),
    reads: () => form.read(text(), slots),
  };
}

async function toTheEnd(place: KindPlace): Promise<void> {
  for (let runs = 0; runs < 8; runs += 1) {
    const { outcome } = await place.go({ now: place.journal() === undefined });
    if (outcome === 'done' || place.journal()?.phase === 'done') break;
    place.world.pass(window);
  }
  expect(place.journal()).toMatchObject({ phase: 'done', proof: 'refused' });
  const { slot, value } = place.reads();
  expect(place.host.holds(slot, value.open())).toBe(true);
  expect(place.host.holds('app_a', place.first.value.open())).toBe(false);
  for (const vault of Object.values(place.vaults))
    for (const shelf of vault.shelves.values()) expect([shelf.pending, shelf.earlier]).toEqual([null, []]);
}

const kinds: readonly (readonly [string, Kind])[] = [
  ['a connection URL of two users', { strategy: 'alternating', form: { form: 'url' }, host: {} }],
  ['variables of two users', { strategy: 'alternating', form: { form: 'env' }, host: {} }],
  ['a bare value of one user', { strategy: 'additive', form: { form: 'plain' }, host: {} }],
  [
    'a private key of one user in PEM',
    { strategy: 'additive', form: { form: 'pem' }, host: { value: { kind: 'key-pair' } } },
  ],
  ['a private key in JSON', { strategy: 'alternating', form: {}, host: { value: { kind: 'key-pair' } } }],
  [
    'an issued value of one user',
    { strategy: 'additive', form: { form: 'plain' }, host: { value: { kind: 'issued' }, capacity: 2 } },
  ],
  ['an issued value of two users', { strategy: 'alternating', form: {}, host: { value: { kind: 'issued' } } }],
  [
    'an issued value, one at a time',
    { strategy: 'replacing', form: { form: 'env' }, host: { value: { kind: 'issued' } } },
  ],
];

describe('from plan to done goes', () => {
  test.each(kinds)('%s', async (_, kind) => {
    const place = await ofKind(kind);
    await toTheEnd(place);
    const value = place.reads().value.open();
    const isOfKind = {
      text: /^[\w-]{32}$/.test(value),
      'key-pair': value.startsWith('-----BEGIN PRIVATE KEY'),
      issued: place.authority.isAlive(value),
    };
    expect(isOfKind[kind.host.value?.kind ?? 'text']).toBe(true);
  });
});

test('a run that dies at any write around an issued value leaves nothing alive that no store hands out', async () => {
  const kind: Kind = {
    strategy: 'additive',
    form: { form: 'plain' },
    host: { value: { kind: 'issued' }, capacity: 2 },
  };
  const counted = new Faults();
  await (await ofKind(kind)).go({ now: true }, counted);
  const last = counted.writes.indexOf('two.stage') + 4;
  expect(counted.writes.slice(0, last)).toContain('issuer.issue');
  for (let at = 0; at < last; at += 1)
    for (const how of breaks) {
      const place = await ofKind(kind);
      const faults = new Faults(new Map([[at, how]]));
      await unlessKilled(place.go({ now: true }, faults));
      place.world.pass(day);
      await toTheEnd(place);
      expect(Object.keys(place.authority.state.issued)).toEqual(['import-1', place.journal()?.rotation]);
    }
});

test('an issued value that is given up is recalled', async () => {
  const place = await ofKind({ strategy: 'alternating', form: {}, host: { value: { kind: 'issued' } } });
  let refusals = 0;
  place.host.policy = () => (refusals++ < 2 ? 'too plain' : undefined);
  await place.go({ now: true });
  place.world.pass(day);
  await toTheEnd(place);
  expect(Object.keys(place.authority.state.issued)).toEqual(['import-1', place.journal()?.rotation]);
});

describe('a promotion that happened and whose answer was lost is taken as done', () => {
  const vaults: readonly MemoryVaultOptions[] = [
    {},
    { ids: 'renewed' },
    { writes: 'checked', ids: 'renewed' },
    { writes: 'checked', ids: 'renewed', settlesMs: 5 * minute, keepsPrevious: false },
  ];
  test.each(vaults)('%j', async (vault) => {
    for (const strategy of ['alternating', 'additive', 'single'] as const) {
      const counted = new Faults();
      await (await makePlace({ strategy, vault })).run({ now: true }, counted);
      const at = counted.writes.indexOf('one.promote');
      const place = await makePlace({ strategy, vault });
      await place.run({ now: true }, new Faults(new Map([[at, 'lost-after']])));
      expect(place.journal()?.copies[0]?.published).toBeNull();
      for (let runs = 0; runs < 12 && place.journal()?.phase !== 'done'; runs += 1) {
        place.world.pass(hour);
        await place.run();
        expect(place.journal()?.blocked).toBeNull();
      }
      expect(place.journal()?.phase).toBe('done');
      expect(place.host.holds('app_a', firstValue)).toBe(false);
      expect(place.consumerLogsIn('one') && place.consumerLogsIn('two')).toBe(true);
    }
  });
});
