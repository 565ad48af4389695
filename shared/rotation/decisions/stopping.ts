import type { Journal, Phase } from '../journal/journal.ts';
import type { CopyPlace } from '../plan.ts';
import { isAt, unfitText, usable, type CopySeen, type Seen, type Verdict } from './seen.ts';
import type { BlockReason, Step } from './step.ts';

/** What was blocked, a person was told and then ran with --now; an emergency goes over it at once. */
export function insists(journal: Journal, reason: BlockReason, also = { inEmergency: true }): boolean {
  return (also.inEmergency && journal.emergency !== null) || journal.overruled === reason;
}

/** Only a person can help on. */
export function block(reason: BlockReason, text: string): Step {
  return { do: 'block', reason, text };
}

/** A store that somebody else wrote to during the rotation. */
export function handChanged({ store, secret }: CopyPlace): Step {
  return block(
    'changed-by-hand',
    `${store}/${secret} was changed by somebody else during the rotation. A run with --now goes on from what it holds.`,
  );
}

/** Something in the way that may pass. */
export function postpone(text: string, back?: Phase): Step {
  return { do: 'postpone', outcome: 'failed', back, text, urgent: false };
}

/** The service itself is not ready, in the middle of a rotation. */
export function unready(seen: Seen): Step {
  return { do: 'postpone', outcome: 'blocked', back: undefined, text: seen.service.problems.join('\n'), urgent: true };
}

/** A login that gets in, and with which consumers could do no work. */
export function unusable(whose: string, verdict: Verdict): Step {
  const text = `${whose} logs in, but consumers could do no work with it ${unfitText(verdict)}`;
  return { do: 'postpone', outcome: 'blocked', back: undefined, text, urgent: true };
}

/** The usable copies in which this rotation's value is not handed out yet. */
export function unpublished(journal: Journal, seen: Seen): readonly CopySeen[] {
  return usable(seen).filter((copy) => journal.copies.some((entry) => isAt(entry, copy) && entry.published === null));
}

/** Addresses of copies, for people. */
export function namesOf(copies: readonly CopyPlace[]): string {
  return copies.map(({ store, secret }) => `${store}/${secret}`).join(', ');
}
