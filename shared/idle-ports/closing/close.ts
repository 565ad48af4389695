import { toldText } from '../../audit/entries/withhold.ts';
import { LockkeeperError } from '../../base/error.ts';
import { after, formatInstant } from '../../base/time.ts';
import type { PreparedChange } from '../../firewalls/contract.ts';
import { ask, deliver } from './ask.ts';
import {
  firewallOf,
  keepGoing,
  stepOf,
  timeIsUp,
  type ClosingHooks,
  type ClosingDeps,
  type Step,
} from './closing-deps.ts';
import { checkApproval, wasApplied, type Check, type Fresh } from './closure-check.ts';
import { moved, nameOf, notice, type Closure } from './closure.ts';
import { ClosureJournal, type HeldClosure } from './closure-journal.ts';
import { exempted, lineStopped, mustWait } from './limits.ts';
import { proofOf, refuseUnproven, restoreNo, type Proof } from './proof.ts';
import type { Material } from './proposal.ts';
import { applying, audited, record } from './recorded.ts';
import { beginReopening, finishReopening } from './reopen.ts';
import type { No } from './said.ts';
import { watchUntil } from './watch-decision.ts';

/** What a run did. A caller must fail loudly where there are problems; the next run tries those again. */
export interface RunReport {
  readonly steps: readonly Step[];
  readonly problems: readonly LockkeeperError[];
  /** True where the run's time was over first; the next run goes on. */
  readonly unfinished: boolean;
}

/**
 * Closes what people approved, after a last look whether it is still exactly that, and finishes what a crashed run
 * began. Nothing is closed that drifted: people get the difference and a new question. Run it as often as you like.
 *
 * ```
 * look again → journal (all that undo needs) → intent → apply → probe → outcome → journal
 * crash:   nothing │        next run looks again, and finishes or voids        │ all done
 * ```
 */
export async function closeApproved(deps: ClosingDeps, hooks: ClosingHooks): Promise<RunReport> {
  const all = await new ClosureJournal(deps.state).all();
  const run = new Closing(deps, hooks, all);
  for (const held of turns(await run.refuseUnproven(all))) {
    if (timeIsUp(deps.world)) return run.report(true);
    await run.handle(held);
  }
  await run.deliver();
  return run.report(false);
}

/** Begun closings first, then approvals, the oldest first. */
function turns(all: readonly HeldClosure[]): readonly HeldClosure[] {
  const approved = all.filter(({ closure }) => closure.phase === 'approved');
  approved.sort((a, b) => (a.closure.approvedAt ?? 0) - (b.closure.approvedAt ?? 0));
  return [...all.filter(({ closure }) => closure.phase === 'closing'), ...approved];
}

class Closing {
  readonly #deps: ClosingDeps;
  readonly #hooks: ClosingHooks;
  readonly #journal: ClosureJournal;
  readonly #all: Map<string, Closure>;
  readonly #steps: Step[] = [];
  readonly #problems: LockkeeperError[] = [];
  #closed = 0;

  constructor(deps: ClosingDeps, hooks: ClosingHooks, all: readonly HeldClosure[]) {
    this.#deps = deps;
    this.#hooks = hooks;
    this.#journal = new ClosureJournal(deps.state);
    this.#all = new Map(all.map(({ key, closure }) => [key, closure]));
  }

