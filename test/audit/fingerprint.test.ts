import { spawnSync } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { auditFingerprintVerb } from '../../functions/cli/audit-fingerprint.ts';
import { fingerprintDeps } from '../../functions/cli/audit-fingerprint-wire.ts';
import { fingerprintKeyFile, openFingerprintKey } from '../../functions/local/fingerprint-key.ts';
import { localDeps } from '../../functions/local/deps-wire.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { loadConfig } from '../../shared/config/load.ts';
import { testWorld } from '../world.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockkeeper-fingerprint-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

const planted = 'pl4nted-value-of-app-a';
const key = new Uint8Array(32).fill(9);
const expected = `${createHash('sha256').update(key).digest('hex').slice(0, 8)}:${createHmac('sha256', key).update(planted).digest('hex').slice(0, 16)}`;

async function said(input: string, json = false) {
  const lines: string[] = [];
  const terminal = {
    out: (line: string) => void lines.push(line),
    err: () => undefined,
    json,
    signal: new AbortController().signal,
  };
  const code = await auditFingerprintVerb({ key: async () => key, input: async () => input }, terminal);
  return { code, lines };
}

const text = `
version: 1
stores: { state: { kind: file-system, path: state }, log: { kind: file-system, path: log } }
secrets: { vault: { kind: local-file, path: secrets, keyFile: keys/vault } }
networks: { office: { cloud: aws } }
services:
  - name: orders-db
    owner: olga
    network: office
    port: 22002
    credential:
      engine: postgres
      strategy: alternating
      users: [a, b]
      ownerRole: owner
      endpoints: ["127.0.0.1:22002"]
      tls: off
      admin: { user: lockkeeper, password: { env: ADMIN } }
      secrets: [{ store: vault, name: orders }]
      propagation: 5m
`;

async function config() {
  const file = join(directory, 'lockkeeper.yaml');
  await writeFile(file, text);
  return { file, loaded: await loadConfig(file) };
}

describe('audit fingerprint', () => {
  test('prints what HMAC-SHA-256 under the key gives, without the line end of the input', async () => {
    for (const input of [planted, `${planted}\n`, `${planted}\r\n`])
      expect(await said(input)).toEqual({ code: 0, lines: [expected] });
    expect((await said(`${planted} \n`)).lines).not.toEqual([expected]);
    expect(await said(planted, true)).toEqual({ code: 0, lines: [JSON.stringify({ fingerprint: expected })] });
  });

  test('refuses an empty value', async () => {
    await expect(said('\n')).rejects.toMatchObject({ code: 'invalid', hint: expect.stringContaining('Pipe') });
  });

  test('makes no key: where there is none it says so', async () => {
    const { file } = await config();
    await expect(fingerprintDeps(undefined, async () => file).key()).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('fingerprint.key'),
    });
    await expect(fingerprintDeps(join(directory, 'other.key'), async () => file).key()).rejects.toMatchObject({
      code: 'not-found',
    });
    expect(await readdir(directory)).toEqual(['lockkeeper.yaml']);
  });

  test('with --key needs no configuration', async () => {
    const path = join(directory, 'given.key');
    await writeFile(path, Buffer.from(key).toString('hex'), { mode: 0o600 });
    const none = async () => await Promise.reject(new LockkeeperError('not-found', 'no configuration'));
    expect(await fingerprintDeps(path, none).key()).toEqual(Buffer.from(key));
    await chmod(path, 0o644);
    await expect(fingerprintDeps(path, none).key()).rejects.toMatchObject({ code: 'denied' });
  });

  test('takes the value from a pipe, and shows it nowhere', async () => {
    const path = join(directory, 'given.key');
    await writeFile(path, Buffer.from(key).toString('hex'), { mode: 0o600 });
    const command = fileURLToPath(new URL('../../functions/cli/lockkeeper.js', import.meta.url));
    const { status, stdout, stderr } = spawnSync(process.execPath, [command, 'audit', 'fingerprint', '--key', path], {
      input: `${planted}\n`,
      encoding: 'utf8',
      timeout: 30_000,
    });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: `${expected}\n`, stderr: '' });
  });
});

describe('the key of the fingerprints', () => {
  test('is made at the first rotation, for its owner only, and is the same in every later run', async () => {
    const { loaded } = await config();
    const keys: (Uint8Array | undefined)[] = [];
    for (const run of ['first', 'second']) {
      const deps = localDeps({ loaded, world: testWorld(undefined, run), environment: { ADMIN: 'x' }, run });
      const rotation = (await deps.rotations({ notify: async () => undefined, actor: 'test' })).get('orders-db');
      keys.push(rotation?.fingerprintKey);
      await rotation?.stores['vault']?.read('orders');
      await deps.close();
    }
    expect(keys[0]).toHaveLength(32);
    expect(keys[1]).toEqual(keys[0]);
    const file = join(directory, 'fingerprint.key');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(join(directory, 'keys', 'vault'), 'utf8')).not.toBe(await readFile(file, 'utf8'));
  });

  test('is one key for all who make it at once', async () => {
    const path = join(directory, 'deep', 'fingerprint.key');
    const made = await Promise.all(
      Array.from({ length: 8 }, async (_, process) =>
        openFingerprintKey(path, testWorld(undefined, `process ${process}`)),
      ),
    );
    expect(new Set(made.map((one) => Buffer.from(one).toString('hex'))).size).toBe(1);
    expect(await readdir(join(directory, 'deep'))).toEqual(['fingerprint.key']);
  });

  test('that is damaged, or that others may read, is refused and never replaced', async () => {
    const path = join(directory, 'fingerprint.key');
    await writeFile(path, 'half', { mode: 0o600 });
    await expect(openFingerprintKey(path, testWorld())).rejects.toMatchObject({ code: 'invalid' });
    await chmod(path, 0o640);
    await expect(openFingerprintKey(path, testWorld())).rejects.toMatchObject({ code: 'denied' });
    expect(await readFile(path, 'utf8')).toBe('half');
  });

  test('lies beside what is on this machine: the key that signs, the state, the secrets; else there is none', async () => {
    const { loaded } = await config();
    const cloud = { kind: 'aws-s3', bucket: 'state-bucket', prefix: '' } as const;
    const remote = { ...loaded.config, stores: { ...loaded.config.stores, state: cloud } };
    const signed = { ...remote, audit: { ...remote.audit, key: { kind: 'file', path: '/keys/audit.key' } as const } };
    expect(fingerprintKeyFile(loaded.config)).toBe(join(directory, 'fingerprint.key'));
    expect(fingerprintKeyFile(signed)).toBe('/keys/fingerprint.key');
    expect(fingerprintKeyFile(remote)).toBe(join(directory, 'keys', 'fingerprint.key'));
    expect(fingerprintKeyFile({ ...remote, secrets: {} })).toBeUndefined();
  });
});
