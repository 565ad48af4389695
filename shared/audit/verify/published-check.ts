import { asLockkeeperError } from '../../base/error.ts';
import type { ObjectStore } from '../../objects/contract.ts';
import type { SignedCheckpoint } from '../sealing/checkpoints.ts';
import { cosignatureKey, publishedKey } from '../layout.ts';
import { parseNote, type NoteSignature, type VerifierKey } from '../tlog/note.ts';
import { decodeCosignature } from '../vouching/witness-line.ts';
import type { Note } from './finding.ts';

export interface PublishedCheckOptions {
  readonly log: ObjectStore;
  readonly signer: VerifierKey;
  readonly note: Note;
}

/**
 * Every cosignature that readers are shown was kept in the log store before: a line that is not there was changed, or
 * put in by somebody else.
 */
export async function checkPublished(
  published: SignedCheckpoint,
  { log, signer, note }: PublishedCheckOptions,
): Promise<void> {
  for (const signature of parseNote(published.note).signatures) {
    if (signature.name === signer.name && signature.id === signer.id) continue;
    const kept = await log.get(cosignatureKey(published.size, signature.id));
    const what = kept ? difference(kept.bytes, published.note, signature) : 'has a line';
    if (what !== undefined)
      note({
        key: publishedKey,
        kind: 'changed',
        what: `${what} of ${signature.name} (${signature.id}) that is not in the log store`,
      });
  }
}

/** What is kept and damaged is told where the log store is looked at. */
function difference(kept: Uint8Array, checkpoint: string, { name, bytes }: NoteSignature): string | undefined {
  try {
    const { signature } = decodeCosignature(kept, checkpoint);
    return signature.name === name && Buffer.compare(signature.bytes, bytes) === 0 ? undefined : 'has another line';
  } catch (thrown) {
    if (asLockkeeperError(thrown).code !== 'invalid') throw thrown;
    return undefined;
  }
}
