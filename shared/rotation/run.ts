import { toldText } from '../audit/entries/withhold.ts';
import { asLockkeeperError, hasCode, LockkeeperError } from '../base/error.ts';
import type { Instant } from '../base/time.ts';
import type { Session } from '../services/contract.ts';
import { draftOf } from './decisions/advance.ts';
import { beforeLooking, decide } from './decisions/decide.ts';
import { carryOut } from './effects/effects.ts';
import { proofText } from './reviews/emergency.ts';
import type { Phase } from './journal/journal.ts';
import { journals } from './journal/journals.ts';
import { order, tellLostOrder } from './effects/order.ts';
import { warn } from './effects/people-effects.ts';
import type { RotationDeps } from './plan.ts';
import { nextOpening } from './schedule/due.ts';
import type { Rest, Step } from './decisions/step.ts';
import { nameOf } from './decisions/step-name.ts';
import { isEmergency, isTellingDue, troubled } from './decisions/trouble.ts';
import { askedOf, hasMovedOn, look, type RotateRequest, type Run } from './effects/under-way.ts';

/**
 * How a run ended. `reverted`: the rotation ended with the login that people went back to. `busy`: another run is at
 * work. `stopped`: the host's deadline came; the next run goes on.
 */
export type Outcome = Rest['outcome'] | 'done' | 'reverted' | 'failed' | 'busy' | 'stopped';

/** What one run did and why it ended; nothing in it is a secret. */
export interface RotationReport {
  readonly credential: string;
  /** Undefined where no rotation ever began. */
  readonly rotation: string | undefined;
  readonly phase: Phase | undefined;
  readonly outcome: Outcome;
  readonly text: string;
  /** When running again may get further; undefined where that is not a matter of time. */
  readonly until: Instant | undefined;
  /** Why it is an emergency, and who ordered it; empty for an ordinary rotation. */
  readonly emergency: readonly string[];
  /** Who still uses the old value, where that is what the rotation waits for. */
  readonly sessions: readonly Session[];
  /** Every step this run carried out, in order. */
  readonly steps: readonly string[];
  readonly error: LockkeeperError | undefined;
}

/**
 * Carries the credential's rotation on until nothing can be done now. The same code for a scheduled run, a person's
 * and a recovery; running it again is always safe, and several at once are too. It never sleeps. Failures that the
 * world caused are in the report; only defects are thrown.
 */
export async function rotate(deps: RotationDeps, request: RotateRequest = {}): Promise<RotationReport> {
  return await goOn(newRun(deps, request));
}

/** A run that has done nothing yet. */
export function newRun(deps: RotationDeps, request: RotateRequest): Run {
  return {
    deps,
    request,
    journals: journals(deps.state, deps.world),
    steps: [],
    hasBegun: false,
    held: undefined,
    seen: undefined,
    isMute: false,
  };
}

/** Carries a run on from where it stands: all that one step leaves to the next is in `run`. */
export async function goOn(run: Run): Promise<RotationReport> {
  try {
    if (!run.hasBegun) await begin(run);
    return await stepByStep(run);
  } catch (thrown) {
    if (!(thrown instanceof LockkeeperError)) throw thrown;
    return await failure(run, thrown);
  }
}

/** An order is durable before anything is looked at. */
async function begin(run: Run): Promise<void> {
  if (run.request.leaked) await giveOrder(run, run.request.leaked.reason);
  else run.held = await run.journals.read(run.deps.plan.name);
  run.hasBegun = true;
}

async function giveOrder(run: Run, reason: string): Promise<void> {
  try {
    await order(run, reason);
  } catch (thrown) {
    if (thrown instanceof LockkeeperError) await tellLostOrder(run, reason, thrown);
    throw thrown;
  }
}

/** Far above what any rotation needs: a decision that never rests must not spin. */
const mostSteps = 500;

async function stepByStep(run: Run): Promise<RotationReport> {
  for (;;) {
    const asked = askedOf(run);
    if (asked.now >= run.deps.world.deadline()) return report(run, 'stopped', 'the time of this run is over');
    const step =
      beforeLooking(run.held?.journal, asked) ?? decide(run.held?.journal, (run.seen ??= await look(run)), asked);
    if (step.do === 'rest') return await rested(run, step);
    if (step.do === 'postpone' && isOnlyReported(run)) return report(run, step.outcome, step.text);
    await carryOut(run, step);
    run.steps.push(nameOf(step));
    const ended = await endOf(run, step);
    if (ended) return ended;
    if (run.steps.length > mostSteps)
      throw new LockkeeperError(
        'bug',
        `${run.deps.plan.name}: ${mostSteps} steps without an end, the last ${nameOf(step)}`,
      );
  }
}

