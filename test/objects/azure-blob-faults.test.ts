import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { systemWorld } from '../../shared/base/world.ts';
import { azureBlobObjects } from '../../shared/objects/azure-blob.ts';
import type { AzureBlobOptions } from '../../shared/objects/azure-blob-container.ts';
import {
  azureRefusals,
  faultName,
  startAzureBlob,
  type AzureBlobStandIn,
  type AzureFault,
} from '../clouds/azure-blob.ts';
import { AzureRefusal } from '../clouds/azure-blob-model.ts';
import { bytes, done, held, keysOf, text } from '../conformance/object-store-harness.ts';
import { testWorld } from '../world.ts';

let azure: AzureBlobStandIn;
const open = (options: Partial<AzureBlobOptions> = {}) =>
  azureBlobObjects({ ...azure.place, requestLimitMs: 300, ...options });
const named = (faults: readonly AzureFault[]) => faults.map((fault) => [faultName(fault), fault] as const);

beforeEach(async () => {
  azure = await startAzureBlob();
});
afterEach(async () => await azure.close());

describe('a lost answer', () => {
  test.each(
    named([
      'lost-before',
      'lost-after',
      'timed-out-after',
      'internal-after',
      azureRefusals.timedOut,
      new AzureRefusal(503, 'InternalError'),
    ]),
  )('of a create heals itself: %s', async (_, fault) => {
    azure.fail('PutBlob', fault);
    const version = done(await open().create('k', bytes('mine')));
    expect(await open().get('k')).toEqual({ bytes: bytes('mine'), version });
  });

  test.each(named(['lost-before', 'lost-after', 'mute', 'timed-out-after', 'internal-after', azureRefusals.timedOut]))(
    'of a replace or delete is uncertain and not tried again: %s',
    async (_, fault) => {
      const store = open();
      const first = done(await store.create('k', bytes('1')));
      azure.fail('PutBlob', fault);
      await expect(store.replace('k', bytes('2'), first)).rejects.toMatchObject({
        code: 'uncertain',
        hint: expect.stringContaining('read it back'),
      });
      expect(azure.asked.PutBlob).toBe(2);
      const { version } = await held(store, 'k');
      azure.fail('DeleteBlob', fault);
      await expect(store.delete('k', version)).rejects.toMatchObject({ code: 'uncertain' });
      expect(azure.asked.DeleteBlob).toBe(1);
    },
  );

  test('of a create is uncertain after the time limit, and running it again finds its own bytes', async () => {
    azure.fail('PutBlob', 'mute');
    await expect(open().create('k', bytes('mine'))).rejects.toMatchObject({ code: 'uncertain' });
    expect((await open().create('k', bytes('mine'))).outcome).toBe('done');
  });

  test.each(named([azureRefusals.denied, azureRefusals.busyFor(60)]))(
    'of a create stays uncertain when trying again is refused: %s',
    async (_, fault) => {
      azure.fail('PutBlob', 'lost-after', fault);
      await expect(open().create('k', bytes('mine'))).rejects.toMatchObject({ code: 'uncertain' });
    },
  );

  test('of a create stays uncertain when the comparison fails', async () => {
    azure.fail('PutBlob', 'lost-after');
    azure.fail('GetBlob', azureRefusals.denied);
    await expect(open().create('k', bytes('mine'))).rejects.toMatchObject({ code: 'uncertain' });
  });

  test('of a create is uncertain where other bytes are there afterwards: its own may have been replaced', async () => {
    azure.model.plant('k', bytes('theirs'));
    azure.fail('PutBlob', 'lost-before');
    await expect(open().create('k', bytes('mine'))).rejects.toMatchObject({ code: 'uncertain' });
    expect(await open().create('k', bytes('mine'))).toEqual({ outcome: 'exists' });
  });

  test.each(named(['lost-before', 'cut', azureRefusals.internal]))(
    'of a read is asked for again: %s',
    async (_, fault) => {
      azure.model.plant('k', bytes('1'));
      azure.fail('GetBlob', fault);
      azure.fail('ListBlobs', fault);
      expect(text((await open().get('k'))?.bytes)).toBe('1');
      expect(await keysOf(open(), '')).toEqual(['k']);
    },
  );

  test.each(named(['mute', 'stalled']))('of a read has a time limit: %s', async (_, fault) => {
    azure.model.plant('k', bytes('1'));
    azure.fail('GetBlob', fault);
    azure.fail('ListBlobs', fault);
    await expect(open().get('k')).rejects.toMatchObject({ code: 'unreachable' });
    await expect(keysOf(open(), '')).rejects.toMatchObject({ code: 'unreachable' });
  });
});

describe('a busy server', () => {
  const busy = [azureRefusals.busy, azureRefusals.tooMany];

  test('is asked again, and every answer is the right one', async () => {
    const store = open();
    azure.fail('PutBlob', ...busy);
    const first = done(await store.create('k', bytes('1')));
    azure.fail('PutBlob', ...busy);
    const second = done(await store.replace('k', bytes('2'), first));
    azure.fail('GetBlob', ...busy);
    expect((await store.get('k'))?.version).toBe(second);
    azure.fail('ListBlobs', ...busy);
    expect(await keysOf(store, '')).toEqual(['k']);
    azure.fail('DeleteBlob', ...busy);
    expect(await store.delete('k', second)).toEqual({ outcome: 'done' });
    expect(azure.asked).toMatchObject({ PutBlob: 6, GetBlob: 3, ListBlobs: 3, DeleteBlob: 3 });
  });

  test('is throttled after four tries, and nothing was written', async () => {
    azure.fail('PutBlob', ...busy, ...busy);
    await expect(open().create('k', bytes('1'))).rejects.toMatchObject({ code: 'throttled' });
    expect(azure.asked.PutBlob).toBe(4);
    expect(azure.model.current('k')).toBeUndefined();
  });

  test('that wants to be left alone for a minute is', async () => {
    azure.fail('GetBlob', azureRefusals.busyFor(60));
    await expect(open().get('k')).rejects.toMatchObject({ code: 'throttled' });
    expect(azure.asked.GetBlob).toBe(1);
  });

  test('that asks for a second gets it', async () => {
    azure.fail('GetBlob', azureRefusals.busyFor(1));
    const world = systemWorld();
    const began = world.now();
    await open().get('k');
    expect(world.now() - began).toBeGreaterThanOrEqual(990);
  });

  test('is not waited for beyond the deadline of the run', async () => {
    const world = testWorld();
    world.setDeadline(world.now());
    azure.fail('GetBlob', azureRefusals.busy);
    await expect(open({ world }).get('k')).rejects.toMatchObject({ code: 'throttled' });
    expect(azure.asked.GetBlob).toBe(1);
  });
});
