/** Raw Ed25519 (RFC 8032): 32 bytes of public key, 64 of signature. */
export const publicKeyBytes = 32;
export const signatureBytes = 64;

/**
 * Holds one Ed25519 key and signs with it. Signing the same message again gives the same signature, so two integrators
 * that sign one tree write the same bytes. Errors: `denied`, `not-found` (no such key), `unreachable`, `throttled`,
 * `invalid` (the key is of another kind).
 */
export interface Signer {
  /** The raw public key, 32 bytes; the same for the life of the signer. */
  publicKey(): Promise<Uint8Array>;
  /** The raw signature, 64 bytes, of the message itself (not of a hash of it); it verifies under `publicKey`. */
  sign(message: Uint8Array): Promise<Uint8Array>;
}