/** What keeps a rotation from beginning is told to the person who asked, and journaled where the schedule did. */
function isOnlyReported({ held, request }: Run): boolean {
  if (!held) return true;
  return held.journal.phase === 'done' && request.now === true;
}

/** After these a run ends although more could be tried: trying again at once is what locks accounts. */
async function endOf(run: Run, step: Step): Promise<RotationReport | undefined> {
  const { journal } = run.held ?? {};
  if (!journal) return undefined;
  if (step.do === 'move' && step.to === 'done' && journal.orders.length === 0) return endReport(run);
  if (journal.blocked && journal.orders.length === 0) return report(run, 'blocked', journal.blocked.text);
  if (step.do !== 'retry' && step.do !== 'postpone') return undefined;
  await tellNow(run);
  const outcome = step.do === 'postpone' ? step.outcome : 'failed';
  return { ...report(run, outcome, step.text), until: nextTry(run) };
}

function endReport(run: Run): RotationReport {
  const { proof = null, reverted } = run.held?.journal ?? {};
  const text = proofText(proof);
  if (!reverted) return report(run, 'done', text);
  return report(run, 'reverted', `People went back to an earlier login, so the new one was ended. ${text}`);
}

async function failure(run: Run, error: LockkeeperError): Promise<RotationReport> {
  if (hasCode(error, 'conflict') && (await hasMovedOn(run))) return { ...report(run, 'busy', error.message), error };
  const noted = await noteTrouble(run, error);
  const text = noted ? `${error.message}; the back-off could not be recorded: ${noted.message}` : error.message;
  return { ...report(run, 'failed', text), error, until: nextTry(run) };
}

/** Remembers the failure, so that the next run waits, and tells people; answers what kept it from doing so. */
async function noteTrouble(run: Run, error: LockkeeperError): Promise<LockkeeperError | undefined> {
  const { held } = run;
  if (!held || isOnlyReported(run)) return undefined;
  try {
    const now = run.deps.world.now();
    const opening = nextOpening(run.deps.plan, now);
    const trouble = { text: toldText(error.message), urgent: false, opening };
    run.held = await run.journals.write(held, troubled(draftOf(held.journal), trouble, now));
    await tellNow(run);
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof LockkeeperError)) throw thrown;
    return asLockkeeperError(thrown);
  }
}

/** A trouble that has lasted, or that nobody should wait for: people hear of it in the run that saw it. */
async function tellNow(run: Run): Promise<void> {
  const { held } = run;
  if (held && !run.isMute && isTellingDue(held.journal, run.deps.world.now())) await warn(run, { do: 'warn' });
}

function nextTry({ held }: Run): Instant | undefined {
  if (!held || isEmergency(held.journal)) return undefined;
  return held.journal.trouble?.notBefore;
}

/** A run that looked and only has to wait was in no trouble: what failed before is over, and nobody hears of it later. */
async function rested(run: Run, rest: Rest): Promise<RotationReport> {
  const { held, seen } = run;
  if (seen && held?.journal.trouble && rest.outcome === 'waiting')
    run.held = await run.journals.write(held, { ...draftOf(held.journal), trouble: null });
  return restReport(run, rest);
}

function restReport(run: Run, rest: Rest): RotationReport {
  const until = rest.outcome === 'blocked' ? undefined : rest.until;
  return { ...report(run, rest.outcome, rest.text), until, sessions: rest.outcome === 'waiting' ? rest.sessions : [] };
}

function report(run: Run, outcome: Outcome, text: string): RotationReport {
  const { journal } = run.held ?? {};
  const isUrgent = outcome === 'done' || (journal && isEmergency(journal));
  // One that is over is no reason of what waits to begin.
  const isOver = journal?.phase === 'done' && outcome !== 'done';
  const orders = isUrgent ? [...((!isOver && journal?.emergency?.orders) || []), ...(journal?.orders ?? [])] : [];
  return {
    credential: run.deps.plan.name,
    rotation: journal?.rotation,
    phase: journal?.phase,
    outcome,
    text,
    until: undefined,
    emergency: orders.map(({ reason, actor }) => `${actor}: ${reason}`),
    sessions: [],
    steps: run.steps,
    error: undefined,
  };
}
