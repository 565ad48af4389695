import type { Approvals } from '../../approvals/contract.ts';
import type { AuditLog } from '../../audit/entry.ts';
import { LockkeeperError } from '../../base/error.ts';
import { second } from '../../base/time.ts';
import type { World } from '../../base/world.ts';
import type { Firewall, Opening } from '../../firewalls/contract.ts';
import type { ObjectStore } from '../../objects/contract.ts';
import type { Closure } from './closure.ts';
import type { ClosingPolicy } from './limits.ts';
import type { People } from './people.ts';
import type { Judgement } from './proposal.ts';
import type { AnswerLog } from './said.ts';

/** Everything the story of closing needs from the world; a host fills it. */
export interface ClosingDeps {
  readonly world: World;
  readonly state: ObjectStore;
  readonly audit: AuditLog;
  /** What the same log has about closings: who agreed is read there, not in the state store. */
  readonly said: AnswerLog;
  /** Where the facts behind verdicts are kept for auditors: create-only, and kept as long as the log itself. */
  readonly evidence: ObjectStore;
  readonly approvals: Approvals;
  /** By the name that judgements and proposals carry. */
  readonly firewalls: ReadonlyMap<string, Firewall>;
  readonly policy: ClosingPolicy;
  /** The account at the terminal through which people speak here, user@host; undefined where each proves who he is. */
  readonly account?: string | undefined;
  /** Whom an opening concerns. Only approvers who can be reached. */
  people(firewall: string, opening: Opening): People;
}

/** What closing needs besides: fresh eyes right before the deed, and a look at the result. */
export interface ClosingHooks {
  /** Reads the firewall and the evidence anew and judges; never an answer from before. */
  judge(firewall: string): Promise<Judgement>;
  /** Tries to get through the closed opening. Leave it out where nobody can try. */
  probe?(closure: Closure): Promise<'refused' | 'reachable'>;
}

/** What became of one opening in one run. */
export interface Step {
  readonly firewall: string;
  readonly opening: string;
  readonly hash: string;
  /** One word: asked, kept, waiting, void, closed, drifted, failed, reopened, settled, busy, … */
  readonly outcome: string;
  /** One sentence for people. */
  readonly text: string;
}

/** The step of a closure. */
export function stepOf(closure: Closure, outcome: string, text: string): Step {
  const { firewall, opening, hash } = closure;
  return { firewall, opening, hash, outcome, text };
}

/** True where too little of this run is left to begin with another opening. */
export function timeIsUp(world: World): boolean {
  return world.now() + 10 * second >= world.deadline();
}

/**
 * One part of a run. What fails is kept among the problems and does not keep the others; a dead process or a defect
 * ends the run.
 */
export async function keepGoing(problems: LockkeeperError[], part: () => Promise<void>): Promise<void> {
  try {
    await part();
  } catch (thrown) {
    if (!(thrown instanceof LockkeeperError) || thrown.code === 'bug') throw thrown;
    problems.push(thrown);
  }
}

/** The firewall of that name; `not-found` where the host has none. */
export function firewallOf(deps: ClosingDeps, name: string): Firewall {
  const firewall = deps.firewalls.get(name);
  if (firewall) return firewall;
  throw new LockkeeperError('not-found', `there is no firewall ${JSON.stringify(name)} in the configuration`, {
    hint: 'A question or a closed opening still refers to it: put its network back into the configuration.',
  });
}
