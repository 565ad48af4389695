import { LockkeeperError } from '../base/error.ts';
import { after, hour, minute, second } from '../base/time.ts';
import type { Session } from '../services/contract.ts';
import { runFor } from './adopt.ts';
import { whyLater } from './decisions/begin.ts';
import { ordered } from './decisions/begun.ts';
import { beforeLooking, decide } from './decisions/decide.ts';
import type { Journal } from './journal/journal.ts';
import type { RotationDeps } from './plan.ts';
import { pretend, type Pretended } from './pretend.ts';
import { currentLogins, sameLogin, type Seen } from './decisions/seen.ts';
import { ask } from './effects/service-effects.ts';
import type { Asked, Step } from './decisions/step.ts';
import { nameOf } from './decisions/step-name.ts';
import { look, seenBy, type Run } from './effects/under-way.ts';

/** What a rotation would do, without doing any of it. */
export interface Rehearsal {
  readonly credential: string;
  /** True where nothing stands in the way of finishing. */
  readonly wouldFinish: boolean;
  /** Every step in order, as sentences; the last one says why it stops where it would not finish. */
  readonly steps: readonly string[];
  /** How many logins of consumers would fail: 0, or undefined where nobody can promise it; `why` says so. */
  readonly failedLogins: 0 | undefined;
  readonly why: string;
  /** When a run without --now would begin it; undefined where it begins or goes on with the next run. */
  readonly begins: string | undefined;
  /** Why consumers may be refused although nothing stands in the way, each with what to do. */
  readonly risks: readonly string[];
  /** Who is logged in now, on every user of the credential. */
  readonly sessions: readonly Session[];
}

/**
 * Reads only: looks at service and stores, logs in once as consumers do, and then lets the same decision that a real
 * run asks decide step by step on what each step would leave behind. Time jumps over waiting. With `leaked` it is the
 * emergency that is rehearsed, with nobody told.
 */
export async function rehearse(deps: RotationDeps, request: { readonly leaked?: boolean } = {}): Promise<Rehearsal> {
  const run = await runFor(deps);
  const first = request.leaked ? asOrdered(run) : run.held?.journal;
  const seen = await look({ deps, held: first && { journal: first, version: run.held?.version ?? '' } });
  run.seen = seen;
  const sessions = await sessionsOn(deps, seen);
  const steps = isEmergency(first) ? seen.service.problems.map(goneOver) : [];
  const isReady = steps.length === 0;
  const at: Pretended = { journal: first, seen, now: deps.world.now() };
  let plans = 0;
  for (let turn = 0; turn < 500; turn += 1) {
    const step = nextStep(at, deps);
    if (step.do === 'rest' && step.outcome === 'waiting' && step.until !== undefined) {
      steps.push(`wait: ${step.text}`);
      // The service's clock goes on as ours does.
      const { clock } = at.seen.service;
      const later = clock === undefined ? undefined : after(clock, step.until - at.now);
      at.seen = { ...at.seen, service: { ...at.seen.service, clock: later } };
      at.now = step.until;
      continue;
    }
    const sentence = said(step, at);
    if (sentence !== undefined) steps.push(sentence);
    plans += step.do === 'plan' ? 1 : 0;
    if (step.do === 'rest' || isEnd(step) || plans > mostPlans) {
      const promise = promised(deps, { seen, sessions, isEmergency: isEmergency(first) });
      const { risks } = seen.service;
      const wouldFinish = step.do === 'move' && isReady;
      const begins = request.leaked ? undefined : whyLater(first, deps.plan, deps.world.now());
      return { credential: deps.plan.name, wouldFinish, steps, ...promise, begins, risks, sessions };
    }
    if (step.do === 'ask' && isReal(step, seen)) at.seen = await reallyAsk(run, step, at.seen);
    else pretend(at, step, { credential: deps.plan.name, sessions });
  }
  throw new LockkeeperError('bug', `the rehearsal of ${deps.plan.name} does not come to an end`);
}

/** What would begin anew this often ends at something that a rehearsal cannot foresee. */
const mostPlans = 3;

/** An emergency begins all the same, and most likely fails at it. */
function goneOver(problem: string): string {
  return `in the way, and not waited for: ${problem}`;
}

/** As if the order had been given and people told. */
function asOrdered({ deps, held }: Run): Journal {
  const now = deps.world.now();
  const order = { reason: 'rehearsed', actor: deps.actor, at: now, told: true };
  const draft = ordered(held?.journal, order, { credential: deps.plan.name, rotation: 'rehearsed', now });
  return { ...draft, orders: draft.orders.map((one) => ({ ...one, told: true })), epoch: 1, nonce: 'rehearsed' };
}

