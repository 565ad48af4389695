import { verify, type KeyObject } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { publicKeyBytes, signatureBytes, type Signer } from '../../shared/signers/contract.ts';

/** A fresh key and two handles on it, as two processes would hold them. */
export interface SignerHarness {
  readonly one: Signer;
  readonly two: Signer;
  /** A handle on another key of the right kind. */
  readonly other: Signer;
  /** A handle on a key of another kind; undefined where there can be none. */
  readonly wrongKind: Signer | undefined;
  /** The public key, seen without the driver. */
  observe(): Promise<KeyObject>;
  close(): Promise<void>;
}

/** The signer contract, line by line; every driver passes it. */
export function signerSuite(name: string, fresh: () => Promise<SignerHarness>): void {
  describe(`${name} keeps the signer contract:`, () => {
    let harness: SignerHarness;
    beforeEach(async () => {
      harness = await fresh();
    });
    afterEach(async () => {
      await harness.close();
    });

    test('the public key is 32 bytes, the one that everybody else sees', async () => {
      const key = await harness.one.publicKey();
      expect(key).toHaveLength(publicKeyBytes);
      const { x } = (await harness.observe()).export({ format: 'jwk' });
      expect(Buffer.from(key).toString('base64url')).toBe(x);
    });

    test('the public key is the same through both handles, before and after signing', async () => {
      const before = hex(await harness.one.publicKey());
      await harness.one.sign(Buffer.from('x'));
      expect([hex(await harness.one.publicKey()), hex(await harness.two.publicKey())]).toEqual([before, before]);
      expect(hex(await harness.other.publicKey())).not.toBe(before);
    });

    test.each([0, 1, 63, 64, 65, 150, 4095, 4096])(
      'a message of %i bytes is signed as it is: the signature verifies under the key',
      async (length) => {
        const message = Buffer.alloc(length, 'lockkeeper');
        const signature = await harness.one.sign(message);
        expect(signature).toHaveLength(signatureBytes);
        expect(verify(null, message, await harness.observe(), signature)).toBe(true);
      },
    );

    test('signing again gives the same bytes, whoever does it', async () => {
      const message = Buffer.from('example.com/log\n1\nroot\n');
      const first = hex(await harness.one.sign(message));
      const again = await Promise.all(
        [harness.two, harness.one, harness.two].map(async (signer) => hex(await signer.sign(message))),
      );
      expect(again).toEqual([first, first, first]);
    });

    test('a signature is of its message and by its key only', async () => {
      const signature = await harness.one.sign(Buffer.from('one'));
      const key = await harness.observe();
      expect(verify(null, Buffer.from('two'), key, signature)).toBe(false);
      expect(verify(null, Buffer.from('one'), key, await harness.other.sign(Buffer.from('one')))).toBe(false);
    });

    test('many at once each get their own', async () => {
      const messages = Array.from({ length: 12 }, (_, i) => Buffer.from(`message ${i}`));
      const signatures = await Promise.all(
        messages.map(async (message, i) => (i % 2 === 0 ? harness.one : harness.two).sign(message)),
      );
      const key = await harness.observe();
      expect(messages.map((message, i) => verify(null, message, key, signatures[i] ?? new Uint8Array()))).not.toContain(
        false,
      );
    });

    test('what is done to an answer does not change the next one', async () => {
      const message = Buffer.from('x');
      const [key, signature] = [await harness.one.publicKey(), await harness.one.sign(message)];
      const [wasKey, wasSignature] = [hex(key), hex(signature)];
      key.fill(0);
      signature.fill(0);
      expect([hex(await harness.one.publicKey()), hex(await harness.one.sign(message))]).toEqual([
        wasKey,
        wasSignature,
      ]);
    });

    test('a key of another kind is invalid, for the public key as for signing', async () => {
      const { wrongKind } = harness;
      const calls = wrongKind ? [wrongKind.publicKey(), wrongKind.sign(Buffer.from('x'))] : [];
      const answers = await Promise.allSettled(calls);
      const refused: unknown = expect.objectContaining({
        status: 'rejected',
        reason: expect.objectContaining({ code: 'invalid' }),
      });
      expect(answers).toEqual(answers.map(() => refused));
    });
  });
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
