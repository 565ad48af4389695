import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { ObjectStore } from '../../shared/objects/contract.ts';
import { gcpStorageObjects } from '../../shared/objects/gcp-storage.ts';
import { objectStoreSuite } from '../conformance/object-store.ts';
import { bytes, done, held } from '../conformance/object-store-harness.ts';
import { installed } from './installed.ts';
import { startServer, type Server } from './server.ts';

let server: Server;
let buckets = 0;

beforeAll(async () => {
  const program = await installed('fake-gcs-server');
  const words = (port: number) => [
    '-backend',
    'memory',
    '-scheme',
    'http',
    '-host',
    '127.0.0.1',
    '-port',
    String(port),
    '-public-host',
    `127.0.0.1:${port}`,
    '-log-level',
    'error',
  ];
  server = await startServer({ program, words });
}, 900_000);

afterAll(async () => {
  await server.stop();
});

const unconditional = 'DELETE ignores ifGenerationMatch; Cloud Storage answers 412 where another generation is live';

objectStoreSuite(
  'gcp-storage on fake-gcs-server',
  async () => {
    const bucket = await makeBucket();
    const at = { bucket, prefix: 'place/', endpoint: server.url };
    return {
      one: lateToDelete(gcpStorageObjects(at)),
      two: gcpStorageObjects({ ...at, pageSize: 3 }),
      observe: (key) => download(bucket, `place/${key}`),
      close: async () => {},
    };
  },
  {
    folders: false,
    deviations: {
      'a stale version deletes nothing': unconditional,
      'the key is free again, and no old version fits what is made there': unconditional,
      'of a delete and a replace at once exactly one wins': unconditional,
      'passes the proof that a store must pass at start': `${unconditional}: lockkeeper refuses to run on such a server`,
    },
  },
);

test('what was replaced, or deleted and made again, shows in the past that a bucket with versions keeps', async () => {
  const bucket = await makeBucket({ versioning: { enabled: true } });
  const store = gcpStorageObjects({ bucket, endpoint: server.url, pageSize: 2 });
  for (const key of ['a/kept', 'a/replaced', 'a/deleted', 'a/again', 'b']) await store.create(key, bytes('1'));
  await store.replace('a/replaced', bytes('2'), (await held(store, 'a/replaced')).version);
  for (const key of ['a/deleted', 'a/again', 'b']) await store.delete(key, (await held(store, key)).version);
  // Times there are told to the millisecond.
  await pause(20);
  done(await store.create('a/again', bytes('1')));
  const altered: unknown[] = [];
  for await (const one of store.altered('a/')) altered.push(one);
  expect(altered).toEqual([
    { key: 'a/again', contents: 2, deleted: true },
    { key: 'a/deleted', contents: 1, deleted: true },
    { key: 'a/replaced', contents: 2, deleted: false },
  ]);
});

test('a bucket that is not there is not-found, never an absent object', async () => {
  const store = gcpStorageObjects({ bucket: 'no-such-bucket', endpoint: server.url });
  await expect(store.get('k')).rejects.toMatchObject({ code: 'not-found' });
  await expect(store.create('k', bytes('1'))).rejects.toMatchObject({ code: 'not-found' });
});

/** So late that a replace at the same time is over: which of the two is first shall not be left to chance. */
function lateToDelete(store: ObjectStore): ObjectStore {
  return {
    ...store,
    async delete(key, version) {
      await pause(50);
      return await store.delete(key, version);
    },
  };
}

async function makeBucket(settings: object = {}): Promise<string> {
  buckets += 1;
  const name = `bucket-${buckets}`;
  const answer = await fetch(`${server.url}/storage/v1/b?project=p`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, ...settings }),
  });
  if (!answer.ok) throw new Error(`making the bucket ${name}: ${answer.status} ${await answer.text()}`);
  return name;
}

async function download(bucket: string, name: string): Promise<Uint8Array | undefined> {
  const answer = await fetch(`${server.url}/storage/v1/b/${bucket}/o/${encodeURIComponent(name)}?alt=media`);
  if (answer.status === 404) return undefined;
  if (!answer.ok) throw new Error(`reading ${name}: ${answer.status} ${await answer.text()}`);
  return new Uint8Array(await answer.arrayBuffer());
}