function nextStep(at: Pretended, deps: RotationDeps): Step {
  const asked: Asked = { plan: deps.plan, now: at.now, force: true, isMute: true };
  return beforeLooking(at.journal, asked) ?? decide(at.journal, at.seen, asked);
}

function isEnd(step: Step): boolean {
  return ['block', 'retry', 'postpone'].includes(step.do) || (step.do === 'move' && step.to === 'done');
}

function isEmergency(journal: Journal | undefined): boolean {
  if (!journal) return false;
  return journal.orders.length > 0 || (journal.phase !== 'done' && journal.emergency !== null);
}

/** The one question that is really asked is whether today's login works; what is only pretended is never shown. */
function isReal({ candidate, logins }: Extract<Step, { do: 'ask' }>, seen: Seen): boolean {
  const real = currentLogins(seen);
  return candidate === 'current' && logins.every((login) => real.some((one) => sameLogin(one, login)));
}

async function reallyAsk(run: Run, step: Extract<Step, { do: 'ask' }>, seen: Seen): Promise<Seen> {
  await ask(run, step);
  return { ...seen, heard: [...seen.heard, ...seenBy(run).heard] };
}

async function sessionsOn(deps: RotationDeps, seen: Seen): Promise<readonly Session[]> {
  if (seen.service.sessionsSeen === 'none') return [];
  return (await Promise.all(seen.service.slots.map((slot) => deps.service.sessions(slot)))).flat();
}

/** The step in the words of a real run's report; undefined for those that only move the journal. */
function said(step: Step, at: Pretended): string | undefined {
  switch (step.do) {
    case 'ask-sessions':
      return at.journal && at.journal.phase !== 'done'
        ? `wait until nobody is logged in as ${step.slots.join(', ')} any more`
        : nameOf(step);
    case 'change':
      return `${nameOf(step)}${at.seen.service.preHashed ? ', as a hash that no log can betray' : ''}`;
    case 'rest':
    case 'block':
    case 'retry':
    case 'postpone':
      return `stop: ${step.text}`;
    case 'prove':
    case 'mark':
      return undefined;
    case 'move':
      return step.to === 'done' ? 'done' : undefined;
    default:
      return nameOf(step);
  }
}

interface Known {
  readonly seen: Seen;
  readonly sessions: readonly Session[];
  readonly isEmergency: boolean;
}

function lasting(ms: number): string {
  const [unit, name] = ms >= hour ? [hour, 'h'] : ms >= minute ? [minute, 'min'] : [second, 's'];
  return `${Math.round((ms / unit) * 100) / 100} ${name}`;
}

/** 0 is promised only where no value ends that somebody may still use. */
function promised(
  deps: RotationDeps,
  { seen, sessions, isEmergency: leaked }: Known,
): Pick<Rehearsal, 'failedLogins' | 'why'> {
  const window = lasting(deps.plan.propagationMs);
  const { strategy, sessionsSeen } = seen.service;
  if (leaked) {
    const count =
      sessionsSeen === 'none'
        ? 'Nobody can see how many sessions there are; all of them are ended.'
        : sessions.length === 0
          ? 'No session is open now.'
          : `${sessions.length} sessions are open; all of them are ended.`;
    return {
      failedLogins: undefined,
      why: `It is an emergency: every login with the old value is refused from the moment it ends, until its consumer reads the new one, up to ${window}. ${count}`,
    };
  }
  if (strategy === 'single' && deps.plan.changesItself && seen.service.risks.length === 0) return ofItself(seen);
  if (strategy === 'single') {
    return {
      failedLogins: undefined,
      why: `With one user and one value, every login fails between the change and the moment its consumer reads the new value, up to ${window}.`,
    };
  }
  if (seen.service.risks.length > 0)
    return { failedLogins: undefined, why: `Nobody can promise 0: ${seen.service.risks.join('\n')}` };
  const byWindow = `every consumer reads the store at least every ${window}`;
  if (sessionsSeen === 'none')
    return { failedLogins: 0, why: `0 if ${byWindow}; the service shows no sessions, so only time protects them.` };
  return {
    failedLogins: 0,
    why: `0 if ${byWindow}: until then the old value stays valid, and longer while anybody is logged in with it.`,
  };
}

/** lockkeeper's own login: where the value that is handed out is refused, lockkeeper shows the one that is staged. */
function ofItself({ service: { slots } }: Seen): Pick<Rehearsal, 'failedLogins' | 'why'> {
  const why = `0 if lockkeeper alone logs in as ${slots.join(', ')}: it goes on with the new value from the change on. Anybody else is refused from then on.`;
  return { failedLogins: 0, why };
}
