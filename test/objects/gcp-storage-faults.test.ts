import { setTimeout as moment } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { ObjectHistory, ObjectStore } from '../../shared/objects/contract.ts';
import type { GcpStorageSettings } from '../../shared/objects/gcp-storage-open.ts';
import { gcpStorageObjects } from '../../shared/objects/gcp-storage.ts';
import { proveConditions } from '../../shared/objects/self-test.ts';
import { GcpStorage, type GcpRequest, type GcpStorageOptions } from '../clouds/gcp-storage.ts';
import { bytes, done, keysOf, text } from '../conformance/object-store-harness.ts';
import { PlantedSecret } from '../planted-secret.ts';
import { testWorld } from '../world.ts';

interface Place {
  readonly cloud: GcpStorage;
  readonly store: ObjectStore & ObjectHistory;
}

const places: Place[] = [];
const tooFast = { status: 429, reason: 'rateLimitExceeded' };
const unavailable = { status: 503, reason: 'backendError' };
const broken = { status: 500, reason: 'internalError' };

async function place(options: GcpStorageOptions = {}, settings: Partial<GcpStorageSettings> = {}): Promise<Place> {
  const cloud = await GcpStorage.start(options);
  const { bucket, endpoint, token } = cloud;
  const made = {
    cloud,
    store: gcpStorageObjects({ bucket, endpoint, token, waitsMs: [10, 20, 30], limitMs: 5_000, ...settings }),
  };
  places.push(made);
  return made;
}

afterEach(async () => {
  for (const { cloud } of places.splice(0)) await cloud.close();
});

/** One of each kind of request, on an object that is there. */
const acts: readonly (readonly [string, GcpRequest, (store: ObjectStore, held: string) => Promise<unknown>])[] = [
  ['get', 'read', async (store) => await store.get('k')],
  ['create', 'write', async (store) => await store.create('new', bytes('1'))],
  ['replace', 'write', async (store, held) => await store.replace('k', bytes('2'), held)],
  ['delete', 'delete', async (store, held) => await store.delete('k', held)],
  ['list', 'list', async (store) => await keysOf(store, '')],
];
const writes = acts.filter(([name]) => ['create', 'replace', 'delete'].includes(name));
const reads = acts.filter(([name]) => ['get', 'list'].includes(name));

describe('an answer that is lost', () => {
  test.each(writes)('after a %s is uncertain, and nothing is sent twice', async (_, kind, act) => {
    const { cloud, store } = await place();
    const held = done(await store.create('k', bytes('1')));
    const before = cloud.counts[kind];
    cloud.fail(kind, { lost: 'after' });
    await expect(act(store, held)).rejects.toMatchObject({ code: 'uncertain' });
    expect(cloud.counts[kind]).toBe(before + 1);
  });

  test.each(writes)('before a %s took effect is uncertain too, for nobody can know', async (_, kind, act) => {
    const { cloud, store } = await place();
    const held = done(await store.create('k', bytes('1')));
    cloud.fail(kind, { lost: 'before' });
    await expect(act(store, held)).rejects.toMatchObject({ code: 'uncertain' });
    expect(text(cloud.observe('k'))).toBe('1');
    expect(cloud.observe('new')).toBeUndefined();
  });

  test.each(writes)('because it takes too long makes a %s uncertain', async (_, kind, act) => {
    const { cloud, store } = await place({}, { limitMs: 60 });
    const held = done(await store.create('k', bytes('1')));
    cloud.fail(kind, { slowMs: 150 });
    await expect(act(store, held)).rejects.toMatchObject({ code: 'uncertain' });
  });

  test.each(reads)('of a %s is asked for again, some times', async (_, kind, act) => {
    const { cloud, store } = await place();
    const held = done(await store.create('k', bytes('1')));
    cloud.fail(kind, { lost: 'before' }, broken, unavailable);
    expect(JSON.stringify(await act(store, held))).toContain(kind === 'read' ? held : 'k');
    cloud.fail(kind, ...Array.from({ length: 4 }, () => ({ lost: 'before' }) as const));
    await expect(act(store, held)).rejects.toMatchObject({ code: 'unreachable' });
  });

  test.each(reads)('because it takes too long makes a %s unreachable', async (_, kind, act) => {
    const { cloud, store } = await place({}, { limitMs: 60 });
    const held = done(await store.create('k', bytes('1')));
    cloud.fail(kind, { slowMs: 150 });
    await expect(act(store, held)).rejects.toMatchObject({ code: 'unreachable' });
  });

  test('of a create heals by creating again', async () => {
    const { cloud, store } = await place();
    cloud.fail('write', { lost: 'after' });
    await expect(store.create('k', bytes('mine'))).rejects.toMatchObject({ code: 'uncertain' });
    expect((await store.create('k', bytes('mine'))).outcome).toBe('done');
  });

  test.each(acts)('is none where nothing listens: %s is unreachable', async (_, __, act) => {
    const { cloud, store } = await place();
    await cloud.close();
    places.splice(0);
    await expect(act(store, '1')).rejects.toMatchObject({ code: 'unreachable' });
  });
});

