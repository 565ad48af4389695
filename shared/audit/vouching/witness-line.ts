import { asLockkeeperError, LockkeeperError } from '../../base/error.ts';
import { parseNote, parseVerifierKey, verifyNote, type NoteSignature, type VerifierKey } from '../tlog/note.ts';

/** What is kept of a witness's answer: its key and its line, so that anybody can check every byte of it. */
export function encodeCosignature(key: string, line: string): Uint8Array {
  return Buffer.from(`${key}\n${line}`);
}

/** A cosignature with the key that it says it is by. */
export interface KeptCosignature {
  readonly key: VerifierKey;
  readonly signature: NoteSignature;
}

/** The cosignature that the bytes hold, checked over the checkpoint; `invalid` where it is none of this checkpoint. */
export function decodeCosignature(bytes: Uint8Array, checkpointNote: string): KeptCosignature {
  const [keyText = '', ...lines] = Buffer.from(bytes).toString().split('\n');
  const key = parseVerifierKey(keyText);
  const signature = cosignatureIn(checkpointNote, lines.join('\n'), key);
  if (signature.isAlone) return { key, signature };
  throw new LockkeeperError('invalid', 'it holds more than one line');
}

/** The line among `lines` that this key put to the checkpoint; `invalid` where there is none, or it does not fit. */
export function cosignatureIn(
  checkpointNote: string,
  lines: string,
  key: VerifierKey,
): NoteSignature & { readonly isAlone: boolean } {
  const answer = parseNote(`${parseNote(checkpointNote).text}\n${lines}`);
  const signature = answer.signatures.find(({ name, id }) => name === key.name && id === key.id);
  if (signature && verifyNote(answer, [key]).length > 0)
    return { ...signature, isAlone: answer.signatures.length === 1 };
  throw new LockkeeperError('invalid', `there is no cosignature of ${key.name} (${key.id})`, {
    hint: 'Compare the witness’s verifier key in the configuration.',
  });
}

/**
 * What is wrong with a kept cosignature; undefined where nothing is. `isInPlace` says whether the key's id is the one
 * in its name.
 */
export function cosignatureProblem(
  bytes: Uint8Array,
  checkpointNote: Uint8Array | undefined,
  isInPlace: (id: string) => boolean,
): string | undefined {
  if (!checkpointNote) return 'is a cosignature of a checkpoint that is not there';
  try {
    const { key } = decodeCosignature(bytes, Buffer.from(checkpointNote).toString());
    return isInPlace(key.id) ? undefined : `holds the cosignature of ${key.name}`;
  } catch (thrown) {
    return `was changed: ${asLockkeeperError(thrown).message}`;
  }
}
