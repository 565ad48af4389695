import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ContainerClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import { Sealed } from '../../shared/base/sealed.ts';
import { azureBlobObjects } from '../../shared/objects/azure-blob.ts';
import { bytes, done, keysOf } from '../conformance/object-store-harness.ts';
import { objectStoreSuite } from '../conformance/object-store.ts';
import { installed } from './installed.ts';
import { startServer, type Server } from './server.ts';

// Azurite knows no retention (501), keeps no versions, and never answers 503: those promises have the stand-in only.

/** Azurite takes the accounts it is told; this one lives as long as the server. */
const account = 'judged';
const key = randomBytes(64).toString('base64');

let server: Server;
let containers = 0;

beforeAll(async () => {
  server = await startServer({
    program: await installed('azurite'),
    words: (port) => [
      '--inMemoryPersistence',
      '--skipApiVersionCheck',
      '--silent',
      '--disableTelemetry',
      '--blobHost',
      '127.0.0.1',
      '--blobPort',
      String(port),
    ],
    environment: { AZURITE_ACCOUNTS: `${account}:${key}` },
  });
}, 600_000);
afterAll(async () => await server.stop());

/** A container of its own, and a handle on it as somebody else would hold it. */
async function freshContainer() {
  containers += 1;
  const container = `judged-${containers}`;
  const endpoint = `${server.url}/${account}`;
  const client = new ContainerClient(`${endpoint}/${container}`, new StorageSharedKeyCredential(account, key));
  await client.create();
  return { client, options: { account, container, endpoint, accountKey: new Sealed(key) } };
}

objectStoreSuite(
  'azure-blob on Azurite',
  async () => {
    const { client, options } = await freshContainer();
    return {
      one: azureBlobObjects(options),
      two: azureBlobObjects(options),
      observe: async (name) => {
        const blob = client.getBlobClient(name);
        return (await blob.exists()) ? Uint8Array.from(await blob.downloadToBuffer()) : undefined;
      },
      close: async () => void (await client.delete()),
    };
  },
  { folders: false },
);

test('a listing goes on over pages', async () => {
  const { options } = await freshContainer();
  const store = azureBlobObjects({ ...options, prefix: 'deep/down/', pageSize: 3 });
  const keys = Array.from({ length: 10 }, (_, i) => `k/${i}`);
  for (const name of keys) await store.create(name, bytes(name));
  expect(await keysOf(store, '')).toEqual(keys);
  expect(await keysOf(store, 'k/', 'k/6')).toEqual(['k/7', 'k/8', 'k/9']);
});

test('fifty writers at once: one create wins every round', async () => {
  const { options } = await freshContainer();
  const stores = Array.from({ length: 5 }, () => azureBlobObjects(options));
  for (let round = 0; round < 4; round += 1) {
    const tries = stores.flatMap((store, s) =>
      Array.from({ length: 10 }, (_, i) => store.create(`r/${round}`, bytes(`w${s}-${i}`))),
    );
    const answers = await Promise.all(tries);
    expect(answers.filter((answer) => answer.outcome === 'done')).toHaveLength(1);
  }
});

test('an account without versions and soft delete has no past to tell', async () => {
  const { options } = await freshContainer();
  const store = azureBlobObjects(options);
  const first = done(await store.create('k', bytes('1')));
  await store.replace('k', bytes('2'), first);
  const told: unknown[] = [];
  for await (const altered of store.altered('')) told.push(altered);
  expect(told).toEqual([]);
});