describe('bytes that are damaged on the way', () => {
  test.each(['changed', 'cut'] as const)('of a download (%s) are never given out', async (damage) => {
    const { cloud, store } = await place();
    await store.create('k', bytes('some content'));
    cloud.fail('read', { damage });
    expect(text((await store.get('k'))?.bytes)).toBe('some content');
    cloud.fail('read', ...Array.from({ length: 4 }, () => ({ damage })));
    await expect(store.get('k')).rejects.toMatchObject({ code: 'unreachable' });
  });

  test('of an upload are never kept', async () => {
    const { cloud, store } = await place();
    cloud.fail('write', { damage: 'changed' });
    await expect(store.create('k', bytes('content'))).rejects.toMatchObject({ code: 'unreachable' });
    expect(cloud.observe('k')).toBeUndefined();
  });
});

describe('a service that asks to go slower', () => {
  test.each(acts)('is waited for by %s', async (_, kind, act) => {
    const { cloud, store } = await place();
    const held = done(await store.create('k', bytes('1')));
    cloud.fail(kind, tooFast, unavailable, tooFast);
    expect(JSON.stringify(await act(store, held))).toMatch(/done|version|k/);
  });

  test.each(acts)('for ever is throttled for %s, never exists, stale or missing', async (_, kind, act) => {
    const { cloud, store } = await place();
    const held = done(await store.create('k', bytes('1')));
    const before = cloud.counts[kind];
    cloud.fail(kind, tooFast, tooFast, tooFast, tooFast);
    await expect(act(store, held)).rejects.toMatchObject({ code: 'throttled' });
    expect(cloud.counts[kind]).toBe(before + 4);
  });

  test('is left alone as long as it says', async () => {
    const { cloud, store } = await place();
    cloud.fail('write', { ...tooFast, retryAfter: '1' });
    const began = performance.now();
    await store.create('k', bytes('1'));
    expect(performance.now() - began).toBeGreaterThan(990);
  });

  test('because of two writes to one name within a second gets the second one later', async () => {
    const { cloud, store } = await place({ oneWriteASecond: true }, { waitsMs: [300, 400, 500] });
    const first = done(await store.create('k', bytes('1')));
    done(await store.replace('k', bytes('2'), first));
    expect(text(cloud.observe('k'))).toBe('2');
    expect(cloud.counts.write).toBeGreaterThan(2);
  });
});

describe('a 503 that came after the effect', () => {
  test('of a create is done: the bytes that are there are its own', async () => {
    const { cloud, store } = await place();
    cloud.fail('write', { ...unavailable, effect: true });
    expect((await store.create('k', bytes('1'))).outcome).toBe('done');
    expect(cloud.counts.write).toBe(2);
  });

  test('of a create that somebody replaced since is uncertain, never exists', async () => {
    const { cloud, store } = await place({}, { waitsMs: [100] });
    cloud.fail('write', { ...unavailable, effect: true });
    const creating = store.create('k', bytes('mine'));
    while (!cloud.observe('k')) await moment(1);
    cloud.objects.put('k', { bytes: Buffer.from('theirs'), contentType: 'text/plain' });
    await expect(creating).rejects.toMatchObject({ code: 'uncertain' });
  });

  test('of a create that cannot be looked at is uncertain', async () => {
    const { cloud, store } = await place();
    cloud.fail('write', { ...unavailable, effect: true });
    cloud.fail('read', { status: 403, reason: 'forbidden' });
    await expect(store.create('k', bytes('1'))).rejects.toMatchObject({ code: 'uncertain' });
  });

  test.each(writes)('of a %s is uncertain, whatever the last answer was', async (_, kind, act) => {
    for (const last of [
      tooFast,
      unavailable,
      { status: 403, reason: 'forbidden' },
      { status: 400, reason: 'invalid' },
    ]) {
      const { cloud, store } = await place({}, { waitsMs: [1] });
      const held = done(await store.create('k', bytes('1')));
      cloud.fail(kind, { ...unavailable, effect: true }, last);
      await expect(act(store, held)).rejects.toMatchObject({ code: 'uncertain', cause: expect.anything() });
    }
  });

  test('of a replace is uncertain, never stale', async () => {
    const { cloud, store } = await place();
    const first = done(await store.create('k', bytes('1')));
    cloud.fail('write', { ...unavailable, effect: true });
    await expect(store.replace('k', bytes('2'), first)).rejects.toMatchObject({ code: 'uncertain' });
    expect(text(cloud.observe('k'))).toBe('2');
  });

  test.each([404, 412] as const)('of a delete is uncertain, never missing (%d)', async (deleteOfNothing) => {
    const { cloud, store } = await place({ deleteOfNothing });
    const first = done(await store.create('k', bytes('1')));
    cloud.fail('delete', { ...unavailable, effect: true });
    await expect(store.delete('k', first)).rejects.toMatchObject({ code: 'uncertain' });
  });
});