  report(unfinished: boolean): RunReport {
    return { steps: this.#steps, problems: this.#problems, unfinished };
  }

  /** The journals whose votes the log has, or that were put right. */
  async refuseUnproven(all: readonly HeldClosure[]): Promise<readonly HeldClosure[]> {
    const sound: HeldClosure[] = [];
    for (const held of all) {
      await keepGoing(this.#problems, async () => void sound.push(await refuseUnproven(this.#deps, held)));
    }
    return sound;
  }

  async handle(held: HeldClosure): Promise<void> {
    await keepGoing(this.#problems, async () => void this.#steps.push(await this.#handle(held)));
  }

  async deliver(): Promise<void> {
    await keepGoing(this.#problems, () => deliver(this.#deps));
  }

  async #handle(held: HeldClosure): Promise<Step> {
    const wait = this.#mustWait(held);
    if (held.closure.phase === 'approved' && wait !== undefined) return stepOf(held.closure, 'waiting', wait);
    const fresh = await this.#look(held.closure);
    const proof = await this.#proof(held.closure, fresh);
    if (proof.kind === 'turned-down') return this.#keepOpen(held, proof.no);
    const check = checkApproval(proof.closure, fresh, { policy: this.#deps.policy, now: this.#deps.world.now() });
    if (check.kind === 'void' || check.kind === 'expired') return this.#giveUp(held, check, fresh.material);
    if (check.kind === 'go' && wait !== undefined) return stepOf(held.closure, 'waiting', wait);
    const prepared = held.closure.prepared ?? fresh.material?.prepared;
    if (!prepared) throw new LockkeeperError('bug', `${nameOf(held.closure)} may be closed, but was never prepared`);
    return this.#close({ ...held, closure: proof.closure }, prepared);
  }

  /** What a crashed run closed already rests on what it found then. */
  async #proof(closure: Closure, { live }: Fresh): Promise<Proof> {
    const { phase, prepared } = closure;
    if (phase === 'closing' && prepared && wasApplied(prepared, live)) return { kind: 'proven', closure };
    return await proofOf(this.#deps, closure);
  }

  async #keepOpen(held: HeldClosure, no: No): Promise<Step> {
    const { key, closure } = await restoreNo(this.#deps, held, no);
    this.#all.set(key, closure);
    return stepOf(closure, closure.phase, closure.problem ?? '');
  }

  #mustWait({ key, closure }: HeldClosure): string | undefined {
    const { policy, world } = this.#deps;
    const stopped = lineStopped(policy, [...this.#all.values()], world.now());
    if (stopped !== undefined) return stopped;
    if (this.#closed >= policy.maxClosuresPerRun) return `${this.#closed} closed in this run, and that is the limit`;
    return mustWait(
      policy,
      closure,
      [...this.#all].filter(([other]) => other !== key).map(([, other]) => other),
    );
  }

  /** Judges anew, then reads the rule once more through `prepare`. */
  async #look(closure: Closure): Promise<Fresh> {
    const judgement = await this.#hooks.judge(closure.firewall);
    const live = judgement.state.openings.find(({ id }) => id === closure.opening);
    const nothing = { live, material: undefined, people: undefined };
    if (!live) return { ...nothing, otherwise: 'the opening is not there any more' };
    const people = this.#deps.people(closure.firewall, live);
    const verdict = judgement.verdicts.find(({ rule }) => rule === closure.opening);
    if (verdict?.verdict !== 'unused') {
      return {
        ...nothing,
        people,
        otherwise: `it is ${verdict?.verdict ?? 'not judged'} now: ${verdict?.reasons.map(({ text }) => text).join(' ') ?? ''}`,
      };
    }
    if (live.managedBy !== undefined) return { ...nothing, people, otherwise: `it belongs to ${live.managedBy} now` };
    const prepared = await firewallOf(this.#deps, closure.firewall).prepare({ kind: 'close', opening: live.id });
    return { live, material: { judgement, opening: live, verdict, prepared }, people, otherwise: '' };
  }

  async #giveUp(
    held: HeldClosure,
    check: Extract<Check, { why: string }>,
    material: Material | undefined,
  ): Promise<Step> {
    const { closure } = held;
    const phase = check.kind === 'expired' ? 'expired' : 'drifted';
    await record(this.#deps, closure, { action: 'approval.void', details: { why: toldText(check.why) } });
    const text = `${nameOf(closure)} was not closed, and its approval is void: ${check.why}`;
    const change = {
      since: this.#deps.world.now(),
      problem: check.why,
      notices: [...closure.notices, notice(closure, 'warning', text)],
    };
    const next = await this.#save(held, moved(closure, phase, change));
    const stays = exempted(this.#deps.policy, closure, this.#deps.world.now()) !== undefined;
    if (check.kind === 'void' && material && !stays) await ask(this.#deps, material, { held: next, why: '' });
    return stepOf(closure, phase, check.why);
  }

  async #close(held: HeldClosure, prepared: PreparedChange): Promise<Step> {
    const now = this.#deps.world.now();
    const closing = await this.#save(
      held,
      moved(held.closure, 'closing', { since: now, prepared, closedAt: held.closure.closedAt ?? now }),
    );
    this.#closed += 1;
    const { closure } = closing;
    let refusal: unknown;
    const close = async (): Promise<'refused' | 'reachable' | undefined> => {
      await this.#refuseIfMoved(closing);
      await firewallOf(this.#deps, closure.firewall)
        .apply(prepared)
        .catch((thrown: unknown) => {
          refusal = thrown;
          throw thrown;
        });
      return await this.#probe(closure);
    };
    try {
      const seen = await audited(this.#deps, { closure, ...applying(closure) }, close);
      return seen === 'reachable' ? await this.#hadNoEffect(closing) : await this.#quarantine(closing, prepared);
    } catch (thrown) {
      // Only what the firewall itself said, and the log took, decides about the closing.
      if (!(thrown instanceof LockkeeperError) || thrown !== refusal) throw thrown;
      return this.#notApplied(closing, thrown);
    }
  }

  /** By now the rule is closed: a look that failed must not pass for a closing that failed. */
  async #probe(closure: Closure): Promise<'refused' | 'reachable' | undefined> {
    try {
      return await this.#hooks.probe?.(closure);
    } catch (cause) {
      if (!(cause instanceof LockkeeperError) || cause.code === 'bug') throw cause;
      throw new LockkeeperError(
        'uncertain',
        `${nameOf(closure)} was closed, but it could not be tried: ${cause.message}`,
        { cause, hint: 'The next run tries again.' },
      );
    }
  }

  async #quarantine(held: HeldClosure, prepared: PreparedChange): Promise<Step> {
    const now = this.#deps.world.now();
    const closure = moved(held.closure, 'quarantined', { since: now });
    const watched = formatInstant(watchUntil(closure, this.#deps.policy));
    const text = `${nameOf(closure)} is closed and watched until ${watched}. Undo: lockkeeper reopen ${closure.hash.slice(0, 12)} --reason WHY`;
    try {
      await this.#save(held, { ...closure, notices: [...closure.notices, notice(closure, 'info', text)] });
    } catch (thrown) {
      await this.#undoUnlessClosed(held, prepared);
      throw thrown;
    }
    return stepOf(closure, 'closed', text);
  }

  /** A run that was paused must not close what others gave up or reopened meanwhile. */
  async #refuseIfMoved(held: HeldClosure): Promise<void> {
    const current = await this.#journal.load(held.closure.firewall, held.closure.opening);
    if (current?.version === held.version) return;
    throw new LockkeeperError('conflict', `another run is at work on ${nameOf(held.closure)}`, {
      hint: 'Nothing was closed here; run again.',
    });
  }

  /** The same where the pause came even later: unless the journal says closed, this closing must not stand. */
  async #undoUnlessClosed({ closure }: HeldClosure, prepared: PreparedChange): Promise<void> {
    const current = (await this.#journal.load(closure.firewall, closure.opening))?.closure;
    const stands = current?.phase === 'closing' || current?.phase === 'quarantined' || current?.phase === 'settled';
    if (stands && current.hash === closure.hash) return;
    const details = { why: `it is ${current?.phase} meanwhile` };
    await audited(this.#deps, { closure, action: 'closure.restore', details }, () =>
      firewallOf(this.#deps, closure.firewall).restore(prepared),
    );
  }

  async #hadNoEffect(held: HeldClosure): Promise<Step> {
    const why = 'closing it had no effect: a packet still comes through';
    const back = await finishReopening(
      this.#deps,
      await beginReopening(this.#deps, held, { who: 'lockkeeper', why, automatic: true, standstill: true }),
    );
    this.#all.set(back.key, back.closure);
    return stepOf(back.closure, 'reopened', why);
  }

  async #notApplied(held: HeldClosure, error: LockkeeperError): Promise<Step> {
    const { closure } = held;
    const phase = error.code === 'conflict' ? 'drifted' : 'failed';
    if (phase === 'failed' && !isDefinite(error)) throw error;
    const now = this.#deps.world.now();
    const problem = toldText(error.message);
    const text = `${nameOf(closure)} was not closed: ${problem}`;
    const change = { since: now, problem, until: after(now, this.#deps.policy.approvalExpiresMs) };
    const notices = [...closure.notices, notice(closure, 'alarm', text)];
    await this.#save(held, moved(closure, phase, { ...change, notices }));
    return stepOf(closure, phase, error.message);
  }

  async #save(held: HeldClosure, closure: Closure): Promise<HeldClosure> {
    const next = await this.#journal.save(held, closure);
    this.#all.set(next.key, next.closure);
    return next;
  }
}

/** True where the firewall surely changed nothing and would refuse again. */
function isDefinite({ code }: LockkeeperError): boolean {
  return (
    code === 'denied' || code === 'rejected' || code === 'invalid' || code === 'unsupported' || code === 'not-found'
  );
}
