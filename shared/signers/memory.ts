import { createPrivateKey, sign } from 'node:crypto';
import { rawEd25519 } from '../base/ed25519.ts';
import { LockkeeperError } from '../base/error.ts';
import type { Signer } from './contract.ts';

/** DER of a private Ed25519 key (PKCS#8) up to the seed, which is the last 32 bytes (RFC 8410, section 7). */
const derHead = Buffer.from('302e020100300506032b657004220420', 'hex');

/** A key that only this process has, from the 32 bytes of RFC 8032's private key; `invalid` for another length. */
export function memorySigner(seed: Uint8Array): Signer {
  if (seed.length !== 32) throw new LockkeeperError('invalid', `an Ed25519 seed of ${seed.length} bytes; it has 32`);
  const key = createPrivateKey({ key: Buffer.concat([derHead, seed]), format: 'der', type: 'pkcs8' });
  return {
    publicKey: async () => rawEd25519(key),
    sign: async (message) => Uint8Array.from(sign(null, message, key)),
  };
}
