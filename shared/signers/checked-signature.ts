import { verifyEd25519 } from '../base/ed25519.ts';
import { LockkeeperError } from '../base/error.ts';
import { signatureBytes } from './contract.ts';

/** What a service said that it signed. */
export interface ReceivedSignature {
  /** Raw, 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array | undefined;
}

/**
 * The signature, 64 bytes, once it is seen to verify; `rejected` otherwise. A damaged answer, or another key behind the
 * same name, would put a signature into the log for good that nobody can verify.
 */
export function checkedSignature(tried: string, { publicKey, message, signature }: ReceivedSignature): Uint8Array {
  const isGood = signature?.length === signatureBytes && verifyEd25519({ publicKey, message, signature });
  if (isGood) return Uint8Array.from(signature);
  throw new LockkeeperError('rejected', `${tried}: the signature that came back is not by this key over this message`, {
    hint: 'Nothing was written with it. Was the key replaced, or does something change answers on the way?',
  });
}
