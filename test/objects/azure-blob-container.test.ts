import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Sealed } from '../../shared/base/sealed.ts';
import { azureBlobObjects } from '../../shared/objects/azure-blob.ts';
import type { AzureBlobOptions } from '../../shared/objects/azure-blob-container.ts';
import type { AlteredObject } from '../../shared/objects/contract.ts';
import {
  azureRefusals,
  startAzureBlob,
  type AzureBlobStandIn,
  type AzureBlobStandInOptions,
} from '../clouds/azure-blob.ts';
import { bytes, done, keysOf } from '../conformance/object-store-harness.ts';
import { freePort } from '../judges/server.ts';
import { PlantedSecret } from '../planted-secret.ts';

let azure: AzureBlobStandIn;
const start = async (options: AzureBlobStandInOptions = {}) => {
  await azure.close();
  azure = await startAzureBlob(options);
};
const open = (options: Partial<AzureBlobOptions> = {}) =>
  azureBlobObjects({ ...azure.place, requestLimitMs: 300, ...options });

beforeEach(async () => {
  azure = await startAzureBlob();
});
afterEach(async () => await azure.close());

describe('a listing', () => {
  const fill = (count: number) => {
    for (let i = 0; i < count; i += 1) azure.model.plant(`k/${String(i).padStart(3, '0')}`, bytes('x'));
  };

  test('asks for the next page only when the one before is used up', async () => {
    fill(25);
    const asked: number[] = [];
    for await (const { key } of open({ pageSize: 10 }).list(''))
      asked.push(azure.asked.ListBlobs + (key === '' ? 100 : 0));
    expect(asked).toEqual([
      ...Array.from({ length: 10 }, () => 1),
      ...Array.from({ length: 10 }, () => 2),
      ...Array.from({ length: 5 }, () => 3),
    ]);
  });

  test('begins at the key it is told, not at the beginning', async () => {
    fill(25);
    expect(await keysOf(open({ pageSize: 2 }), 'k/', 'k/021')).toEqual(['k/022', 'k/023', 'k/024']);
    expect(azure.asked.ListBlobs).toBe(2);
  });

  test('goes on where a page was lost, without a key twice', async () => {
    fill(9);
    azure.fail('ListBlobs', azureRefusals.busy, 'lost-before', azureRefusals.internal);
    expect(new Set(await keysOf(open({ pageSize: 2 }), '')).size).toBe(9);
  });

  test('goes on where a key is deleted meanwhile', async () => {
    fill(6);
    const found: string[] = [];
    for await (const { key } of open({ pageSize: 2 }).list('')) {
      if (found.length === 0) azure.model.plant('k/1000', bytes('late'));
      if (found.length === 0) azure.model.hide('k/001');
      found.push(key);
    }
    expect(found).toEqual(expect.arrayContaining(['k/000', 'k/005']));
  });

  test('in another order than that of the bytes is refused, as an account with a hierarchical namespace has it', async () => {
    await start({ listsFoldersFirst: true });
    for (const name of ['a-b', 'a/1']) azure.model.plant(name, bytes('x'));
    await expect(keysOf(open(), '')).rejects.toMatchObject({
      code: 'unsupported',
      hint: expect.stringContaining('hierarchical namespace'),
    });
  });
});

describe('the past', () => {
  const past = async (prefix = '', options: Partial<AzureBlobOptions> = {}) => {
    const found: AlteredObject[] = [];
    for await (const altered of open({ pageSize: 2, ...options }).altered(prefix)) found.push(altered);
    return found;
  };
  /** One of each fate, under names in the order of the alphabet. */
  const live = async () => {
    const store = open();
    for (const key of ['a/created', 'b/replaced', 'c/deleted', 'd/again', 'e/purged']) {
      const first = done(await store.create(key, bytes('1')));
      if (key === 'a/created') continue;
      const second = done(await store.replace(key, bytes('2'), first));
      if (key === 'c/deleted' || key === 'd/again') await store.delete(key, second);
      if (key === 'd/again') await store.create(key, bytes('evil'));
      if (key === 'e/purged') azure.model.purge(key);
    }
  };

  test('with versions: what was replaced, deleted, deleted and made again', async () => {
    await start({ versioned: true });
    await live();
    expect(await past()).toEqual([
      { key: 'b/replaced', contents: 2, deleted: false },
      { key: 'c/deleted', contents: 2, deleted: true },
      { key: 'd/again', contents: 3, deleted: false },
    ]);
    expect(await past('c/')).toEqual([{ key: 'c/deleted', contents: 2, deleted: true }]);
  });

  test('with versions and soft delete: also that somebody deleted a version', async () => {
    await start({ versioned: true, softDelete: true });
    await live();
    expect(await past('e/')).toEqual([{ key: 'e/purged', contents: 2, deleted: true }]);
  });

  test('with soft delete alone: what was replaced, deleted, deleted and made again', async () => {
    await start({ softDelete: true });
    await live();
    expect(await past()).toEqual([
      { key: 'b/replaced', contents: 2, deleted: false },
      { key: 'c/deleted', contents: 2, deleted: true },
      { key: 'd/again', contents: 3, deleted: false },
      { key: 'e/purged', contents: 2, deleted: false },
    ]);
  });

  test('without either there is none, and under retention nothing happens that could be told', async () => {
    await live();
    expect(await past()).toEqual([]);
    await start({ versioned: true, retention: 'active' });
    await open().create('k', bytes('1'));
    await open().create('k', bytes('2'));
    expect(await past()).toEqual([]);
  });

  test('is told by keys below the prefix of the store, also when pages come late', async () => {
    await start({ versioned: true, emptyPages: true });
    for (const content of ['1', '2', '3', '4', '5']) azure.model.plant('below/k', bytes(content));
    azure.model.plant('beside/k', bytes('1'));
    azure.model.plant('beside/k', bytes('2'));
    azure.fail('ListBlobs', azureRefusals.busy);
    expect(await past('', { prefix: 'below/' })).toEqual([{ key: 'k', contents: 5, deleted: false }]);
  });

  test("somebody's snapshot is no alteration", async () => {
    await open().create('k', bytes('1'));
    azure.model.snapshot('k');
    expect(await past()).toEqual([]);
  });
});