test.each(writes)('a 500 to a %s is uncertain, and nothing is sent twice', async (_, kind, act) => {
  const { cloud, store } = await place();
  const held = done(await store.create('k', bytes('1')));
  const before = cloud.counts[kind];
  cloud.fail(kind, { ...broken, effect: true });
  await expect(act(store, held)).rejects.toMatchObject({ code: 'uncertain' });
  expect(cloud.counts[kind]).toBe(before + 1);
});

test.each([
  ['get', 'storage.objects.get'],
  ['create', 'storage.objects.create'],
  ['replace', 'storage.objects.create and storage.objects.delete'],
  ['delete', 'storage.objects.delete'],
  ['list', 'storage.objects.list'],
])('who may not %s is told the permission', async (name, permission) => {
  const { cloud, store } = await place();
  const held = done(await store.create('k', bytes('1')));
  const [, kind, act] = acts.find(([one]) => one === name) ?? [];
  if (!kind || !act) throw new Error(`there is no act ${name}`);
  cloud.fail(kind, { status: 403, reason: 'forbidden', message: 'robot@p does not have access to the object.' });
  await expect(act(store, held)).rejects.toMatchObject({
    code: 'denied',
    hint: expect.stringContaining(`Grant ${permission} `),
  });
});

test.each(acts)('a bucket that is not there is not-found for %s, never an absent object', async (_, __, act) => {
  const { store } = await place({}, { bucket: 'no-such-bucket' });
  await expect(act(store, '123')).rejects.toMatchObject({ code: 'not-found', hint: expect.stringContaining('bucket') });
});

test('the token is in no error', async () => {
  const planted = new PlantedSecret('ya29.pl4nted-t0ken');
  const { cloud, store } = await place({ token: planted.bare() }, { waitsMs: [], limitMs: 100 });
  const faults = [
    { lost: 'after' },
    broken,
    tooFast,
    { status: 403, reason: 'forbidden' },
    { slowMs: 200 },
    { status: 400, reason: 'invalid' },
  ] as const;
  for (const [name, kind, act] of acts) {
    for (const fault of faults) {
      for (const key of ['k', 'new']) cloud.objects.remove(key);
      const held = cloud.objects.put('k', { bytes: Buffer.from('1'), contentType: 'text/plain' }).generation;
      cloud.calm();
      cloud.fail(kind, fault);
      const thrown: unknown = await act(store, held).catch((one: unknown) => one);
      expect(thrown).toMatchObject({ name: 'LockkeeperError', cause: expect.anything() });
      planted.search(`an error of ${name}`, thrown);
    }
  }
  expect(() => planted.expectNowhere()).not.toThrow();
});

test('a download that breaks off does not end a write beside it', async () => {
  const { cloud, store } = await place({}, { waitsMs: [] });
  await store.create('k', bytes('content'));
  cloud.fail('write', { slowMs: 200 });
  const writing = store.create('beside', bytes('1'));
  cloud.fail('read', { damage: 'cut' });
  await expect(store.get('k')).rejects.toMatchObject({ code: 'unreachable' });
  expect((await writing).outcome).toBe('done');
});

test('a token that is refused is denied', async () => {
  const { cloud } = await place();
  const stranger = gcpStorageObjects({ bucket: cloud.bucket, endpoint: cloud.endpoint });
  await expect(stranger.get('k')).rejects.toMatchObject({ code: 'denied' });
  await expect(stranger.create('k', bytes('1'))).rejects.toMatchObject({ code: 'denied' });
});

test('a store that ignores conditions is refused at start', async () => {
  const { store } = await place({ ignoresConditions: true });
  await expect(proveConditions(store, { world: testWorld(), writes: 'all' })).rejects.toMatchObject({
    code: 'unsupported',
  });
  await expect(proveConditions(store, { world: testWorld(), writes: 'create-only' })).rejects.toMatchObject({
    code: 'unsupported',
  });
});
