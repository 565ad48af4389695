import { execFile } from 'node:child_process';
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect, promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ed25519PrivateKey } from '../../shared/base/ed25519.ts';
import { keyFileSigner } from '../../shared/signers/key-file.ts';
import { memorySigner } from '../../shared/signers/memory.ts';
import { signerSuite } from '../conformance/signer.ts';
import { PlantedSecret } from '../planted-secret.ts';
import { testWorld } from '../world.ts';

const run = promisify(execFile);

function open(path: string, seed = 'seed') {
  return keyFileSigner({ path, world: testWorld(undefined, seed) });
}

signerSuite('key-file', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-signer-'));
  const [path, foreign] = [join(directory, 'audit.key'), join(directory, 'p256.key')];
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(foreign, privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
  return {
    one: open(path, 'one'),
    two: open(path, 'two'),
    other: open(join(directory, 'other.key'), 'other'),
    wrongKind: open(foreign),
    observe: async () => createPublicKey(createPrivateKey(await readFile(path, 'utf8'))),
    close: () => rm(directory, { recursive: true }),
  };
});

describe('a key file', () => {
  let directory = '';
  let path = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'lockkeeper-signer-'));
    path = join(directory, 'audit.key');
  });
  afterEach(async () => await rm(directory, { recursive: true }));

  test('is made at first use, not before, with nothing left beside it, for its owner only', async () => {
    const deep = join(directory, 'a', 'b', 'audit.key');
    const signer = open(deep);
    expect(await readdir(directory)).toEqual([]);
    await signer.publicKey();
    expect(await readdir(join(directory, 'a', 'b'))).toEqual(['audit.key']);
    expect((await stat(deep)).mode & 0o777).toBe(0o600);
    expect(await readFile(deep, 'utf8')).toMatch(
      /^-----BEGIN PRIVATE KEY-----\n[A-Za-z0-9+/=]{64}\n-----END PRIVATE KEY-----\n$/,
    );
  });

  test('holds the randomness of the world, 32 bytes of it', async () => {
    const seed = testWorld().random(32);
    expect(await open(path).publicKey()).toEqual(await memorySigner(seed).publicKey());
  });

  test('is read by openssl, and one that openssl made is read', async () => {
    const made = await open(path).publicKey();
    const { stdout } = await run('openssl', ['pkey', '-in', path, '-pubout', '-outform', 'DER'], {
      encoding: 'buffer',
      timeout: 10_000,
    });
    expect(stdout.subarray(-32).equals(made)).toBe(true);
    const theirs = join(directory, 'theirs.key');
    await run('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', theirs], { timeout: 10_000 });
    await chmod(theirs, 0o600);
    const before = await readFile(theirs);
    expect(await open(theirs).sign(Buffer.from('x'))).toHaveLength(64);
    expect((await readFile(theirs)).equals(before)).toBe(true);
  });

  test('is one key for all processes that make it at once', async () => {
    const child = join(import.meta.dirname, 'key-file-child.ts');
    const keys = await Promise.all(
      Array.from(
        { length: 6 },
        async () => (await run(process.execPath, ['--no-warnings', child, path], { timeout: 20_000 })).stdout,
      ),
    );
    expect(keys[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(new Set(keys).size).toBe(1);
    expect(await readdir(directory)).toEqual(['audit.key']);
  });

  test('that a process left half made is not taken for a key', async () => {
    await writeFile(`${path}.0011223344556677.new`, '-----BEGIN PRIV', { mode: 0o600 });
    expect(await open(path).publicKey()).toHaveLength(32);
  });

  test.each([0o640, 0o604, 0o660, 0o602, 0o644])(
    'that others may open (mode %o) is denied, and the hint says what to run',
    async (mode) => {
      await open(path).publicKey();
      await chmod(path, mode);
      await expect(open(path).sign(Buffer.from('x'))).rejects.toMatchObject({
        code: 'denied',
        hint: expect.stringContaining(`chmod 600 ${path}`),
      });
      await chmod(path, 0o400);
      expect(await open(path).sign(Buffer.from('x'))).toHaveLength(64);
    },
  );

  test.each([
    ['nothing', ''],
    ['something else', 'a password\n'],
    [
      'a public key',
      String(createPublicKey(ed25519PrivateKey(Buffer.alloc(32, 1))).export({ format: 'pem', type: 'spki' })),
    ],
    [
      'a key under a pass phrase',
      String(
        ed25519PrivateKey(Buffer.alloc(32, 1)).export({
          format: 'pem',
          type: 'pkcs8',
          cipher: 'aes-256-cbc',
          passphrase: 'x',
        }),
      ),
    ],
    [
      'half a key',
      String(ed25519PrivateKey(Buffer.alloc(32, 1)).export({ format: 'pem', type: 'pkcs8' })).slice(0, 60),
    ],
    ['another curve', String(generateKeyPairSync('ed448').privateKey.export({ format: 'pem', type: 'pkcs8' }))],
  ])('that holds %s is invalid, stays as it is, and is quoted nowhere', async (_, text) => {
    await writeFile(path, text, { mode: 0o600 });
    const error = await open(path)
      .publicKey()
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'invalid', message: expect.stringContaining(path) });
    expect(await readFile(path, 'utf8')).toBe(text);
    new PlantedSecret(text.split('\n').find((line) => line !== '' && !line.startsWith('-----')) ?? 'nothing')
      .search('error', error)
      .expectNowhere();
  });

  test('that is a directory, or below a file, is invalid', async () => {
    await mkdir(path, { mode: 0o700 });
    await expect(open(path).publicKey()).rejects.toMatchObject({ code: 'invalid' });
    await writeFile(join(directory, 'file'), '');
    await expect(open(join(directory, 'file', 'audit.key')).publicKey()).rejects.toMatchObject({ code: 'invalid' });
  });

  test('that could not be read is tried again by the next call', async () => {
    await writeFile(path, 'broken', { mode: 0o600 });
    const signer = open(path);
    await expect(signer.publicKey()).rejects.toMatchObject({ code: 'invalid' });
    await rm(path);
    expect(await signer.publicKey()).toHaveLength(32);
  });

  test('does not show its key where the signer is printed', async () => {
    const signer = open(path);
    await signer.publicKey();
    const [, secret = ''] = (await readFile(path, 'utf8')).split('\n');
    expect(secret).toHaveLength(64);
    new PlantedSecret(secret)
      .search('signer', signer)
      .search('hidden', inspect(signer, { showHidden: true, depth: 10 }))
      .expectNowhere();
  });
});
