import type { Notice } from '../approvals/contract.ts';
import { toldText } from '../audit/entries/withhold.ts';
import { canonicalJson } from '../base/canonical.ts';
import { LockkeeperError } from '../base/error.ts';
import { formatInstant, type Instant } from '../base/time.ts';
import type { ObjectStore } from '../objects/contract.ts';
import type { Journal, Order } from './journal.ts';

/** What two people must look at after an emergency: nobody was asked before. */
export type Review = {
  readonly format: 1;
  readonly credential: string;
  readonly rotation: string;
  readonly reason: string;
  readonly actor: string;
  /** RFC 3339. */
  readonly opened: string;
  /** How many different people must sign; those who ordered it do not count. */
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
  const review: Review = {
    format: 1,
    credential,
    rotation,
    reason: reasonsOf(journal),
    actor: actorsOf(journal),
    opened: formatInstant(now),
    needed: 2,
    signatures: [],
  };
  await state.create(`reviews/${rotation}.json`, Buffer.from(canonicalJson(review)));
}

/** What approvers are told when an emergency was ordered, before anything is looked at. */
export function orderNotice({ credential }: Pick<Journal, 'credential'>, { reason, actor }: Order): Notice {
  const text = `Emergency rotation of ${credential} was ordered by ${actor}: ${toldText(reason)}. It begins now; logins with the old value will be refused.`;
  return { hash: undefined, level: 'alarm', text };
}

/** What approvers are told once the leaked value is worthless. */
export function emergencyNotice(journal: Journal): Notice {
  const { credential, rotation, proof } = journal;
  const text =
    `Emergency rotation of ${credential} by ${actorsOf(journal)}: ${reasonsOf(journal)}. ` +
    `A new value is published, sessions on the old one were ended. ${proofText(proof)} Two people must sign the review reviews/${rotation}.json.`;
  return { hash: undefined, level: 'alarm', text };
}

/** How far the end of the old values is proven, as a sentence. */
export function proofText(proof: Journal['proof']): string {
  if (proof === 'refused')
    return 'Every earlier value that a store still shows was tried on every endpoint and is refused.';
  if (proof === 'counted')
    return 'No store keeps an earlier value to try; the service counts no other value than the new one.';
  return 'No store keeps an earlier value to try, so its refusal is not proven. The service was told to end it.';
}

function reasonsOf({ emergency }: Journal): string {
  return toldText([...new Set(emergency?.orders.map(({ reason }) => reason))].join('; '));
}

function actorsOf({ emergency }: Journal): string {
  const actors = [...new Set(emergency?.orders.map(({ actor }) => actor))].join(', ');
  return actors === '' ? 'lockkeeper' : actors;
}
