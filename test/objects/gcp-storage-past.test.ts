import { afterEach, describe, expect, test } from '@jest/globals';
import type { AlteredObject, ObjectHistory } from '../../shared/objects/contract.ts';
import { gcpStorageObjects } from '../../shared/objects/gcp-storage.ts';
import { proveConditions } from '../../shared/objects/self-test.ts';
import { GcpStorage, type GcpStorageOptions } from '../clouds/gcp-storage.ts';
import { bytes, done, keysOf, text } from '../conformance/object-store-harness.ts';
import { testWorld } from '../world.ts';

const clouds: GcpStorage[] = [];

async function place(options: GcpStorageOptions = {}, pageSize = 1_000) {
  const cloud = await GcpStorage.start(options);
  clouds.push(cloud);
  const { bucket, endpoint, token } = cloud;
  return { cloud, store: gcpStorageObjects({ bucket, endpoint, token, pageSize }) };
}

afterEach(async () => {
  for (const cloud of clouds.splice(0)) await cloud.close();
});

async function alteredIn(store: ObjectHistory, prefix: string): Promise<AlteredObject[]> {
  const found: AlteredObject[] = [];
  for await (const one of store.altered(prefix)) found.push(one);
  return found;
}

describe('a listing over pages', () => {
  const keys = Array.from({ length: 8 }, (_, i) => `k/${i}`);

  test('has every key once, in order, also after a key', async () => {
    const { cloud, store } = await place({}, 3);
    for (const key of keys) await store.create(key, bytes(key));
    expect(await keysOf(store, '')).toEqual(keys);
    expect(cloud.counts.list).toBe(3);
    expect(await keysOf(store, 'k/', 'k/2')).toEqual(keys.slice(3));
    expect(await keysOf(store, 'k/', 'k/20')).toEqual(keys.slice(3));
  });

  test('asks for the next page when it is needed', async () => {
    const { cloud, store } = await place({}, 3);
    for (const key of keys) await store.create(key, bytes(key));
    const listed = store.list('')[Symbol.asyncIterator]();
    for (let taken = 0; taken < 3; taken += 1) await listed.next();
    expect(cloud.counts.list).toBe(1);
    expect((await listed.next()).value).toEqual({ key: 'k/3', size: 3 });
    expect(cloud.counts.list).toBe(2);
  });

  test('goes on where the last key of a page is deleted meanwhile', async () => {
    const { store } = await place({}, 3);
    const versions = new Map<string, string>();
    for (const key of keys) versions.set(key, done(await store.create(key, bytes(key))));
    const seen: string[] = [];
    for await (const { key } of store.list('')) {
      seen.push(key);
      if (key === 'k/1') for (const gone of ['k/2', 'k/3']) await store.delete(gone, versions.get(gone) ?? '');
    }
    expect(seen).toEqual(keys.filter((key) => key !== 'k/3'));
  });

  test('hides nothing that others put there, whatever its name', async () => {
    const { cloud, store } = await place();
    cloud.objects.put('a b/ü', { bytes: Buffer.from('x'), contentType: 'text/plain' });
    expect(await keysOf(store, '')).toEqual(['a b/ü']);
  });
});

describe('conditions that Google words in its own way', () => {
  test.each([404, 412] as const)('a delete of nothing is missing, told as %d', async (deleteOfNothing) => {
    const { store } = await place({ deleteOfNothing });
    expect(await store.delete('k', '1790000000000000')).toEqual({ outcome: 'missing' });
  });

  test('the version "0", which means "none" to Google, replaces and creates nothing', async () => {
    const { cloud, store } = await place();
    expect(await store.replace('k', bytes('1'), '0')).toEqual({ outcome: 'missing' });
    expect(cloud.observe('k')).toBeUndefined();
    await store.create('k', bytes('1'));
    expect(await store.replace('k', bytes('2'), '0')).toEqual({ outcome: 'stale' });
    expect(await store.delete('k', '0')).toEqual({ outcome: 'stale' });
  });

  test('a prefix that does not end in "/" is invalid', () => {
    expect(() => gcpStorageObjects({ bucket: 'b', prefix: 'team' })).toThrow(
      expect.objectContaining({ code: 'invalid' }),
    );
  });
});

describe.each([false, true])('under a retention policy (looked at before conditions: %s)', (retentionFirst) => {
  const rules = { retention: true, retentionFirst };

  test('what is new is created, and what is there stays', async () => {
    const { cloud, store } = await place(rules);
    expect((await store.create('k', bytes('1'))).outcome).toBe('done');
    expect((await store.create('k', bytes('1'))).outcome).toBe('done');
    expect(await store.create('k', bytes('2'))).toEqual({ outcome: 'exists' });
    expect(text(cloud.observe('k'))).toBe('1');
  });

  test('nothing is replaced or deleted: denied, and told why', async () => {
    const { cloud, store } = await place(rules);
    const held = done(await store.create('k', bytes('1')));
    const refused = { code: 'denied', hint: expect.stringContaining('retention') };
    await expect(store.replace('k', bytes('2'), held)).rejects.toMatchObject(refused);
    await expect(store.delete('k', held)).rejects.toMatchObject(refused);
    expect(text(cloud.observe('k'))).toBe('1');
  });

  test('the proof at start passes, again and again', async () => {
    const { store } = await place(rules);
    for (let start = 0; start < 2; start += 1)
      await expect(proveConditions(store, { world: testWorld(), writes: 'create-only' })).resolves.toBeUndefined();
  });
});

describe('the past', () => {
  /** Of each kind one: kept, replaced, deleted, deleted and made again with the same bytes. */
  async function live({ store }: Awaited<ReturnType<typeof place>>): Promise<void> {
    const versions = new Map<string, string>();
    for (const key of ['a/again', 'a/deleted', 'a/kept', 'a/replaced', 'b'])
      versions.set(key, done(await store.create(key, bytes('1'))));
    await store.replace('a/replaced', bytes('2'), versions.get('a/replaced') ?? '');
    for (const key of ['a/again', 'a/deleted', 'b']) await store.delete(key, versions.get(key) ?? '');
    await store.create('a/again', bytes('1'));
  }
  const told = [
    { key: 'a/again', contents: 2, deleted: true },
    { key: 'a/deleted', contents: 1, deleted: true },
    { key: 'a/replaced', contents: 2, deleted: false },
  ];

  test.each([
    ['versions', { versioning: true }],
    ['soft delete', { softDelete: true }],
    ['both', { versioning: true, softDelete: true }],
  ])('shows with %s what was replaced or deleted, over pages', async (_, rules) => {
    for (const pageSize of [1, 2, 1_000]) {
      const at = await place(rules, pageSize);
      await live(at);
      expect(await alteredIn(at.store, 'a/')).toEqual(told);
      expect(await keysOf(at.store, 'a/')).toEqual(['a/again', 'a/kept', 'a/replaced']);
    }
  });

  test('of a bucket that keeps none is empty', async () => {
    const at = await place();
    await live(at);
    expect(await alteredIn(at.store, '')).toEqual([]);
  });

  test('that may not be looked at is denied, never empty', async () => {
    const { cloud, store } = await place({ versioning: true });
    cloud.fail('list', { status: 403, reason: 'forbidden' });
    await expect(alteredIn(store, '')).rejects.toMatchObject({
      code: 'denied',
      hint: expect.stringContaining('storage.objects.list'),
    });
  });
});
