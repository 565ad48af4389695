import type { Notice } from '../../approvals/contract.ts';
import { toldText } from '../../audit/entries/withhold.ts';
import type { Journal, Order } from '../journal/journal.ts';
import { actorsOf, reasonsOf } from './review.ts';

/** What approvers are told when an emergency was ordered, before anything is looked at. */
export function orderNotice({ credential }: Pick<Journal, 'credential'>, { reason, actor }: Order): Notice {
  const text = `Emergency rotation of ${credential} was ordered by ${actor}: ${toldText(reason)}. It begins now; logins with the old value will be refused.`;
  return { hash: undefined, level: 'alarm', text };
}

/** What approvers are told once the leaked value is worthless. */
export function emergencyNotice(journal: Journal): Notice {
  const { credential, rotation, proof } = journal;
  const text =
    `Emergency rotation of ${credential} by ${actorsOf(journal).join(', ')}: ${reasonsOf(journal)}. ` +
    `A new value is published, sessions on the old one were ended. ${proofText(proof)} Two people must sign the review: lockkeeper review sign ${rotation}`;
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
