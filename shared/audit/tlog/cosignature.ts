import { verifyEd25519 } from '../../base/ed25519.ts';
import { LockkeeperError } from '../../base/error.ts';

/** What a witness states with a cosignature: that at `time` this checkpoint was the latest it had seen of this log. */
export interface Cosignature {
  /** Seconds since 1970, as the witness's clock says. */
  readonly time: number;
  /** Ed25519, 64 bytes, over cosignedText. */
  readonly signature: Uint8Array;
}

const timeBytes = 8;
const cosignatureBytes = timeBytes + 64;

/**
 * The signature bytes of a note's line of type 0x04: the time as a big-endian uint64, then the signature; 72 in all.
 */
export function formatCosignature({ time, signature }: Cosignature): Uint8Array {
  const bytes = Buffer.alloc(cosignatureBytes);
  bytes.writeBigUInt64BE(BigInt(time));
  bytes.set(signature, timeBytes);
  return bytes;
}

/** The other way; `invalid` unless it is 72 bytes and a time that a number can hold. */
export function parseCosignature(bytes: Uint8Array): Cosignature {
  if (bytes.length !== cosignatureBytes) {
    throw new LockkeeperError('invalid', `a cosignature of ${bytes.length} bytes; it has ${cosignatureBytes}`);
  }
  const time = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0));
  if (!Number.isSafeInteger(time))
    throw new LockkeeperError('invalid', `a cosignature of the time ${time}, which is no time`);
  return { time, signature: bytes.subarray(timeBytes) };
}

/** The text that a witness signs. `checkpoint` is the note's text: the whole body with its last newline. */
export function cosignedText(time: number, checkpoint: string): string {
  return `cosignature/v1\ntime ${time}\n${checkpoint}`;
}

/** True where the witness with this key, 32 bytes, signed the checkpoint's body at the time it says. */
export function verifyCosignature(
  { time, signature }: Cosignature,
  checkpoint: string,
  publicKey: Uint8Array,
): boolean {
  return verifyEd25519({ publicKey, message: Buffer.from(cosignedText(time, checkpoint)), signature });
}
