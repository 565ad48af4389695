import { createPrivateKey, createPublicKey, verify, type KeyObject } from 'node:crypto';
import { LockkeeperError } from './error.ts';

/** DER of a public Ed25519 key up to the key itself, which is the last 32 bytes (RFC 8410, section 4). */
const publicHead = Buffer.from('302a300506032b6570032100', 'hex');

/** The same of a private one, PKCS#8: section 7. */
const privateHead = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The private key of RFC 8032, 32 random bytes, as node:crypto wants it; `invalid` where it has another length. */
export function ed25519PrivateKey(seed: Uint8Array): KeyObject {
  if (seed.length !== 32) throw new LockkeeperError('invalid', `an Ed25519 seed of ${seed.length} bytes; it has 32`);
  return createPrivateKey({ key: Buffer.concat([privateHead, seed]), format: 'der', type: 'pkcs8' });
}

/** A raw public key, 32 bytes, as node:crypto wants it; `invalid` where it has another length. */
export function ed25519PublicKey(raw: Uint8Array): KeyObject {
  if (raw.length !== 32)
    throw new LockkeeperError('invalid', `an Ed25519 public key of ${raw.length} bytes; it has 32`);
  return createPublicKey({ key: Buffer.concat([publicHead, raw]), format: 'der', type: 'spki' });
}

/** The raw public key, 32 bytes, of a public or private key; `invalid` where it is of another kind than Ed25519. */
export function rawEd25519(key: KeyObject): Uint8Array {
  const kind = key.asymmetricKeyType ?? 'a secret key';
  if (kind !== 'ed25519') throw new LockkeeperError('invalid', `a key of the kind ${kind}; an Ed25519 key is wanted`);
  const open = key.type === 'private' ? createPublicKey(key) : key;
  return Uint8Array.from(open.export({ format: 'der', type: 'spki' }).subarray(publicHead.length));
}

export interface SignedMessage {
  /** Raw, 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  /** Raw, 64 bytes; any other length is just wrong. */
  readonly signature: Uint8Array;
}

/** True where the signature is the key's, over the message itself (pure Ed25519, RFC 8032). */
export function verifyEd25519({ publicKey, message, signature }: SignedMessage): boolean {
  return verify(null, message, keyOf(publicKey), signature);
}

/**
 * To make a key of its bytes takes as long as to verify with it, and whoever verifies many signatures has one or two
 * keys.
 */
function keyOf(publicKey: Uint8Array): KeyObject {
  const name = Buffer.from(publicKey).toString('hex');
  const key = recent.get(name) ?? ed25519PublicKey(publicKey);
  if (recent.size > mostRecent) recent.clear();
  recent.set(name, key);
  return key;
}

const recent = new Map<string, KeyObject>();
const mostRecent = 16;
