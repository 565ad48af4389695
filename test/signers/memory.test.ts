import { createPublicKey } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { crc32c } from '../../shared/base/crc32c.ts';
import { ed25519PrivateKey } from '../../shared/base/ed25519.ts';
import { memorySigner } from '../../shared/signers/memory.ts';
import { signerSuite } from '../conformance/signer.ts';

const seed = Buffer.alloc(32, 7);

signerSuite('memory', async () => ({
  one: memorySigner(seed),
  two: memorySigner(seed),
  other: memorySigner(Buffer.alloc(32, 8)),
  wrongKind: undefined,
  observe: async () => createPublicKey(ed25519PrivateKey(seed)),
  close: async () => {},
}));

test('a seed signs as the first test of RFC 8032 says', async () => {
  const signer = memorySigner(Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex'));
  expect(Buffer.from(await signer.publicKey()).toString('hex')).toBe(
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
  );
  expect(Buffer.from(await signer.sign(new Uint8Array())).toString('hex')).toBe(
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  );
});

test.each([0, 31, 33, 64])('a seed of %i bytes is invalid', (length) => {
  expect(() => memorySigner(new Uint8Array(length))).toThrow(expect.objectContaining({ code: 'invalid' }));
});

test('the sum that protects what Google signs is CRC-32C', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array())).toBe(0);
});
