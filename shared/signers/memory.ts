import { sign } from 'node:crypto';
import { ed25519PrivateKey, rawEd25519 } from '../base/ed25519.ts';
import type { Signer } from './contract.ts';

/** A key that only this process has, from the 32 bytes of RFC 8032's private key; `invalid` for another length. */
export function memorySigner(seed: Uint8Array): Signer {
  const key = ed25519PrivateKey(seed);
  return {
    publicKey: async () => rawEd25519(key),
    sign: async (message) => Uint8Array.from(sign(null, message, key)),
  };
}
