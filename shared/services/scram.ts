import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { LockkeeperError } from '../base/error.ts';
import type { Sealed } from '../base/sealed.ts';

/** How a verifier is computed. */
export interface ScramRule {
  /** At least 4096, as RFC 7677 asks. */
  readonly iterations: number;
  /** 16 random bytes. */
  readonly salt: Uint8Array;
}

const shape = /^SCRAM-SHA-256\$([1-9]\d{3,8}):([A-Za-z0-9+/]{22}==)\$([A-Za-z0-9+/]{43}=):([A-Za-z0-9+/]{43}=)$/;

/**
 * The SCRAM-SHA-256 verifier (RFC 5802, 7677) that PostgreSQL stores, computed here so that no value ever travels in a
 * statement: `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`. `invalid` for a value that is not printable
 * ASCII, because a server and its clients might not normalise it alike.
 */
export function scramVerifier(value: Sealed, rule: ScramRule): string {
  const text = value.open();
  if (!/^[\x21-\x7e]+$/.test(text)) {
    throw new LockkeeperError('invalid', 'the value has characters outside printable ASCII', {
      hint: 'Let lockkeeper make the value, or use ASCII.',
    });
  }
  const salted = pbkdf2Sync(text, rule.salt, rule.iterations, 32, 'sha256');
  const clientKey = hmac(salted, 'Client Key');
  const storedKey = createHash('sha256').update(clientKey).digest();
  const serverKey = hmac(salted, 'Server Key');
  return checkedVerifier(
    `SCRAM-SHA-256$${rule.iterations}:${base64(rule.salt)}$${base64(storedKey)}:${base64(serverKey)}`,
  );
}

/**
 * `verifier` again if it has exactly the shape the server recognises; else `bug`. PostgreSQL takes anything else
 * for a password in clear, without a word.
 */
export function checkedVerifier(verifier: string): string {
  const iterations = Number(shape.exec(verifier)?.[1] ?? 0);
  if (iterations >= 4096) return verifier;
  throw new LockkeeperError('bug', 'the computed SCRAM verifier is malformed; nothing was sent', {
    hint: 'Use 4096 iterations or more and a salt of 16 bytes.',
  });
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
