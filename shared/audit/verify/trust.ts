import { LockkeeperError } from '../../base/error.ts';
import type { ObjectStore } from '../../objects/contract.ts';
import { checkpointSizes, type SignedCheckpoint } from '../sealing/checkpoints.ts';
import { checkpointKey, publishedKey, verifierKeyKey } from '../layout.ts';
import { noteIn } from '../vouching/saved-note.ts';
import { parseVerifierKey, type VerifierKey } from '../tlog/note.ts';
import { trusted } from './expected-roots.ts';
import type { Finding, Note } from './finding.ts';
import type { ExpectedRoot } from './tree-check.ts';
import type { WitnessPolicy } from './witness-check.ts';

/** What both ways of verifying take. */
export interface TrustOptions {
  /** The verifier key that counts, as text; without it the one that lies in the log, which proves less. */
  readonly verifierKey?: string | undefined;
  /**
   * A checkpoint that the caller trusts, as a signed note, or a text that holds one: the log must go on from it, and
   * what was before is not read again.
   */
  readonly since?: string | undefined;
  /** Whose cosignatures count; without it nobody's are looked for. */
  readonly trustedWitnesses?: WitnessPolicy | undefined;
  /** How many threads hash; 0 uses none of their own. */
  readonly threads?: number;
}

/** The key that counts. One that lies in the log and is another than the given one is told. */
export function keyOf({ verifierKey }: TrustOptions, own: string | undefined, note: Note): VerifierKey | undefined {
  if (verifierKey !== undefined) {
    if (own !== undefined && own !== verifierKey)
      note({ key: verifierKeyKey, kind: 'unsigned', what: 'is another key than the one given' });
    return parseVerifierKey(verifierKey);
  }
  if (own === undefined) return undefined;
  try {
    return parseVerifierKey(own);
  } catch (thrown) {
    if (!(thrown instanceof LockkeeperError)) throw thrown;
    note({ key: verifierKeyKey, kind: 'changed', what: `was changed: ${thrown.message}` });
    return undefined;
  }
}

/** The checkpoint that the caller trusts; `invalid` where it is none of this log. */
export function sinceOf({ since }: TrustOptions, key: VerifierKey): SignedCheckpoint | undefined {
  const wrong: Finding[] = [];
  const checkpoint =
    since === undefined
      ? undefined
      : trusted(noteIn(since, key.name), {
          key: 'the checkpoint given',
          signer: key,
          notify: (finding) => wrong.push(finding),
        });
  const [why] = wrong;
  if (why)
    throw new LockkeeperError('invalid', `the checkpoint given ${why.what}`, {
      hint: 'Give a checkpoint of this log, as it was saved earlier.',
    });
  return checkpoint;
}

/** The checkpoint that the state store shows to readers. */
export async function publishedIn(
  state: ObjectStore | undefined,
  signer: VerifierKey,
  notify: Note,
): Promise<SignedCheckpoint | undefined> {
  const stored = await state?.get(publishedKey);
  return stored && trusted(Buffer.from(stored.bytes).toString(), { key: publishedKey, signer, notify });
}

/** The newest of the checkpoints in the log store, and of the published one, that counts. */
export async function newestIn(
  log: ObjectStore,
  signer: VerifierKey,
  published: SignedCheckpoint | undefined,
): Promise<SignedCheckpoint | undefined> {
  const sizes: number[] = [];
  for await (const size of checkpointSizes(log, published?.size)) sizes.push(size);
  for (const size of sizes.toReversed()) {
    const stored = await log.get(checkpointKey(size));
    const checkpoint = stored && trusted(Buffer.from(stored.bytes).toString(), { key: '', signer, notify: () => {} });
    if (checkpoint?.size === size) return checkpoint;
  }
  return published;
}

/** The root that a checkpoint expects, if there is one. */
export function expected(checkpoint: SignedCheckpoint | undefined, key: string): readonly ExpectedRoot[] {
  return checkpoint ? [{ size: checkpoint.size, root: checkpoint.root, key }] : [];
}
