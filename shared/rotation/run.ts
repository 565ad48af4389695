import { asLockkeeperError, hasCode, LockkeeperError } from '../base/error.ts';
import type { Instant } from '../base/time.ts';
import type { Session } from '../services/contract.ts';
import { draftOf, troubled } from './advance.ts';
import { decide, restingAlready } from './decide.ts';
import { carryOut } from './effects.ts';
import { journals, type Phase } from './journal.ts';
import type { RotationDeps } from './plan.ts';
import type { Rest, Step } from './step.ts';
import { nameOf } from './step-name.ts';
import { askedOf, look, type RotateRequest, type Run } from './under-way.ts';

/** How a run ended. `busy`: another run is at work. `stopped`: the host's deadline came; the next run goes on. */
export type Outcome = Rest['outcome'] | 'done' | 'failed' | 'busy' | 'stopped';

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
  const run: Run = {
    deps,
    request,
    journals: journals(deps.state, deps.world),
    steps: [],
    held: undefined,
    seen: undefined,
  };
  try {
    run.held = await run.journals.read(deps.plan.name);
    return await stepByStep(run);
  } catch (thrown) {
    if (!(thrown instanceof LockkeeperError)) throw thrown;
    return await failure(run, thrown);
  }
}

/** Far above what any rotation needs: a decision that never rests must not spin. */
const mostSteps = 500;

async function stepByStep(run: Run): Promise<RotationReport> {
  for (;;) {
    const asked = askedOf(run);
    if (asked.now >= run.deps.world.deadline()) return report(run, 'stopped', 'the time of this run is over');
    const early = restingAlready(run.held?.journal, asked);
    if (early?.do === 'rest') return restReport(run, early);
    run.seen ??= await look(run);
    const step = decide(run.held?.journal, run.seen, asked);
    if (step.do === 'rest') return restReport(run, step);
    await carryOut(run, step);
    run.steps.push(nameOf(step));
    const ended = endOf(run, step);
    if (ended) return ended;
    if (run.steps.length > mostSteps)
      throw new LockkeeperError(
        'bug',
        `${run.deps.plan.name}: ${mostSteps} steps without an end, the last ${nameOf(step)}`,
      );
  }
}

/** After these a run ends although more could be tried: trying again at once is what locks accounts. */
function endOf(run: Run, step: Step): RotationReport | undefined {
  if (step.do === 'move' && step.to === 'done') return report(run, 'done', 'the old value is refused everywhere');
  const { blocked } = run.held?.journal ?? {};
  if (blocked) return report(run, 'blocked', blocked.text);
  if (step.do !== 'retry') return undefined;
  const until = run.held?.journal.trouble?.notBefore;
  return { ...report(run, 'failed', step.text), until };
}

async function failure(run: Run, error: LockkeeperError): Promise<RotationReport> {
  if (hasCode(error, 'conflict') && (await movedOn(run))) return { ...report(run, 'busy', error.message), error };
  const noted = await noteTrouble(run, error);
  const text = noted ? `${error.message}; the back-off could not be recorded: ${noted.message}` : error.message;
  return { ...report(run, 'failed', text), error, until: run.held?.journal.trouble?.notBefore };
}

/** True where another run has written the journal since this one read it. */
async function movedOn(run: Run): Promise<boolean> {
  const live = await run.journals.read(run.deps.plan.name);
  return live?.version !== run.held?.version;
}

/** Remembers the failure, so that the next run waits; answers what kept it from doing so. */
async function noteTrouble(run: Run, error: LockkeeperError): Promise<LockkeeperError | undefined> {
  const { held } = run;
  if (!held || held.journal.phase === 'done') return undefined;
  try {
    run.held = await run.journals.write(held, troubled(draftOf(held.journal), error.message, run.deps.world.now()));
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof LockkeeperError)) throw thrown;
    return asLockkeeperError(thrown);
  }
}

function restReport(run: Run, rest: Rest): RotationReport {
  const until = rest.outcome === 'blocked' ? undefined : rest.until;
  return { ...report(run, rest.outcome, rest.text), until, sessions: rest.outcome === 'waiting' ? rest.sessions : [] };
}

function report(run: Run, outcome: Outcome, text: string): RotationReport {
  const { journal } = run.held ?? {};
  return {
    credential: run.deps.plan.name,
    rotation: journal?.rotation,
    phase: journal?.phase,
    outcome,
    text,
    until: undefined,
    sessions: [],
    steps: run.steps,
    error: undefined,
  };
}
