import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openStore, openStores } from '../../functions/local/stores-wire.ts';
import { after, day } from '../../shared/base/time.ts';
import type { StoreConfig } from '../../shared/config/stores.ts';
import { collect } from '../../shared/usage/collect.ts';
import { readEvidence } from '../../shared/usage/read-evidence.ts';
import { startS3, type S3StandIn } from '../clouds/aws-s3.ts';
import { GcpStorage } from '../clouds/gcp-storage.ts';
import { hourlyLog, start } from '../usage/made-log.ts';
import { testWorld } from '../world.ts';

let s3: S3StandIn;
let gcs: GcpStorage;
let directory = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockkeeper-stores-'));
  s3 = await startS3();
  gcs = await GcpStorage.start();
  const { accessKeyId, secretAccessKey } = s3.place.credentials;
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey.open() });
});
afterAll(async () => {
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) Reflect.deleteProperty(process.env, name);
  await Promise.all([s3.close(), gcs.close(), rm(directory, { recursive: true })]);
});

const inS3 = (prefix: string): StoreConfig => ({
  kind: 'aws-s3',
  bucket: s3.place.bucket,
  prefix,
  region: 'us-east-1',
  endpoint: s3.place.endpoint,
});

describe('stores of the configuration', () => {
  test('in S3 keep their prefixes apart, prove that conditions hold, and leave the log as plain bytes', async () => {
    const { state, log } = await openStores({ stores: { state: inS3('state/'), log: inS3('log/') } }, testWorld());
    const bytes = Buffer.from('one entry\n');
    await state.create('journal', bytes);
    await log.create('inbox/1', bytes);
    expect(s3.model.current('log/inbox/1')?.bytes).toEqual(new Uint8Array(bytes));
    expect(s3.model.current('state/journal')?.bytes.length).toBeGreaterThan(bytes.length);
    expect((await state.get('journal'))?.bytes).toEqual(new Uint8Array(bytes));
    await expect(log.replace('inbox/1', bytes, 'x')).rejects.toMatchObject({ code: 'unsupported' });
  });

  test('that ignore conditions are refused before anything relies on them', async () => {
    const careless = await startS3({ ignores: ['If-Match'] });
    const place = { ...inS3('state/'), endpoint: careless.place.endpoint };
    const opening = openStores(
      { stores: { state: place, log: { kind: 'file-system', path: join(directory, 'log') } } },
      testWorld(),
    );
    await expect(opening).rejects.toMatchObject({ code: 'unsupported', hint: expect.any(String) });
    await careless.close();
  });

  test('in a cloud hold what is collected from flow logs, as a directory does', async () => {
    const { state } = await openStores({ stores: { state: inS3('usage/'), log: inS3('usage-log/') } }, testWorld());
    const { log } = hourlyLog(3);
    const world = testWorld('2026-10-01T00:00:00Z');
    expect(await collect({ flowLog: log, state, world })).toMatchObject({ objects: 3, records: 3 });
    const { rows } = await readEvidence({
      state,
      logs: ['made'],
      window: { from: start, to: after(start, day) },
      world,
    });
    expect(rows).toMatchObject([{ port: 5432, records: 3 }]);
  });
});

describe('a store of each kind is opened by its driver, and tells its past where the kind keeps one', () => {
  const use = { world: testWorld(), contents: 'create-only' } as const;

  test('file-system', async () => {
    const { store, history } = await openStore({ kind: 'file-system', path: join(directory, 'one') }, use);
    await store.create('key', Buffer.from('x'));
    expect(await readdir(join(directory, 'one'))).toContain('key');
    expect(history).toBeUndefined();
  });

  test('aws-s3: an object hidden and made anew shows', async () => {
    const { store, history } = await openStore(inS3('past/'), use);
    await store.create('key', Buffer.from('x'));
    s3.model.hide('past/key');
    await store.create('key', Buffer.from('y'));
    const past = [];
    for await (const one of history?.altered('') ?? []) past.push(one);
    expect(past).toEqual([{ key: 'key', contents: 2, deleted: true }]);
  });

  test('gcp-storage, whose login an endpoint is not shown', async () => {
    const { store, history } = await openStore(
      { kind: 'gcp-storage', bucket: gcs.bucket, prefix: 'log/', endpoint: gcs.endpoint },
      use,
    );
    expect(history).toBeDefined();
    await expect(store.get('key')).rejects.toMatchObject({
      code: 'denied',
      message: expect.stringContaining('gs://bucket/log/key'),
    });
  });

  test('azure-blob, without asking for anything yet', async () => {
    const { history } = await openStore({ kind: 'azure-blob', account: 'account1', container: 'log', prefix: '' }, use);
    expect(history).toBeDefined();
  });
});
