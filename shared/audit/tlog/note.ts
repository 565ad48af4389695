import { hash } from 'node:crypto';
import { verifyEd25519 } from '../../base/ed25519.ts';
import { LockkeeperError } from '../../base/error.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { parseCosignature, verifyCosignature } from './cosignature.ts';
import { isKeyName } from './key-name.ts';

/** How a key signs: 0x01 the text itself with Ed25519; 0x04 a witness's cosignature, which states a time as well. */
export type KeyType = 0x01 | 0x04;

/** A key that signatures are checked with. Name and id together say which. */
export interface VerifierKey {
  readonly name: string;
  /** Eight hex digits. */
  readonly id: string;
  readonly type: KeyType;
  /** Raw Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** One signature line of a note. */
export interface NoteSignature {
  /** The key's name. */
  readonly name: string;
  /** The key's id, eight hex digits. */
  readonly id: string;
  /** What follows the id: 64 bytes for type 0x01, 72 for type 0x04. */
  readonly bytes: Uint8Array;
}

/** C2SP signed-note: a text and who signed it. Nothing is known of the text before verifyNote. */
export interface Note {
  /** With its last newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

const publicKeyBytes = 32;
const idBytes = 4;
const longestNote = 1_000_000;
/** A note has no more signatures. */
export const mostSignatures = 100;

/** A key's id: the first four bytes, as hex, of SHA-256(name ‖ newline ‖ type ‖ public key). */
export function keyId(name: string, type: KeyType, publicKey: Uint8Array): string {
  const input = Buffer.concat([Buffer.from(`${name}\n`), Uint8Array.of(type), publicKey]);
  return hash('sha256', input, 'hex').slice(0, 2 * idBytes);
}

/** A public key as the one line that auditors configure: `name+id+base64`. `invalid` for a name no key may have. */
export function verifierKey(name: string, publicKey: Uint8Array, type: KeyType = 0x01): string {
  checkKeyName(name);
  return `${name}+${keyId(name, type, publicKey)}+${encodeBase64(Buffer.concat([Uint8Array.of(type), publicKey]))}`;
}

/**
 * The key in such a line. `invalid` where it is broken or its id is not the key's; `unsupported` for other kinds than
 * Ed25519.
 */
export function parseVerifierKey(text: string): VerifierKey {
  const [, name, id, encoded] = /^([^+]*)\+([0-9a-f]{8})\+(.*)$/.exec(text) ?? [];
  const bytes = encoded === undefined ? undefined : decodeBase64(encoded);
  if (name === undefined || id === undefined || bytes === undefined)
    throw badKey(text, 'it does not have the form name+id+base64');
  checkKeyName(name);
  const type = bytes[0];
  if (type === undefined) throw badKey(text, 'it has no key');
  if (type !== 0x01 && type !== 0x04) {
    throw new LockkeeperError('unsupported', `verifier key of ${name}: its type is ${type}`, {
      hint: 'Use an Ed25519 key: type 1, or 4 for a witness.',
    });
  }
  const publicKey = bytes.subarray(1);
  if (publicKey.length !== publicKeyBytes)
    throw badKey(text, `its key has ${publicKey.length} bytes, not ${publicKeyBytes}`);
  if (keyId(name, type, publicKey) !== id) throw badKey(text, `its id is ${keyId(name, type, publicKey)}`);
  return { name, id, type, publicKey };
}

/** Throws `invalid` for a name that no key of a note may have. */
function checkKeyName(name: string): void {
  if (isKeyName(name)) return;
  throw new LockkeeperError('invalid', `${JSON.stringify(name)} cannot be the name of a key`, {
    hint: 'Use a host name and path without spaces and plus signs, like example.com/log.',
  });
}

function badKey(text: string, why: string): LockkeeperError {
  return new LockkeeperError('invalid', `verifier key ${JSON.stringify(text)}: ${why}`, {
    hint: 'Copy the whole line again from whoever runs the log or the witness.',
  });
}

/** Text, blank line, signature lines. `invalid` where parseNote would not give the same back. */
export function formatNote(text: string, signatures: readonly NoteSignature[]): string {
  const lines = signatures.map(
    ({ name, id, bytes }) => `— ${name} ${encodeBase64(Buffer.concat([Buffer.from(id, 'hex'), bytes]))}\n`,
  );
  const note = `${text}\n${lines.join('')}`;
  const read = parseNote(note);
  if (read.text === text && read.signatures.every(({ id }, at) => id === signatures[at]?.id)) return note;
  throw new LockkeeperError(
    'invalid',
    'a note whose text does not end with a newline, or a key id that is not eight hex digits',
  );
}

/**
 * Takes a note apart, at the last blank line; the text may have blank lines of its own. `invalid` for anything that is
 * no signed note: a broken signature line, none or more than 100, control characters, no UTF-8, more than a million
 * bytes.
 */
export function parseNote(note: string | Uint8Array): Note {
  const all = typeof note === 'string' ? note : decodeUtf8(note);
  if (Buffer.byteLength(all) > longestNote) throw badNote(`it is longer than ${longestNote} bytes`);
  // oxlint-disable-next-line no-control-regex -- the control characters are what is looked for
  if (/[\0-\x09\x0b-\x1f]/.test(all) || !all.isWellFormed())
    throw badNote('it has control characters, or is no Unicode');
  const blank = all.lastIndexOf('\n\n');
  if (blank < 0) throw badNote('no blank line is before its signatures');
  const lines = all.slice(blank + 2).split('\n');
  if (lines.pop() !== '' || lines.length === 0) throw badNote('it does not end with a signature line');
  if (lines.length > mostSignatures) throw badNote(`it has ${lines.length} signatures, more than ${mostSignatures}`);
  return { text: all.slice(0, blank + 1), signatures: lines.map(parseSignature) };
}

function parseSignature(line: string): NoteSignature {
  const [, name, encoded] = /^— ([^ ]+) ([^ ]+)$/.exec(line) ?? [];
  const bytes = encoded === undefined ? undefined : decodeBase64(encoded);
  if (name === undefined || bytes === undefined || bytes.length <= idBytes)
    throw badNote(`${JSON.stringify(line)} is no signature line`);
  checkKeyName(name);
  return { name, id: Buffer.from(bytes.subarray(0, idBytes)).toString('hex'), bytes: bytes.subarray(idBytes) };
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw badNote('it is not UTF-8', cause);
  }
}

function badNote(why: string, cause?: unknown): LockkeeperError {
  return new LockkeeperError('invalid', `no signed note: ${why}`, {
    cause,
    hint: 'It was cut off or changed: take it from a copy of the log.',
  });
}

/**
 * Those of `keys` that signed the note, each once, in the order of its lines. Lines of other keys are ignored, so an
 * empty answer means that nobody known signed. A line in the name of a known key that this key did not sign makes all
 * `invalid`.
 */
export function verifyNote({ text, signatures }: Note, keys: readonly VerifierKey[]): readonly VerifierKey[] {
  const signed = new Set<VerifierKey>();
  for (const signature of signatures) {
    const key = keys.find(({ name, id }) => name === signature.name && id === signature.id);
    if (!key) continue;
    if (!verifies(text, signature, key)) {
      throw new LockkeeperError('invalid', `the signature of ${key.name} (key ${key.id}) does not fit the note`, {
        hint: 'The note was changed after it was signed, or somebody without the key signed in its name.',
      });
    }
    signed.add(key);
  }
  return [...signed];
}

function verifies(text: string, { bytes }: NoteSignature, { type, publicKey }: VerifierKey): boolean {
  switch (type) {
    case 0x01:
      return verifyEd25519({ publicKey, message: Buffer.from(text), signature: bytes });
    case 0x04:
      return verifyCosignature(parseCosignature(bytes), text, publicKey);
  }
}
