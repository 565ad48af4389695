import { hasCode, LockkeeperError } from '../../base/error.ts';

/** An entry is at most so many bytes: a bundle tells its length in 16 bits. */
export const longestEntry = 65_535;

const lengthBytes = 2;

/**
 * An entry bundle: each entry after its length as a big-endian uint16. `invalid` where an entry is longer than
 * longestEntry.
 */
export function encodeBundle(entries: readonly Uint8Array[]): Uint8Array {
  const bundle = Buffer.alloc(entries.reduce((sum, entry) => sum + lengthBytes + entry.length, 0));
  let at = 0;
  for (const entry of entries) {
    if (entry.length > longestEntry) {
      throw new LockkeeperError(
        'invalid',
        `an entry of ${entry.length} bytes does not fit into a bundle: ${longestEntry} at most`,
      );
    }
    bundle.writeUInt16BE(entry.length, at);
    bundle.set(entry, at + lengthBytes);
    at += lengthBytes + entry.length;
  }
  return bundle;
}

/**
 * The entries of a bundle, as views of its bytes. `invalid` where it ends within an entry or a length: says at which
 * byte.
 */
export function decodeBundle(bundle: Uint8Array): readonly Uint8Array[] {
  const bytes = new DataView(bundle.buffer, bundle.byteOffset, bundle.byteLength);
  const entries: Uint8Array[] = [];
  for (let at = 0; at < bundle.length;) {
    const begin = at + lengthBytes;
    if (begin > bundle.length)
      throw broken(`a length begins at byte ${at} and the bundle ends at byte ${bundle.length}`);
    const end = begin + bytes.getUint16(at);
    if (end > bundle.length)
      throw broken(`the entry at byte ${at} would end at byte ${end} and the bundle ends at byte ${bundle.length}`);
    entries.push(bundle.subarray(begin, end));
    at = end;
  }
  return entries;
}

/** The entries of a bundle, or undefined where it cannot be taken apart. */
export function entriesIn(bundle: Uint8Array): readonly Uint8Array[] | undefined {
  try {
    return decodeBundle(bundle);
  } catch (thrown) {
    if (hasCode(thrown, 'invalid')) return undefined;
    throw thrown;
  }
}

function broken(why: string): LockkeeperError {
  return new LockkeeperError('invalid', `broken entry bundle: ${why}`, {
    hint: 'It was cut off or changed: take it from a copy of the log.',
  });
}
