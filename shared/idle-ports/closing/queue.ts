import type { Question } from '../../approvals/contract.ts';
import { formatInstant, type Instant } from '../../base/time.ts';
import type { ClosingDeps } from './closing-deps.ts';
import { approversOf, isLate } from './decision.ts';
import { isOpenQuestion, moved, nameOf, type Closure } from './closure.ts';
import { ClosureJournal } from './closure-journal.ts';
import { questionOf } from './question.ts';
import { watchUntil } from './watch-decision.ts';

/** What people see: open questions with the answers so far, and what was closed. */
export interface Queue {
  readonly questions: readonly { readonly question: Question; readonly approvedBy: readonly string[] }[];
  readonly closures: readonly {
    readonly hash: string;
    readonly title: string;
    readonly phase: string;
    readonly since: Instant;
    readonly detail: string;
    readonly canReopen: boolean;
  }[];
}

/** The present state of every question and closure, from the journals alone. Reads only. */
export async function queue(deps: Pick<ClosingDeps, 'state' | 'policy' | 'world'>): Promise<Queue> {
  const stored = (await new ClosureJournal(deps.state).all()).map(({ closure }) => closure);
  const all = stored.map((closure) => expireLate(closure, deps));
  return {
    questions: all
      .filter(isOpenQuestion)
      .map((closure) => ({ question: questionOf(closure), approvedBy: approversOf(closure) })),
    closures: all
      .filter((closure) => !isOpenQuestion(closure))
      .map((closure) => ({
        hash: closure.hash,
        title: nameOf(closure),
        phase: closure.phase,
        since: closure.since,
        detail: detailOf(closure, deps),
        canReopen: closure.prepared !== undefined && closure.phase !== 'reopened',
      })),
  };
}

/** A question that is too old is shown as what it is, though no run has recorded that yet. */
function expireLate(closure: Closure, { policy, world }: Pick<ClosingDeps, 'policy' | 'world'>): Closure {
  const now = world.now();
  if (!isOpenQuestion(closure) || !isLate(closure, policy, now)) return closure;
  const problem = closure.phase === 'approved' ? 'The approval was not used in time.' : 'Nobody decided in time.';
  return moved(closure, 'expired', { since: now, problem });
}

function detailOf(closure: Closure, { policy }: Pick<ClosingDeps, 'policy'>): string {
  if (closure.phase === 'quarantined') return `It is watched until ${formatInstant(watchUntil(closure, policy))}.`;
  if (closure.reopening) return `${closure.reopening.who}: ${closure.reopening.why}`;
  if (closure.problem !== undefined) return closure.problem;
  if (closure.until !== undefined) return `Until ${formatInstant(closure.until)}.`;
  return '';
}
