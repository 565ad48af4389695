import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { awsKmsSigner } from '../../shared/signers/aws-kms.ts';
import { awsEd25519Key, awsKeyArn, startAwsKms, type AwsKmsStandIn } from '../clouds/aws-kms.ts';
import { signerSuite } from '../conformance/signer.ts';
import { PlantedSecret } from '../planted-secret.ts';

const first = awsEd25519Key(Buffer.alloc(32, 1));
const region = 'eu-west-1';

async function startWithKeys(secret?: string): Promise<AwsKmsStandIn> {
  const kms = await startAwsKms(secret);
  kms.keys.set(awsKeyArn(1), first);
  kms.keys.set(awsKeyArn(2), awsEd25519Key(Buffer.alloc(32, 2)));
  kms.keys.set(awsKeyArn(3), {
    spec: 'ECC_NIST_P256',
    state: 'Enabled',
    key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  });
  kms.keys.set(awsKeyArn(4), { ...first, spec: 'SYMMETRIC_DEFAULT' });
  kms.aliases.set(awsKeyArn(0).replace(/key\/.*/, 'alias/log'), awsKeyArn(1));
  return kms;
}

signerSuite('aws-kms', async () => {
  const kms = await startWithKeys();
  const signer = (keyId: string) => awsKmsSigner({ ...kms.place, region, keyId });
  return {
    one: signer(awsKeyArn(1)),
    two: signer('alias/log'),
    other: signer(awsKeyArn(2)),
    wrongKind: signer(awsKeyArn(3)),
    observe: async () => createPublicKey(first.key),
    close: () => kms.close(),
  };
});

describe('a key of AWS KMS', () => {
  let kms: AwsKmsStandIn;
  const planted = new PlantedSecret();
  beforeEach(async () => {
    kms = await startWithKeys(planted.bare());
  });
  afterEach(async () => await kms.close());

  const signer = (keyId = awsKeyArn(1)) => awsKmsSigner({ ...kms.place, region, keyId });
  const message = Buffer.from('x');

  test('is asked for once, and each signature takes one request', async () => {
    const one = signer();
    for (let i = 0; i < 3; i += 1) await one.sign(message);
    await one.publicKey();
    expect(kms.asked).toEqual(['GetPublicKey', 'Sign', 'Sign', 'Sign']);
  });

  test('is looked for in the region of its ARN where none is named', async () => {
    expect(await awsKmsSigner({ ...kms.place, keyId: awsKeyArn(1) }).sign(message)).toHaveLength(64);
    await expect(
      awsKmsSigner({ ...kms.place, region: 'us-east-1', keyId: awsKeyArn(1) }).sign(message),
    ).rejects.toMatchObject({ code: 'denied' });
  });

  test('stays the same key while its alias is pointed at another one', async () => {
    const one = signer('alias/log');
    const was = await one.sign(message);
    kms.aliases.set(awsKeyArn(0).replace(/key\/.*/, 'alias/log'), awsKeyArn(2));
    expect(Buffer.from(await one.sign(message)).equals(was)).toBe(true);
  });

  test('does not sign more than 4,096 bytes, and nothing is sent then', async () => {
    await expect(signer().sign(Buffer.alloc(4097))).rejects.toMatchObject({ code: 'invalid' });
    expect(kms.asked).toEqual([]);
  });

  test('that is no key for signing, or is not there, says so', async () => {
    await expect(signer(awsKeyArn(4)).publicKey()).rejects.toMatchObject({
      code: 'invalid',
      hint: expect.stringContaining('create-key'),
    });
    await expect(signer(awsKeyArn(9)).publicKey()).rejects.toMatchObject({ code: 'not-found' });
    await expect(signer('alias/none').sign(message)).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('alias/none'),
    });
  });

  test('that is disabled or about to be deleted is rejected, and works once it is enabled again', async () => {
    const one = signer();
    await one.publicKey();
    for (const state of ['Disabled', 'PendingDeletion'] as const) {
      kms.keys.set(awsKeyArn(1), { ...first, state });
      await expect(one.sign(message)).rejects.toMatchObject({ code: 'rejected' });
      await expect(signer().publicKey()).rejects.toMatchObject({ code: 'rejected' });
    }
    kms.keys.set(awsKeyArn(1), first);
    expect(await one.sign(message)).toHaveLength(64);
  });

  test('is tried again where an answer was lost or KMS asks to go slower, three times in all', async () => {
    const slower = { status: 400, type: 'ThrottlingException', message: 'Rate exceeded' };
    const one = signer();
    await one.publicKey();
    kms.fail('lost', slower);
    expect(await one.sign(message)).toHaveLength(64);
    kms.fail(slower, slower, slower);
    await expect(one.sign(message)).rejects.toMatchObject({ code: 'throttled' });
    expect(kms.asked).toHaveLength(1 + 3 + 3);
  });

  test('that may not be used is denied, and the hint names the permission', async () => {
    const denied = { status: 400, type: 'AccessDeniedException', message: 'User is not authorized to perform' };
    kms.fail(denied);
    await expect(signer().publicKey()).rejects.toMatchObject({
      code: 'denied',
      hint: expect.stringContaining('kms:GetPublicKey'),
    });
    const one = signer();
    await one.publicKey();
    kms.fail(denied);
    await expect(one.sign(message)).rejects.toMatchObject({
      code: 'denied',
      hint: expect.stringContaining('kms:Sign'),
    });
  });

  test('whose signature does not verify is rejected, and the signature is not handed out', async () => {
    const one = signer();
    await one.publicKey();
    for (const fault of ['foreign', 'short'] as const) {
      kms.fail(fault);
      await expect(one.sign(message)).rejects.toMatchObject({ code: 'rejected' });
    }
  });

  test('no error holds the secret of the login', async () => {
    const types = [
      'AccessDeniedException',
      'InvalidSignatureException',
      'NotFoundException',
      'DisabledException',
      'UnsupportedOperationException',
      'Unheard',
    ];
    for (const type of types) {
      kms.fail({ status: 400, type, message: 'no' });
      const error = await signer()
        .publicKey()
        .catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ name: 'LockkeeperError' });
      planted.search(type, error);
    }
    planted.expectNowhere();
  });
});
