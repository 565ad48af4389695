import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { gcpKmsSigner } from '../../shared/signers/gcp-kms.ts';
import { gcpEd25519Version, gcpVersionName, startGcpKms, type GcpKmsStandIn } from '../clouds/gcp-kms.ts';
import { signerSuite } from '../conformance/signer.ts';

const first = gcpEd25519Version(Buffer.alloc(32, 1));

async function startWithVersions(): Promise<GcpKmsStandIn> {
  const kms = await startGcpKms();
  kms.versions.set(gcpVersionName(1), first);
  kms.versions.set(gcpVersionName(2), gcpEd25519Version(Buffer.alloc(32, 2)));
  kms.versions.set(gcpVersionName(3), {
    algorithm: 'EC_SIGN_P256_SHA256',
    state: 'ENABLED',
    key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  });
  return kms;
}

signerSuite('gcp-kms', async () => {
  const kms = await startWithVersions();
  const signer = (number: number) => gcpKmsSigner({ endpoint: kms.endpoint, version: gcpVersionName(number) });
  return {
    one: signer(1),
    two: signer(1),
    other: signer(2),
    wrongKind: signer(3),
    observe: async () => createPublicKey(first.key),
    close: () => kms.close(),
  };
});

describe('a key version of Cloud KMS', () => {
  let kms: GcpKmsStandIn;
  beforeEach(async () => {
    kms = await startWithVersions();
  });
  afterEach(async () => await kms.close());

  const signer = (number = 1) => gcpKmsSigner({ endpoint: kms.endpoint, version: gcpVersionName(number) });
  const message = Buffer.from('x');

  test('is asked for once, and each signature takes one request', async () => {
    const one = signer();
    for (let i = 0; i < 2; i += 1) await one.sign(message);
    await one.publicKey();
    expect(kms.asked.map((path) => path.replace(gcpVersionName(1), 'V'))).toEqual([
      'GET /v1/V/publicKey',
      'POST /v1/V:asymmetricSign',
      'POST /v1/V:asymmetricSign',
    ]);
  });

  test('that is not there is not-found', async () => {
    await expect(signer(9).publicKey()).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining(gcpVersionName(9)),
    });
  });

  test('that is disabled or destroyed is refused, and says in what state it is', async () => {
    const one = signer();
    await one.publicKey();
    for (const state of ['DISABLED', 'DESTROYED'] as const) {
      kms.versions.set(gcpVersionName(1), { ...first, state });
      await expect(one.sign(message)).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining(state),
      });
    }
    kms.versions.set(gcpVersionName(1), first);
    expect(await one.sign(message)).toHaveLength(64);
  });

  test('that may not be used is denied, and the hint names the permission', async () => {
    const denied = { status: 403, word: 'PERMISSION_DENIED', message: 'Permission denied' };
    kms.fail(denied);
    await expect(signer().publicKey()).rejects.toMatchObject({
      code: 'denied',
      hint: expect.stringContaining('viewPublicKey'),
    });
    const one = signer();
    await one.publicKey();
    kms.fail(denied);
    await expect(one.sign(message)).rejects.toMatchObject({
      code: 'denied',
      hint: expect.stringContaining('useToSign'),
    });
  });

  test('asked too often is throttled', async () => {
    kms.fail({ status: 429, word: 'RESOURCE_EXHAUSTED', message: 'Quota exceeded' });
    await expect(signer().publicKey()).rejects.toMatchObject({ code: 'throttled' });
  });

  test('is tried again where an answer was lost or Google is unavailable', async () => {
    const one = signer();
    await one.publicKey();
    kms.fail('lost', { status: 503, word: 'UNAVAILABLE', message: 'try again' });
    expect(await one.sign(message)).toHaveLength(64);
  });

  test.each([
    ['garbled', 'invalid'],
    ['unchecked', 'unreachable'],
    ['flipped', 'unreachable'],
    ['other-version', 'unreachable'],
    ['foreign', 'rejected'],
  ] as const)('a signature of something else is not handed out: %s is %s', async (fault, code) => {
    const one = signer();
    await one.publicKey();
    kms.fail(fault);
    await expect(one.sign(message)).rejects.toMatchObject({ code });
  });

  test.each(['flipped', 'other-version'] as const)(
    'a public key that changed on the way is refused: %s',
    async (fault) => {
      kms.fail(fault);
      await expect(signer().publicKey()).rejects.toMatchObject({ code: 'unreachable' });
    },
  );
});
