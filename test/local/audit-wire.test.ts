import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openAudit } from '../../functions/local/audit-wire.ts';
import { checkConfig } from '../../shared/config/check.ts';
import { testWorld } from '../world.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockkeeper-audit-wire-'));
});
afterEach(() => rm(directory, { recursive: true }));

/** What a configuration with this section `audit` gives. */
async function opened(audit: string) {
  const text = `{ version: 1, stores: { state: { kind: file-system, path: state }, log: { kind: file-system, path: log } }, audit: ${audit} }`;
  const { config, mistakes } = checkConfig(text, directory);
  if (!config) throw new Error(JSON.stringify(mistakes));
  return openAudit(config, testWorld());
}

test('without a word about it the log is signed with a key file beside the state store, which others cannot read', async () => {
  const { signer, writerKey, ...rest } = await opened('{}');
  expect(rest).toEqual({
    origin: 'lockkeeper.local/log',
    witnesses: [],
    needed: 0,
    anchors: [],
    verifyWith: undefined,
  });
  const key = await signer.publicKey();
  expect(key).toHaveLength(32);
  expect((await stat(join(directory, 'audit.key'))).mode & 0o777).toBe(0o600);
  expect(await (await opened('{}')).signer.publicKey()).toEqual(key);
  const proving = await writerKey();
  expect(proving).toHaveLength(32);
  expect((await stat(join(directory, 'writer.key'))).mode & 0o777).toBe(0o600);
  expect(Buffer.from(await (await opened('{}')).writerKey()).equals(proving)).toBe(true);
});

test('where all of a log lies in a cloud, the file of its writer key has to be named', async () => {
  const [state, log] = ['{ kind: gcp-storage, bucket: one-state }', '{ kind: gcp-storage, bucket: one-log }'];
  const key = '{ kind: aws-kms, keyId: alias/lockkeeper, region: eu-central-1 }';
  const withAudit = (audit: string) => {
    const text = `{ version: 1, stores: { state: ${state}, log: ${log} }, audit: ${audit} }`;
    const { config } = checkConfig(text, directory);
    return config ? openAudit(config, testWorld()) : Promise.reject(new Error('no configuration'));
  };
  await expect(withAudit(`{ key: ${key} }`)).rejects.toMatchObject({
    code: 'invalid',
    hint: expect.stringContaining('audit.writerKey'),
  });
  await (await withAudit(`{ key: ${key}, writerKey: keys/writer.key }`)).writerKey();
  expect(await readdir(join(directory, 'keys'))).toEqual(['writer.key']);
});

test('nothing is made or asked for before it is used', async () => {
  await opened('{ anchors: [{ kind: file-system, path: copies }, { kind: aws-s3, bucket: nowhere }] }');
  expect(await readdir(directory)).toEqual([]);
});

test('anchors take copies under the name by which people know them', async () => {
  const { anchors } = await opened(
    '{ anchors: [{ kind: file-system, path: copies }, { kind: gcp-storage, bucket: other, prefix: cp }] }',
  );
  expect(anchors.map(({ name }) => name)).toEqual([join(directory, 'copies'), 'gs://other/cp/']);
  await anchors[0]?.store.create('cp/1', Buffer.from('x'));
  expect(await readdir(join(directory, 'copies', 'cp'))).toEqual(['1']);
});

test.each([
  '{ kind: aws-kms, keyId: alias/lockkeeper, region: eu-central-1 }',
  '{ kind: gcp-kms, version: projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1 }',
])('a key of a cloud is not asked for anything before it signs: %s', async (key) => {
  const { signer } = await opened(`{ key: ${key}, origin: logs.example.org/lockkeeper }`);
  expect(signer).toMatchObject({ publicKey: expect.any(Function), sign: expect.any(Function) });
});
