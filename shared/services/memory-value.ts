import { createHash, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import type { ValueKind } from './contract.ts';
import type { Digest } from './memory-state.ts';

/** The rule of texts in memory: 32 characters that a URL takes as they are. */
export const memoryTextRule = {
  alphabet: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_',
  length: 32,
} as const;

/**
 * What the service keeps of a value: the hash of a text, or of the public half of a private key whose owner proved to
 * have it. Undefined: no value of this kind.
 */
export function digestOf(kind: ValueKind['kind'], value: string): Digest | undefined {
  if (kind !== 'key-pair') return sha256(value);
  const key = privateKey(value);
  if (!key) return undefined;
  const publicKey = createPublicKey(key);
  const challenge = Buffer.from('login to the service in memory');
  if (!verify(null, challenge, publicKey, sign(null, challenge, key))) return undefined;
  return sha256(publicKey.export({ type: 'spki', format: 'der' }));
}

/** Undefined where the text holds no Ed25519 private key as PKCS #8 PEM. Node's own error may quote the text. */
function privateKey(pem: string): KeyObject | undefined {
  if (!pem.startsWith('-----BEGIN PRIVATE KEY-----')) return undefined;
  try {
    const key = createPrivateKey({ key: pem, format: 'pem' });
    return key.asymmetricKeyType === 'ed25519' ? key : undefined;
  } catch (thrown) {
    if (typeof thrown === 'object' && thrown !== null && 'code' in thrown) return undefined;
    throw thrown;
  }
}

function sha256(bytes: string | Uint8Array): Digest {
  return createHash('sha256').update(bytes).digest('base64url');
}
