import type { Heard } from '../../approvals/contract.ts';
import { isSamePerson } from '../../base/person-name.ts';
import { after, formatInstant, type Instant } from '../../base/time.ts';
import { isOpenQuestion, moved, nameOf, notice, type Closure, type Phase, type Vote } from './closure.ts';
import type { ClosingPolicy } from './limits.ts';
import { approverNamed, counting, isOwnMatter, missing, notAnApprover } from './people.ts';

/** Why an answer does not count. */
export type Refusal =
  /** The person is nobody who may decide this. */
  | 'not-asked'
  /** It is his own: somebody else must approve. */
  | 'own'
  /** The question or the approval is too old. */
  | 'late'
  /** Another question took its place. */
  | 'superseded'
  /** It is decided, or closed, already. */
  | 'decided'
  /** A reason or an end is missing, or the end is out of bounds. */
  | 'incomplete';

/** What became of one answer; `closure` is what to record. */
export type Ruling =
  | { readonly kind: 'counted'; readonly text: string; readonly closure: Closure }
  /** The same person said the same before; nothing changes. */
  | { readonly kind: 'already'; readonly text: string }
  | { readonly kind: 'refused'; readonly why: Refusal; readonly text: string };

/**
 * Whether an answer counts, and what follows. Approving takes enough different people who were asked, none of whom it
 * is the own matter of; one person asked is enough to deny, snooze or exempt, also after others approved. Pure.
 */
export function decide(
  closure: Closure,
  heard: Heard,
  { policy, now }: { policy: ClosingPolicy; now: Instant },
): Ruling {
  if (heard.hash !== closure.hash)
    return refused(
      'superseded',
      `the question about ${closure.opening} has changed: answer ${closure.hash.slice(0, 12)}`,
    );
  const who = approverNamed(heard.who, closure.people);
  if (who === undefined) {
    const why = notAnApprover(heard.who, closure.people);
    return refused('not-asked', `${heard.who} is not asked about ${closure.opening}${why}`);
  }
  return decideFor(closure, { ...heard, who }, { policy, now });
}

/** The same for somebody who is asked, under the name that is configured. */
function decideFor(closure: Closure, heard: Heard, { policy, now }: { policy: ClosingPolicy; now: Instant }): Ruling {
  const said = closure.votes.find(({ who, answer }) => isSamePerson(who, heard.who) && answer === heard.answer);
  if (said) return { kind: 'already', text: `${heard.who} said so at ${formatInstant(said.at)}` };
  if (!isOpenQuestion(closure))
    return refused('decided', `${nameOf(closure)} is ${closure.phase} since ${formatInstant(closure.since)}`);
  if (isLate(closure, policy, now))
    return refused('late', `the question about ${closure.opening} waited until ${formatInstant(closure.expires)}`);
  return heard.answer === 'approve' ? approve(closure, heard, now) : turnDown(closure, heard, { policy, now });
}

/** True where the question or the approval may not be used any more. */
export function isLate(closure: Closure, policy: ClosingPolicy, now: Instant): boolean {
  return now >= (closure.approvedAt === undefined ? closure.expires : closure.approvedAt + policy.executionExpiresMs);
}

/** The different people whose approval of exactly this proposal counts. */
export function approversOf({ votes, hash, people }: Closure): readonly string[] {
  const counts = votes.filter((one) => one.answer === 'approve' && one.hash === hash);
  return counting(
    counts.map(({ who }) => who),
    people,
  );
}

function approve(closure: Closure, heard: Heard, now: Instant): Ruling {
  if (isOwnMatter(heard.who, closure.people)) {
    return refused('own', `${closure.opening} is ${heard.who}'s own matter: somebody else must approve it`);
  }
  const voted = { ...closure, votes: [...closure.votes, voteOf(heard, 'approve', now)] };
  const approvers = approversOf(voted);
  const { needed } = closure.people;
  const lacking = missing(approvers, closure.people);
  const still = approvers.length < needed || lacking === undefined ? '' : `; ${lacking}`;
  const text = `${heard.who} approved closing ${nameOf(closure)}: ${approvers.length} of ${needed}${still}`;
  const notices = [...closure.notices, notice(closure, 'info', text)];
  if (lacking !== undefined || closure.phase === 'approved')
    return { kind: 'counted', text, closure: { ...voted, notices } };
  return { kind: 'counted', text, closure: moved(voted, 'approved', { since: now, approvedAt: now, notices }) };
}

function turnDown(closure: Closure, heard: Heard, { policy, now }: { policy: ClosingPolicy; now: Instant }): Ruling {
  if (heard.answer === 'reopen' || heard.answer === 'approve')
    return refused('decided', `${nameOf(closure)} is not closed`);
  if (heard.why.trim() === '') return refused('incomplete', `to ${heard.answer} needs a reason`);
  const until = heard.answer === 'deny' ? after(now, policy.deniedForMs) : heard.until;
  if (until === undefined || until <= now)
    return refused('incomplete', `to ${heard.answer} needs an end in the future`);
  if (until > now + policy.longestExemptionMs) {
    return refused(
      'incomplete',
      `to ${heard.answer} beyond ${formatInstant(after(now, policy.longestExemptionMs))} is too long`,
    );
  }
  const phase = turnedDown[heard.answer];
  const text = `${heard.who}: ${nameOf(closure)} stays open (${phase} until ${formatInstant(until)}): ${heard.why}`;
  const votes = [...closure.votes, voteOf(heard, heard.answer, now)];
  return {
    kind: 'counted',
    text,
    closure: moved(closure, phase, {
      since: now,
      until,
      votes,
      notices: [...closure.notices, notice(closure, 'info', text)],
    }),
  };
}

const turnedDown = { deny: 'denied', snooze: 'snoozed', exempt: 'exempted' } as const satisfies Record<string, Phase>;

function voteOf(heard: Heard, answer: Vote['answer'], at: Instant): Vote {
  return { hash: heard.hash, answer, who: heard.who, why: heard.why, at };
}

function refused(why: Refusal, text: string): Ruling {
  return { kind: 'refused', why, text };
}