describe('settings', () => {
  const right = { account: 'acct', container: 'state' };
  const key = new Sealed('c2VjcmV0');
  test.each<[string, Partial<AzureBlobOptions>]>([
    ['a container with capitals', { container: 'State' }],
    ['a container with a slash', { container: 'a/b' }],
    ['a container of two letters', { container: 'ab' }],
    ['an account that is a host', { account: 'acct.evil.example/' }],
    ['neither account nor endpoint', { account: undefined }],
    ['a key without its account', { account: undefined, endpoint: 'https://blobs.example', accountKey: key }],
    ['a prefix without a slash at its end', { prefix: 'a' }],
    ['a prefix that leaves the container', { prefix: '../' }],
    ['a prefix that is too long', { prefix: `${'x'.repeat(120)}/` }],
    ['an endpoint that is no URL', { endpoint: 'blobs.example' }],
    ['an endpoint with a signature in it', { endpoint: 'https://blobs.example/?sig=abc' }],
    ['a key over http to another machine', { endpoint: 'http://blobs.example', accountKey: key }],
    ['a token over http, even here', { endpoint: 'http://127.0.0.1:10000' }],
    ['another protocol', { endpoint: 'ftp://127.0.0.1', accountKey: key }],
  ])('%s: invalid, before any request', (_, wrong) => {
    expect(() => azureBlobObjects({ ...right, ...wrong })).toThrow(
      expect.objectContaining({ code: 'invalid', hint: expect.any(String) }),
    );
  });

  test.each<[string, Partial<AzureBlobOptions>]>([
    ['an account', {}],
    ['an account and a key', { accountKey: key }],
    ['an endpoint without an account', { account: undefined, endpoint: 'https://blobs.example/' }],
    ['an endpoint on this machine', { endpoint: 'http://localhost:10000/acct', accountKey: key }],
    ['a prefix', { prefix: 'a/b.c/' }],
  ])('%s will do', (_, fine) => {
    expect(() => azureBlobObjects({ ...right, ...fine })).not.toThrow();
  });
});

describe('what stands in the way', () => {
  test('a container that is not there is not an absent object', async () => {
    const store = open({ container: 'elsewhere' });
    const missing = { code: 'not-found', hint: expect.stringContaining('container') };
    await expect(store.get('k')).rejects.toMatchObject(missing);
    await expect(store.create('k', bytes('1'))).rejects.toMatchObject(missing);
    await expect(store.replace('k', bytes('1'), '"0x1"')).rejects.toMatchObject(missing);
    await expect(store.replace('k', bytes('1'), 'made-up')).rejects.toMatchObject(missing);
    await expect(store.delete('k', '"0x1"')).rejects.toMatchObject(missing);
    await expect(keysOf(store, '')).rejects.toMatchObject(missing);
  });

  test('an endpoint where nothing listens is unreachable, also for writes', async () => {
    const store = open({ endpoint: `http://127.0.0.1:${await freePort()}/standin` });
    const tried = [
      store.get('k'),
      store.create('k', bytes('1')),
      store.replace('k', bytes('1'), '"0x1"'),
      store.delete('k', '"0x1"'),
    ];
    await Promise.all(tried.map((one) => expect(one).rejects.toMatchObject({ code: 'unreachable' })));
  });

  test('a role that is missing is named', async () => {
    azure.fail('GetBlob', azureRefusals.denied);
    azure.fail('PutBlob', azureRefusals.denied);
    await expect(open().get('k')).rejects.toMatchObject({
      code: 'denied',
      hint: expect.stringContaining('Storage Blob Data Reader'),
    });
    await expect(open().create('k', bytes('1'))).rejects.toMatchObject({
      code: 'denied',
      hint: expect.stringContaining('Storage Blob Data Contributor'),
    });
  });

  test('no error shows the key', async () => {
    const planted = new PlantedSecret(Buffer.from('a planted account key, long enough').toString('base64'));
    await start({ key: Buffer.from('another').toString('base64') });
    const wrong = open({ accountKey: planted.sealed() });
    const caught: unknown[] = [];
    const meet = async (tried: Promise<unknown>) => await tried.catch((thrown: unknown) => caught.push(thrown));
    await meet(wrong.get('k'));
    await meet(wrong.create('k', bytes('1')));
    await start({ key: planted.bare() });
    const right = open({ accountKey: planted.sealed() });
    azure.fail('PutBlob', azureRefusals.timedOut, 'lost-after', 'mute');
    for (let i = 0; i < 3; i += 1) await meet(right.replace('k', bytes('1'), '"0x1"'));
    azure.fail('ListBlobs', 'mute');
    await meet(keysOf(right, ''));
    expect(caught).toHaveLength(6);
    for (const thrown of caught) planted.search('an error', thrown);
    planted.search('the store', right).expectNowhere();
  });
});
