import type { Notice } from '../approvals/contract.ts';
import { canonicalJson } from '../base/canonical.ts';
import { LockkeeperError } from '../base/error.ts';
import { formatInstant, type Instant } from '../base/time.ts';
import type { ObjectStore } from '../objects/contract.ts';
import type { Journal } from './journal.ts';

/** What two people must look at after an emergency: nobody was asked before. */
export type Review = {
  readonly format: 1;
  readonly credential: string;
  readonly rotation: string;
  readonly reason: string;
  readonly actor: string;
  /** RFC 3339. */
  readonly opened: string;
  /** How many different people must sign; the one who began it does not count. */
  readonly needed: number;
  readonly signatures: readonly { readonly who: string; readonly at: string }[];
};

/**
 * Opens the review of an emergency rotation at `reviews/<rotation>.json` in the state store. Repeating it keeps the
 * review that is there, whoever has signed it meanwhile.
 */
export async function openReview(state: ObjectStore, journal: Journal, now: Instant): Promise<void> {
  const { emergency, credential, rotation } = journal;
  if (!emergency) throw new LockkeeperError('bug', `${rotation} of ${credential} is no emergency and needs no review`);
  const { reason, actor } = emergency;
  const review: Review = {
    format: 1,
    credential,
    rotation,
    reason,
    actor,
    opened: formatInstant(now),
    needed: 2,
    signatures: [],
  };
  await state.create(`reviews/${rotation}.json`, Buffer.from(canonicalJson(review)));
}

/** What approvers are told once the leaked value is worthless. */
export function emergencyNotice(journal: Journal): Notice {
  const { emergency, credential, rotation, proof } = journal;
  const proven =
    proof === 'refused'
      ? 'The leaked value was tried on every endpoint and is refused.'
      : 'The user of the leaked value was shut out, but no store keeps the value any more, so its refusal is not proven.';
  const text =
    `Emergency rotation of ${credential} by ${emergency?.actor ?? 'lockkeeper'}: ${emergency?.reason ?? ''}. ` +
    `A new value is published, sessions on the old one were ended. ${proven} Two people must sign the review reviews/${rotation}.json.`;
  return { hash: undefined, level: 'alarm', text };
}
