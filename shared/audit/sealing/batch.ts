import { hasCode } from '../../base/error.ts';
import { decodeBundle, encodeBundle } from '../tlog/bundle.ts';
import { isSameProof, proofBytes, proofOf, writerKeyId, type LogWriter } from '../writer-key.ts';

/**
 * One object of the inbox:
 *
 *     00 00   "lkbatch1"   writer key id   HMAC-SHA-256   entry bundle
 *     2       8            4               32             the rest
 *
 * The tree takes the entries of the bundle byte for byte, and nothing of what is before. Earlier versions wrote the
 * bundle alone. The two cannot be taken for each other: an entry of no bytes, which 00 00 would be, never got a place.
 */
export interface Batch {
  readonly entries: readonly Uint8Array[];
  readonly bundle: Uint8Array;
  /** Undefined where an earlier version wrote it, or somebody who has no key. */
  readonly proof: { readonly keyId: string; readonly bytes: Uint8Array } | undefined;
}

/** What a batch's proof is worth: `unknown` where there is no key to check it with. */
export type Standing = 'proven' | 'unproven' | 'forged' | 'unknown';

const mark = Buffer.from('\0\0lkbatch1', 'latin1');
const idBytes = 4;
const headBytes = mark.length + idBytes + proofBytes;

/** The entries as an object that lies under `key`, with its writer's proof. */
export function encodeBatch(entries: readonly Uint8Array[], key: string, writer: LogWriter): Uint8Array {
  const bundle = encodeBundle(entries);
  const id = Buffer.from(writerKeyId(writer.key), 'hex');
  return Uint8Array.from(Buffer.concat([mark, id, proofFor(bundle, key, writer), bundle]));
}

/** What the object holds, of either form; `invalid` where it cannot be taken apart. Nothing is checked. */
export function decodeBatch(bytes: Uint8Array): Batch {
  const isMarked = bytes.length >= headBytes && Buffer.compare(bytes.subarray(0, mark.length), mark) === 0;
  if (!isMarked) return { entries: decodeBundle(bytes), bundle: bytes, proof: undefined };
  const bundle = bytes.subarray(headBytes);
  const keyId = Buffer.from(bytes.subarray(mark.length, mark.length + idBytes)).toString('hex');
  const proof = { keyId, bytes: bytes.subarray(mark.length + idBytes, headBytes) };
  return { entries: decodeBundle(bundle), bundle, proof };
}

/** The entries of a batch, or undefined where it cannot be taken apart. */
export function batchEntries(bytes: Uint8Array): readonly Uint8Array[] | undefined {
  try {
    return decodeBatch(bytes).entries;
  } catch (thrown) {
    if (hasCode(thrown, 'invalid')) return undefined;
    throw thrown;
  }
}

/** What the proof of a batch says about who put it under `key`. */
export function standingOf({ bundle, proof }: Batch, key: string, writer: LogWriter | undefined): Standing {
  if (!proof) return 'unproven';
  if (!writer) return 'unknown';
  return isSameProof(proof.bytes, proofFor(bundle, key, writer)) ? 'proven' : 'forged';
}

/** The larger ones were not written by lockkeeper: 202 entries of 65,535 bytes, each with its length, and the head. */
export const largestBatch = headBytes + 202 * (2 + 65_535);

function proofFor(bundle: Uint8Array, key: string, writer: LogWriter): Uint8Array {
  return proofOf(writer, 'lockkeeper.batch/1', [key, bundle]);
}
