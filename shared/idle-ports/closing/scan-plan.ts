import { formatInstant, type Instant } from '../../base/time.ts';
import { isOpenQuestion, isUnderway, type Closure } from './closure.ts';
import { isLate } from './decision.ts';
import { claimOf, exempted, frozen, mayNotAsk, type Claim, type ClosingPolicy } from './limits.ts';
import { differences, hashOf, type Proposal } from './proposal.ts';

/** What a scan does about one opening. */
export type Plan =
  /** Ask; `why` says what became of the question before, empty where there was none. */
  | { readonly kind: 'ask'; readonly why: string }
  /** The question stands, and so does what was answered. */
  | { readonly kind: 'keep' }
  /** The question is void, and no other takes its place. */
  | { readonly kind: 'void'; readonly why: string }
  | { readonly kind: 'wait'; readonly why: string };

/** What is known when an unused opening is planned. */
export interface Known {
  readonly policy: ClosingPolicy;
  readonly now: Instant;
  /** What would be asked now, for a given round. */
  readonly proposalOf: (round: number) => Proposal;
  readonly claim: Claim;
  readonly closure: Closure | undefined;
  /** Every other closure, and the questions of this run. */
  readonly others: readonly Closure[];
  /** Questions asked in this run so far. */
  readonly asked: number;
}

/** What to do about an opening that was judged unused. Pure. */
export function planUnused(known: Known): Plan {
  const { policy, now, closure, claim } = known;
  if (closure && isUnderway(closure)) return { kind: 'wait', why: `it is ${closure.phase}` };
  const exemption = exempted(policy, claim, now);
  if (exemption !== undefined)
    return closure && isOpenQuestion(closure) ? { kind: 'void', why: exemption } : { kind: 'wait', why: exemption };
  if (closure && isOpenQuestion(closure)) return planOpen(closure, known);
  const rest = closure && atRest(closure, known);
  if (rest !== undefined) return { kind: 'wait', why: rest };
  return planNew(known);
}

/** What to do about an opening that is not judged unused, though people may have been asked. Pure. */
export function planOther(closure: Closure | undefined, verdict: string): Plan | undefined {
  if (!closure || !isOpenQuestion(closure)) return undefined;
  return { kind: 'void', why: `it is ${verdict} now` };
}

function planOpen(closure: Closure, known: Known): Plan {
  const now = known.proposalOf(closure.proposal.round);
  if (hashOf(now) !== closure.hash) {
    return {
      kind: 'ask',
      why: `${closure.opening} changed after people were asked; earlier answers are void: ${differences(closure.proposal, now).join('; ')}`,
    };
  }
  if (!isLate(closure, known.policy, known.now)) return { kind: 'keep' };
  const what = closure.phase === 'approved' ? 'the approval was not used in time' : 'nobody decided in time';
  return { kind: 'ask', why: `${closure.opening}: ${what}, so it is asked again` };
}

/** Why people are left in peace about it: they answered, it was reopened, or it failed not long ago. */
function atRest(closure: Closure, { now, proposalOf }: Known): string | undefined {
  if (closure.until === undefined || now >= closure.until) return undefined;
  const changed = differences(closure.proposal, proposalOf(0)).length > 0;
  if (closure.phase === 'denied' && changed) return undefined;
  return `it is ${closure.phase} until ${formatInstant(closure.until)}`;
}

function planNew({ policy, now, claim, others, asked }: Known): Plan {
  const wait = frozen(policy, now) ?? mayNotAsk(policy, claim, others);
  if (wait !== undefined) return { kind: 'wait', why: wait };
  if (asked >= policy.maxQuestionsPerRun)
    return { kind: 'wait', why: `${asked} questions were asked in this run, and that is the limit` };
  return { kind: 'ask', why: '' };
}

/** The closures of other openings. */
export function othersThan(claim: Claim, all: readonly Closure[]): readonly Closure[] {
  return all.filter((one) => claimOf(one).firewall !== claim.firewall || one.opening !== claim.opening);
}
