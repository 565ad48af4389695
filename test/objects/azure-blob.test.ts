import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { azureBlobObjects } from '../../shared/objects/azure-blob.ts';
import { proveConditions } from '../../shared/objects/self-test.ts';
import {
  azureRefusals,
  startAzureBlob,
  type AzureBlobStandIn,
  type AzureBlobStandInOptions,
} from '../clouds/azure-blob.ts';
import { bytes, done, text } from '../conformance/object-store-harness.ts';
import { objectStoreSuite } from '../conformance/object-store.ts';
import { testWorld } from '../world.ts';

objectStoreSuite(
  'azure-blob',
  async () => {
    const azure = await startAzureBlob({ versioned: true });
    return {
      one: azureBlobObjects(azure.place),
      two: azureBlobObjects(azure.place),
      observe: async (key) => azure.model.current(key)?.bytes,
      close: () => azure.close(),
    };
  },
  { folders: false },
);

objectStoreSuite(
  'azure-blob below a prefix, with small pages, empty ones between, by a server that knows no startFrom',
  async () => {
    const azure = await startAzureBlob({ pageSize: 3, emptyPages: true, ignoresStartFrom: true });
    azure.model.plant('other/k', bytes('not ours'));
    const place = { ...azure.place, prefix: 'deep/down/' };
    return {
      one: azureBlobObjects(place),
      two: azureBlobObjects(place),
      observe: async (key) => azure.model.current(`deep/down/${key}`)?.bytes,
      close: () => azure.close(),
    };
  },
  { folders: false },
);

let azure: AzureBlobStandIn;
const start = async (options: AzureBlobStandInOptions = {}) => {
  await azure.close();
  azure = await startAzureBlob(options);
};
const open = () => azureBlobObjects({ ...azure.place, requestLimitMs: 300 });

beforeEach(async () => {
  azure = await startAzureBlob();
});
afterEach(async () => await azure.close());

describe('a refused condition', () => {
  test.each(['unmet', 'leased', 'immutable'] as const)(
    'of a create may also be told otherwise: %s',
    async (refusal) => {
      const { etag } = azure.model.plant('k', bytes('theirs'));
      azure.fail('PutBlob', azureRefusals[refusal], azureRefusals[refusal]);
      expect(await open().create('k', bytes('mine'))).toEqual({ outcome: 'exists' });
      expect(await open().create('k', bytes('theirs'))).toEqual({ outcome: 'done', version: etag });
    },
  );

  test('of a create that retention forbids where nothing is stays denied', async () => {
    azure.fail('PutBlob', azureRefusals.immutable);
    await expect(open().create('k', bytes('mine'))).rejects.toMatchObject({ code: 'denied' });
  });

  test('never concerns bytes that the caller changed meanwhile', async () => {
    const mine = bytes('mine');
    azure.fail('PutBlob', azureRefusals.busy);
    const created = open().create('k', mine);
    mine.fill(0);
    await created;
    expect(text(azure.model.current('k')?.bytes)).toBe('mine');
  });

  test('of a create may also be 403, for an identity that only adds blobs', async () => {
    await start({ addOnly: true });
    const first = done(await open().create('k', bytes('mine')));
    expect(await open().create('k', bytes('mine'))).toEqual({ outcome: 'done', version: first });
    expect(await open().create('k', bytes('other'))).toEqual({ outcome: 'exists' });
    await expect(open().replace('k', bytes('other'), first)).rejects.toMatchObject({ code: 'denied' });
  });

  test('of a create is tried again where the blob is gone when looked at', async () => {
    azure.fail('PutBlob', azureRefusals.unmet);
    expect((await open().create('k', bytes('mine'))).outcome).toBe('done');
  });

  test('is no lease: that is a conflict', async () => {
    const version = done(await open().create('k', bytes('1')));
    azure.fail('PutBlob', azureRefusals.leased);
    await expect(open().replace('k', bytes('2'), version)).rejects.toMatchObject({
      code: 'conflict',
      hint: expect.stringContaining('lease'),
    });
    azure.fail('DeleteBlob', azureRefusals.leased);
    await expect(open().delete('k', version)).rejects.toMatchObject({ code: 'conflict' });
  });

  test('is not sent at all for a version that fits every blob', async () => {
    await open().create('k', bytes('1'));
    for (const version of ['*', '"*"', '', '"a"\r\nx-ms-lease-id: 1'])
      expect([await open().replace('k', bytes('2'), version), await open().delete('k', version)]).toEqual([
        { outcome: 'stale' },
        { outcome: 'stale' },
      ]);
    expect(text(azure.model.current('k')?.bytes)).toBe('1');
  });

  test('the look that tells stale from missing may fail: nothing was written', async () => {
    const first = done(await open().create('k', bytes('1')));
    azure.model.plant('k', bytes('2'));
    azure.fail('GetBlobProperties', 'mute');
    await expect(open().replace('k', bytes('3'), first)).rejects.toMatchObject({ code: 'unreachable' });
  });
});

describe('under container-level retention', () => {
  test('objects are created, and never replaced or deleted', async () => {
    await start({ retention: 'active' });
    const version = done(await open().create('k', bytes('1')));
    expect(done(await open().create('k', bytes('1')))).toBe(version);
    expect(await open().create('k', bytes('2'))).toEqual({ outcome: 'exists' });
    const denied = { code: 'denied', hint: expect.stringContaining('Retention') };
    await expect(open().replace('k', bytes('2'), version)).rejects.toMatchObject(denied);
    await expect(open().delete('k', version)).rejects.toMatchObject(denied);
    expect(await open().replace('k', bytes('2'), '"0x0"')).toEqual({ outcome: 'stale' });
  });

  test('once it is over they may be deleted, still not replaced', async () => {
    await start({ retention: 'expired' });
    const version = done(await open().create('k', bytes('1')));
    await expect(open().replace('k', bytes('2'), version)).rejects.toMatchObject({ code: 'denied' });
    expect(await open().delete('k', version)).toEqual({ outcome: 'done' });
  });

  test('the proof at start passes', async () => {
    await start({ retention: 'active' });
    for (let run = 0; run < 2; run += 1)
      await expect(proveConditions(open(), { world: testWorld(), writes: 'create-only' })).resolves.toBeUndefined();
  });
});

test.each([
  ['If-None-Match', 'created an object twice'],
  ['If-Match', 'let a stale replace through'],
  ['If-Match on DELETE', 'let a stale delete through'],
] as const)('the proof at start refuses a server that ignores %s', async (condition, did) => {
  await start({ ignores: [condition] });
  await expect(proveConditions(open(), { world: testWorld(), writes: 'all' })).rejects.toMatchObject({
    code: 'unsupported',
    message: expect.stringContaining(did),
  });
});
