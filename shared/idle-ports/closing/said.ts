import type { Entry } from '../../audit/entries/codec.ts';
import { isSamePerson } from '../../base/person-name.ts';
import { after, instant, parseInstant, type Instant } from '../../base/time.ts';
import type { Closure, Vote } from './closure.ts';
import type { ClosingPolicy } from './limits.ts';

/** What of an entry is evidence of an answer. */
export type LoggedEntry = Pick<Entry, 'at' | 'event'>;

/** The read side of the log: what was written about closings. Errors as of `RecentEntries`. */
export interface AnswerLog {
  between(from: Instant, to: Instant): Promise<readonly LoggedEntry[]>;
}

/** The stories whose entries an AnswerLog has. */
export const answerStories = ['decision', 'proposal', 'approval', 'closure'];

/** A no that holds. */
export interface No extends Vote {
  readonly answer: 'deny' | 'snooze' | 'exempt';
  readonly until: Instant;
}

/** What the log says of one question. */
export interface Said {
  /** False: by the log nobody was asked it in that time, or it was over since. */
  readonly isAsked: boolean;
  /** Approvals that took effect: their outcome is in the log. */
  readonly approvals: readonly Vote[];
  /** Approvals that were begun, and nobody knows from the log alone whether they took effect. */
  readonly begun: readonly Vote[];
  /** A no counts from its intent: whoever began to say it said it. */
  readonly no: No | undefined;
}

/**
 * What these entries, in order, say about the question with this hash. Approvals are used up by the closing, and void
 * once the question is; a no holds until its end. Pure.
 */
export function saidAbout(
  entries: readonly LoggedEntry[],
  hash: string,
  { policy, now }: { readonly policy: ClosingPolicy; readonly now: Instant },
): Said {
  const approvals = new Map<string, Vote>();
  const begun = new Map<string, Vote>();
  let isAsked = false;
  let no: No | undefined;
  for (const { at, event } of entries) {
    if (event.correlation !== hash) continue;
    const said = { at: timeOf(event.details['at']) ?? at, why: textOf(event.details['why']) };
    const vote = { hash, who: event.actor, ...said };
    const isDone = event.stage === 'outcome' && event.result === 'done';
    if (event.action === 'proposal.ask') isAsked = true;
    if (isOver(event)) {
      isAsked = false;
      approvals.clear();
      begun.clear();
    }
    if (event.action === 'decision.approve') {
      if (isDone) approvals.set(vote.who, approvals.get(vote.who) ?? { ...vote, answer: 'approve' });
      else if (event.stage === 'intent') begun.set(vote.who, { ...vote, answer: 'approve' });
      else if (event.result !== 'uncertain') begun.delete(vote.who);
    }
    const answer = turnsDown(event.action);
    if (answer === undefined || (event.stage !== 'intent' && !isDone)) continue;
    const until = timeOf(event.details['until']) ?? after(at, policy.deniedForMs);
    if (now < until) no = { ...vote, answer, until };
  }
  return { isAsked, approvals: [...approvals.values()], begun: [...begun.values()], no };
}

/**
 * The approvals that count: those whose outcome the log has, also where the journal lost them, and those that were
 * begun where the journal has them too. A vote that only the journal has counts nothing.
 */
export function countedBy({ approvals, begun, isAsked }: Said, { votes, hash }: Closure): readonly Vote[] {
  if (!isAsked) return [];
  const kept = votes.filter((vote) => vote.hash === hash && vote.answer === 'approve');
  const confirmed = begun.filter(({ who }) => kept.some((vote) => isSamePerson(vote.who, who)));
  return [...approvals, ...confirmed.filter(({ who }) => !approvals.some((one) => isSamePerson(one.who, who)))];
}

/** Whether the log has this vote of a journal at all. */
export function isLogged(vote: Vote, entries: readonly LoggedEntry[]): boolean {
  return entries.some(
    ({ event }) =>
      event.action === `decision.${vote.answer}` &&
      event.correlation === vote.hash &&
      (event.stage === 'intent' || event.result === 'done') &&
      isSamePerson(event.actor, vote.who),
  );
}

/** A closing uses its approvals up; a question that is void, or reopened, has none. */
function isOver({ action, stage, result }: LoggedEntry['event']): boolean {
  if (action === 'closure.apply') return stage === 'outcome' && result === 'done';
  return action === 'proposal.void' || action === 'approval.void' || action === 'closure.reopen';
}

function turnsDown(action: string): No['answer'] | undefined {
  if (action === 'decision.deny') return 'deny';
  if (action === 'decision.snooze') return 'snooze';
  return action === 'decision.exempt' ? 'exempt' : undefined;
}

function timeOf(value: unknown): Instant | undefined {
  return typeof value === 'string' ? parseInstant(value) : undefined;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** From when on entries must be read to know what was said about a question that may be used now. */
export function readFrom({ votes, hash }: Closure, policy: ClosingPolicy, now: Instant): Instant {
  const lives = policy.approvalExpiresMs + policy.executionExpiresMs;
  const first = Math.min(now, ...votes.filter((vote) => vote.hash === hash).map(({ at }) => at));
  return instant(Math.max(now - policy.longestExemptionMs, Math.min(now - lives, first - policy.approvalExpiresMs)));
}
