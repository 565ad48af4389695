import { asLockkeeperError, LockkeeperError } from '../../base/error.ts';
import type { ObjectStore } from '../../objects/contract.ts';
import type { SignedCheckpoint } from '../sealing/checkpoints.ts';
import { cosignatureKey } from '../layout.ts';
import { parseNote, parseVerifierKey, verifyNote, type VerifierKey } from '../tlog/note.ts';
import { decodeCosignature } from '../vouching/witness-line.ts';
import type { Note } from './finding.ts';

/** Which witnesses count for a reader, and how many of them must have cosigned. */
export interface WitnessPolicy {
  /** Verifier keys as text; one that is named twice counts once. */
  readonly keys: readonly string[];
  readonly needed: number;
}

/** Which of those witnesses put their cosignature to the published checkpoint. */
export interface WitnessReport {
  /** How many entries it covers. */
  readonly size: number;
  /** Names. */
  readonly cosigned: readonly string[];
  readonly missing: readonly string[];
  readonly needed: number;
  readonly isEnough: boolean;
}

export interface WitnessCheckOptions {
  /** The published checkpoint; where none is known, the newest that was signed. */
  readonly checkpoint: SignedCheckpoint | undefined;
  /** What the checkpoint is called in findings. */
  readonly key: string;
  /** Where kept cosignatures are; undefined where the checkpoint brings all there are. */
  readonly log: ObjectStore | undefined;
  readonly note: Note;
}

/**
 * Counts the cosignatures of the witnesses that the reader trusts; undefined where none are given. One in a witness's
 * name that does not fit is a finding; one that is missing is none, for witnesses may be away. `invalid` for a key that
 * is none.
 */
export async function checkWitnesses(
  policy: WitnessPolicy | undefined,
  options: WitnessCheckOptions,
): Promise<WitnessReport | undefined> {
  if (!policy) return undefined;
  const keys = [...new Map(policy.keys.map((text) => [text, witnessKey(text)])).values()];
  const cosigned = new Set<VerifierKey>();
  for (const key of keys) if (isInNote(key, options) || (await isKept(key, options))) cosigned.add(key);
  return {
    size: options.checkpoint?.size ?? 0,
    cosigned: names([...cosigned]),
    missing: names(keys.filter((key) => !cosigned.has(key))),
    needed: policy.needed,
    isEnough: cosigned.size >= policy.needed,
  };
}

/** A log's own key signs as every log does: to count it among witnesses would be no other's word. */
function witnessKey(text: string): VerifierKey {
  const key = parseVerifierKey(text);
  if (key.type === 0x04) return key;
  throw new LockkeeperError('invalid', `${key.name} (${key.id}) is the key of a log, and not of a witness`, {
    hint: 'Give the key that the witness cosigns with, as its operator publishes it.',
  });
}

function names(keys: readonly VerifierKey[]): readonly string[] {
  return keys.map(({ name }) => name);
}

function isInNote(witness: VerifierKey, { checkpoint, key, note }: WitnessCheckOptions): boolean {
  if (!checkpoint) return false;
  try {
    return verifyNote(parseNote(checkpoint.note), [witness]).length > 0;
  } catch (thrown) {
    note({
      key,
      kind: 'changed',
      what: `has a line in the name of ${witness.name} that is none of it: ${asLockkeeperError(thrown).message}`,
    });
    return false;
  }
}

/**
 * Published notes may be older than what was cosigned later. What does not fit is told with everything else in the log
 * store.
 */
async function isKept(witness: VerifierKey, { checkpoint, log }: WitnessCheckOptions): Promise<boolean> {
  const stored = checkpoint && (await log?.get(cosignatureKey(checkpoint.size, witness.id)));
  if (!stored) return false;
  try {
    const { key } = decodeCosignature(stored.bytes, checkpoint.note);
    return key.name === witness.name && Buffer.compare(key.publicKey, witness.publicKey) === 0;
  } catch (thrown) {
    if (asLockkeeperError(thrown).code === 'bug') throw thrown;
    return false;
  }
}
