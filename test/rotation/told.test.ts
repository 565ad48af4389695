import { createHash, createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { LockkeeperError } from '../../shared/base/error.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import { adopt } from '../../shared/rotation/adopt.ts';
import { importLogin } from '../../shared/rotation/import.ts';
import { rotate } from '../../shared/rotation/run.ts';
import { unpaired } from '../intent-pairs.ts';
import { fingerprintKey, firstValue, makePlace, runUntilDone, withOther, type Place } from './place.ts';

/** What an auditor computes who knows the value and has the key. */
const keyId = createHash('sha256').update(fingerprintKey).digest('hex').slice(0, 8);
const fingerprintOf = (value: string) =>
  `${keyId}:${createHmac('sha256', fingerprintKey).update(value).digest('hex').slice(0, 16)}`;
const first = fingerprintOf(firstValue);

/** The entries of one action, as what they say. */
function said(place: Place, action: string, stage: string) {
  return place.log.events
    .filter((event) => event.action === action && event.stage === stage)
    .map(({ details }) => details);
}

function currentVersions(place: Place) {
  return Object.fromEntries(
    Object.entries(place.vaults).map(([store, vault]) => [store, [...vault.shelves.values()][0]?.current?.id]),
  );
}

describe('from the log alone an auditor learns', () => {
  test('which version in which store every step touched, under which fingerprint, and never a value', async () => {
    const place = await makePlace();
    const before = currentVersions(place);
    await runUntilDone(place);
    const now = currentVersions(place);
    const value = place.consumer('one').value.open();
    const [one, two] = [
      { store: 'one', secret: 'app-db' },
      { store: 'two', secret: 'app/db' },
    ];
    const held = (from: typeof now) => [
      { ...one, version: from['one'] },
      { ...two, version: from['two'] },
    ];
    const [fresh, old] = [
      { slot: 'app_b', fingerprint: fingerprintOf(value) },
      { slot: 'app_a', fingerprint: first },
    ];
    expect(said(place, 'rotation.plan', 'intent')).toMatchObject([
      { target: 'app_b', replaces: [{ ...old, versions: held(before) }] },
    ]);
    expect(said(place, 'rotation.stage', 'outcome')).toMatchObject([
      { ...one, ...fresh, version: now['one'] },
      { ...two, ...fresh, version: now['two'] },
    ]);
    expect(said(place, 'rotation.change', 'intent')).toMatchObject([{ ...fresh, versions: held(now) }]);
    expect(said(place, 'rotation.promote', 'intent')).toMatchObject([
      { ...one, ...fresh, from: before['one'], version: now['one'] },
      { ...two, ...fresh, from: before['two'], version: now['two'] },
    ]);
    expect(said(place, 'rotation.promote', 'outcome')).toMatchObject([
      { version: now['one'] },
      { version: now['two'] },
    ]);
    expect(said(place, 'rotation.retire', 'outcome')).toMatchObject([
      { slot: 'app_a', ends: [{ ...old, versions: held(before) }], done: ['memory'] },
    ]);
    expect(said(place, 'rotation.retire-copy', 'intent')).toMatchObject([
      { ...one, ...old, version: before['one'] },
      { ...two, ...old, version: before['two'] },
    ]);
    expect(said(place, 'rotation.done', 'fact')).toMatchObject([
      { proof: 'refused', holds: [{ ...fresh, versions: held(now) }] },
    ]);
    expect(unpaired(place.log.events)).toEqual([]);
    const text = JSON.stringify(place.log.events);
    expect([text.includes(value), text.includes(firstValue)]).toEqual([false, false]);
  });

  test('with which login every proof was made', async () => {
    const place = await makePlace();
    await runUntilDone(place);
    const logins = said(place, 'rotation.login', 'outcome').map(({ candidate, logins: asked }) => [candidate, asked]);
    const fresh = fingerprintOf(place.consumer('one').value.open());
    expect(logins).toMatchObject([
      ['current', [{ slot: 'app_a', fingerprint: first, answers: [{ endpoint: 'memory', answer: 'accepted' }] }]],
      ['new', [{ slot: 'app_b', fingerprint: fresh, answers: [{ answer: 'accepted' }] }]],
      ['new', [{ slot: 'app_b', fingerprint: fresh, answers: [{ answer: 'accepted' }] }]],
      ['old', [{ slot: 'app_a', fingerprint: first, answers: [{ answer: 'refused' }] }]],
      ['new', [{ slot: 'app_b', fingerprint: fresh, answers: [{ answer: 'accepted' }] }]],
    ]);
  });

  test('that a login was tried although the service broke off, and that none is tried without the log', async () => {
    const place = await makePlace();
    const deps = place.deps();
    let tried = 0;
    const accepts: typeof deps.service.accepts = async () => {
      tried += 1;
      throw new LockkeeperError('unreachable', 'the connection broke off');
    };
    await rotate({ ...deps, service: withOther(deps.service, { accepts }) }, { now: true });
    expect(place.log.events.map(({ action, stage, result }) => [action, result ?? stage])).toEqual([
      ['rotation.login', 'intent'],
      ['rotation.login', 'failed'],
    ]);
    expect(said(place, 'rotation.login', 'intent')).toMatchObject([
      { candidate: 'current', logins: [{ slot: 'app_a', fingerprint: first }] },
    ]);
    const audit = { record: () => Promise.reject(new LockkeeperError('denied', 'the log is read-only')) };
    await rotate({ ...deps, audit, service: withOther(deps.service, { accepts }) }, { now: true });
    expect(tried).toBe(1);
  });

  test('which value leaked, what took its place, and who was told why', async () => {
    const place = await makePlace();
    const before = currentVersions(place);
    await place.run({ leaked: { reason: 'found in a chat' } });
    const replaces = [
      {
        slot: 'app_a',
        fingerprint: first,
        versions: [
          { store: 'one', version: before['one'] },
          { store: 'two', version: before['two'] },
        ],
      },
    ];
    expect(said(place, 'rotation.plan', 'intent')).toMatchObject([
      { leaked: [{ reason: 'found in a chat' }], replaces },
    ]);
    const fresh = fingerprintOf(place.consumer('one').value.open());
    for (const action of ['rotation.review', 'rotation.notify']) {
      expect(said(place, action, 'outcome')).toMatchObject([
        {
          reasons: ['found in a chat'],
          holds: [{ fingerprint: fresh }],
          copies: [{ published: currentVersions(place)['one'] }, { published: currentVersions(place)['two'] }],
        },
      ]);
    }
    expect(unpaired(place.log.events)).toEqual([]);
  });

  test('what was imported, and that a crashed import was forgotten before', async () => {
    const place = await makePlace();
    place.vaults['two']?.shelves.clear();
    place.vaults['two']?.add('app/db');
    const two = place.deps().stores['two'];
    const staged = await two?.stage(
      'app/db',
      'import-0',
      new Sealed('{"username":"app_b","password":"half-imported-0123"}'),
    );
    await importLogin(place.deps(), { slot: 'app_a', value: new Sealed(firstValue) });
    const half = {
      store: 'two',
      secret: 'app/db',
      abandoned: 'import-0',
      version: staged?.id,
      slot: 'app_b',
      fingerprint: fingerprintOf('half-imported-0123'),
    };
    expect(said(place, 'rotation.abandon', 'intent')).toMatchObject([half]);
    expect(said(place, 'rotation.import', 'outcome')).toMatchObject([
      { store: 'two', slot: 'app_a', fingerprint: first, version: currentVersions(place)['two'] },
    ]);
    expect(unpaired(place.log.events)).toEqual([]);
  });

  test('that an import failed', async () => {
    const place = await makePlace();
    place.vaults['two']?.shelves.clear();
    place.vaults['two']?.add('app/db');
    const deps = place.deps();
    const promote = async () => Promise.reject(new LockkeeperError('uncertain', 'the answer was lost'));
    const two = deps.stores['two'];
    if (!two) throw new Error('no store two');
    const failing = new Proxy(two, {
      get: (store, name): unknown => (name === 'promote' ? promote : Reflect.get(store, name)),
    });
    const broken = { ...deps, stores: { ...deps.stores, two: failing } };
    await expect(importLogin(broken, { slot: 'app_a', value: new Sealed(firstValue) })).rejects.toMatchObject({
      code: 'uncertain',
    });
    expect(
      place.log.events.filter(({ action }) => action === 'rotation.import').map(({ stage, result }) => [stage, result]),
    ).toEqual([
      ['intent', undefined],
      ['outcome', 'uncertain'],
    ]);
  });

  test('what was adopted', async () => {
    const place = await makePlace();
    await adopt(place.deps());
    expect(said(place, 'rotation.adopt', 'outcome')).toMatchObject([
      {
        slot: 'app_a',
        fingerprint: first,
        versions: [{ version: currentVersions(place)['one'] }, { version: currentVersions(place)['two'] }],
      },
    ]);
    expect(unpaired(place.log.events)).toEqual([]);
  });

  test('that nothing was adopted where the journal could not be written', async () => {
    const place = await makePlace();
    const deps = place.deps();
    const create = async () => Promise.reject(new LockkeeperError('denied', 'the state store is read-only'));
    await expect(adopt({ ...deps, state: { ...deps.state, create } })).rejects.toMatchObject({ code: 'denied' });
    expect(place.log.events.map(({ action, stage, result }) => [action, result ?? stage])).toEqual([
      ['rotation.login', 'intent'],
      ['rotation.login', 'done'],
      ['rotation.adopt', 'intent'],
      ['rotation.adopt', 'refused'],
    ]);
  });

  test('that a value was given up, and the name of the rotation that goes on', async () => {
    const place = await makePlace();
    let refusals = 0;
    place.host.policy = () => (refusals++ === 0 ? 'too plain' : undefined);
    await place.run({ now: true });
    const [given] = place.log.events.filter(({ action }) => action === 'rotation.replan');
    expect(given?.details).toMatchObject({
      why: expect.stringContaining('too plain'),
      next: place.journal()?.rotation,
    });
    expect(
      place.log.events.some(
        ({ action, correlation }) => action === 'rotation.stage' && correlation === given?.correlation,
      ),
    ).toBe(true);
  });

  test.each(['no: postgres://app:hunter2@db is weak', 'w'.repeat(70_000)])(
    'that every value is refused, and people hear it, whatever words the service has for it (%#)',
    async (words) => {
      const place = await makePlace();
      place.host.policy = () => words;
      expect(await place.run({ now: true })).toMatchObject({ outcome: 'blocked', error: undefined });
      expect(said(place, 'rotation.block', 'fact')).toMatchObject([{ reason: 'every-value-rejected' }]);
      expect(place.told).toMatchObject([{ level: 'alarm' }]);
      expect([
        JSON.stringify(place.log.events).includes('hunter2'),
        Math.max(...place.log.events.map((event) => JSON.stringify(event).length)) < 4_000,
      ]).toEqual([false, true]);
    },
  );

  test('that a person overruled what was blocked', async () => {
    const place = await makePlace();
    const deps = place.deps();
    const accepts: typeof deps.service.accepts = async ({ slot }) => [
      { endpoint: 'memory', answer: slot === 'app_a' ? 'accepted' : 'refused', encrypted: false },
    ];
    const deaf = { ...deps, service: withOther(deps.service, { accepts }) };
    let report = await rotate(deaf, { now: true });
    for (let runs = 0; runs < 9 && report.outcome !== 'blocked'; runs += 1) {
      place.world.pass(Math.max((report.until ?? 0) - place.world.now(), 0));
      report = await rotate(deaf);
    }
    await rotate({ ...deps, actor: 'ann' }, { now: true });
    const [overruled] = place.log.events.filter(({ action }) => action === 'rotation.unblock');
    expect(overruled).toMatchObject({ actor: 'ann', details: { reason: expect.any(String) } });
  });
});

test('without a key entries have versions and no fingerprint', async () => {
  const place = await makePlace();
  const { fingerprintKey: _key, ...deps } = place.deps();
  await rotate(deps, { now: true });
  expect(JSON.stringify(place.log.events)).not.toContain('fingerprint');
  expect(said(place, 'rotation.change', 'intent')).toMatchObject([
    { slot: 'app_b', versions: [{ store: 'one' }, { store: 'two' }] },
  ]);
});

test('a text that no login can be read from is told by its version alone', async () => {
  const place = await makePlace();
  await place.run({ now: true });
  const vault = place.vaults['one'];
  const [previous] = vault?.shelves.get('app-db')?.earlier ?? [];
  if (!vault || !previous) throw new Error('nothing was published');
  vault.spoil('app-db', previous.id, 'no login');
  await runUntilDone(place, {});
  expect(said(place, 'rotation.retire-copy', 'intent')).toMatchObject([
    { store: 'one', version: previous.id },
    { store: 'two', slot: 'app_a' },
  ]);
  expect(said(place, 'rotation.retire-copy', 'intent')[0]).not.toHaveProperty('fingerprint');
});
