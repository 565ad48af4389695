import type { Question } from '../approvals/contract.ts';
import { formatInstant, type Instant } from '../base/time.ts';
import type { ClosingRooms } from './closing-rooms.ts';
import { approversOf } from './decision.ts';
import { isOpenQuestion, nameOf, type Closure } from './closure.ts';
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
export async function queue(rooms: Pick<ClosingRooms, 'state' | 'policy'>): Promise<Queue> {
  const all = (await new ClosureJournal(rooms.state).all()).map(({ closure }) => closure);
  return {
    questions: all.filter(isOpenQuestion).map((closure) => ({ question: questionOf(closure), approvedBy: approversOf(closure) })),
    closures: all.filter((closure) => !isOpenQuestion(closure)).map((closure) => ({
      hash: closure.hash,
      title: nameOf(closure),
      phase: closure.phase,
      since: closure.since,
      detail: detailOf(closure, rooms),
      canReopen: closure.prepared !== undefined && closure.phase !== 'reopened',
    })),
  };
}

function detailOf(closure: Closure, { policy }: Pick<ClosingRooms, 'policy'>): string {
  if (closure.phase === 'quarantined') return `It is watched until ${formatInstant(watchUntil(closure, policy))}.`;
  if (closure.reopening) return `${closure.reopening.who}: ${closure.reopening.why}`;
  if (closure.problem !== undefined) return closure.problem;
  if (closure.until !== undefined) return `Until ${formatInstant(closure.until)}.`;
  return '';
}
