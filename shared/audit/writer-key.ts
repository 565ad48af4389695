import { createHmac, hash, timingSafeEqual } from 'node:crypto';

/**
 * The key that proves who wrote a batch or a sequence record, and the log that it writes. One key a log; it lies beside
 * the signer, and nobody who can only write to the log store has it. It signs nothing that others check: whoever steals
 * it and may write to the log store can put in entries, as the host itself can, but no checkpoint.
 */
export interface LogWriter {
  /** 32 random bytes. */
  readonly key: Uint8Array;
  readonly origin: string;
}

/** How long a proof is. */
export const proofBytes = 32;

/**
 * HMAC-SHA-256 over what it is (`domain`, with its version), the log's origin, the object's key and its content, each
 * with its length before it: so no proof fits another object, another place, another log or another kind of object.
 */
export function proofOf({ key, origin }: LogWriter, domain: string, about: readonly (string | Uint8Array)[]): Buffer {
  const hmac = createHmac('sha256', key);
  for (const part of [domain, origin, ...about]) {
    const bytes = Buffer.from(part);
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(bytes.length));
    hmac.update(length).update(bytes);
  }
  return hmac.digest();
}

/** Whether two proofs are the same; takes as long for any two. */
export function isSameProof(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

/** Which key it is, eight hex digits that say nothing of the key: so that a host with another one can be told. */
export function writerKeyId(key: Uint8Array): string {
  return hash('sha256', Buffer.concat([Buffer.from('lockkeeper.writer-key-id/1\n'), key]), 'hex').slice(0, 8);
}
