import { LockkeeperError } from '../base/error.ts';
import { Sealed } from '../base/sealed.ts';
import { formatInstant, hour, type Instant } from '../base/time.ts';
import type { Session } from '../services/contract.ts';
import { advanced, begun } from './advance.ts';
import { decide } from './decide.ts';
import { journals, type Journal, type JournalDraft } from './journal.ts';
import type { RotationDeps } from './plan.ts';
import { copyOf, currentLogins, type CopySeen, type Seen, type VersionSeen } from './seen.ts';
import type { Rest, Step } from './step.ts';
import { nameOf } from './step-name.ts';
import { look } from './under-way.ts';

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
  /** Who is logged in now, on every user of the credential. */
  readonly sessions: readonly Session[];
}

interface Pretended {
  journal: Journal | undefined;
  seen: Seen;
  now: Instant;
}

/**
 * Reads only: looks at service and stores, logs in once as consumers do, and then lets the same decision that a real
 * run asks decide step by step on what each step would leave behind. Time jumps over waiting.
 */
export async function rehearse(deps: RotationDeps): Promise<Rehearsal> {
  const held = await journals(deps.state, deps.world).read(deps.plan.name);
  const seen = await look({ deps, held });
  const sessions = await sessionsOn(deps, seen);
  const steps: string[] = [];
  const at: Pretended = { journal: held?.journal, seen, now: deps.world.now() };
  for (let turn = 0; turn < 500; turn += 1) {
    const step = decide(at.journal, at.seen, { plan: deps.plan, now: at.now, force: true, leaked: false });
    if (step.do === 'rest' && step.outcome === 'waiting' && step.until !== undefined) {
      steps.push(`wait: ${step.text}`);
      at.now = step.until;
      continue;
    }
    const sentence = said(step, at);
    if (sentence !== undefined) steps.push(sentence);
    const ended =
      step.do === 'rest' || step.do === 'block' || step.do === 'retry' || (step.do === 'move' && step.to === 'done');
    if (ended)
      return {
        credential: deps.plan.name,
        wouldFinish: step.do === 'move',
        steps,
        ...promised(deps, seen),
        sessions,
      };
    await pretend(at, step, { deps, sessions });
  }
  throw new LockkeeperError('bug', `the rehearsal of ${deps.plan.name} does not come to an end`);
}

async function sessionsOn(deps: RotationDeps, seen: Seen): Promise<readonly Session[]> {
  if (seen.service.sessionsSeen === 'none') return [];
  return (await Promise.all(seen.service.slots.map((slot) => deps.service.sessions(slot)))).flat();
}

/** What each step would leave behind. The one question that is really asked is whether today's login works. */
async function pretend(
  at: Pretended,
  step: Exclude<Step, Rest>,
  real: { readonly deps: RotationDeps; readonly sessions: readonly Session[] },
): Promise<void> {
  if (step.do === 'ask') {
    const answer = step.candidate === 'current' ? await acceptedNow(real.deps, at.seen) : step.candidate === 'new';
    at.seen = { ...at.seen, answers: { ...at.seen.answers, [step.candidate]: answer } };
  } else if (step.do === 'ask-sessions') {
    // Before it begins the users must be idle now; later, draining ends when they are.
    const now =
      at.journal && at.journal.phase !== 'done'
        ? []
        : real.sessions.filter((session) => step.slots.includes(session.slot));
    at.seen = { ...at.seen, sessions: now };
  } else if (step.do === 'plan') {
    const start = { credential: real.deps.plan.name, rotation: step.resume ?? 'rehearsed', now: at.now };
    at.journal = counted(begun(at.journal, step, start));
    at.seen = { ...at.seen, sessions: undefined };
  } else {
    at.seen = leftBehind(at, step);
    if (step.do !== 'abandon' && at.journal)
      at.journal = counted(advanced(at.journal, step, { now: at.now, version: 'rehearsed', rotation: 'rehearsed' }));
  }
}

async function acceptedNow(deps: RotationDeps, seen: Seen): Promise<boolean> {
  for (const login of currentLogins(seen)) {
    const answers = await deps.service.accepts(login);
    if (answers.length === 0 || answers.some((answer) => !answer.accepted)) return false;
  }
  return currentLogins(seen).length > 0;
}

function leftBehind(at: Pretended, step: Exclude<Step, Rest>): Seen {
  if (!('place' in step) || step.do === 'rebase') return at.seen;
  const { journal } = at;
  const value: VersionSeen = {
    id: 'rehearsed',
    text: new Sealed(''),
    login: { slot: journal?.target ?? '', value: new Sealed('') },
  };
  const copy = copyOf(at.seen, step.place);
  const changed = ((): CopySeen => {
    if (step.do === 'stage') return { ...copy, pending: { ...value, rotation: journal?.rotation ?? '' } };
    if (step.do === 'promote')
      return { ...copy, current: copy.pending ?? value, previous: copy.current, pending: undefined };
    return step.do === 'abandon' ? { ...copy, pending: undefined } : { ...copy, previous: undefined };
  })();
  const fresh =
    changed.current?.id === 'rehearsed' || changed.current?.id === copy.current?.id
      ? changed
      : { ...changed, current: { ...value, ...changed.current, id: 'rehearsed' } };
  return { ...at.seen, copies: at.seen.copies.map((one) => (one === copy ? fresh : one)) };
}

function counted(draft: JournalDraft): Journal {
  return { ...draft, epoch: 1, nonce: 'rehearsed' };
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
      return `stop: ${step.text}`;
    case 'prove':
      return undefined;
    case 'move':
      return step.to === 'done' ? 'done' : undefined;
    default:
      return nameOf(step);
  }
}

function promised(deps: RotationDeps, seen: Seen): Pick<Rehearsal, 'failedLogins' | 'why'> {
  const window = `${Math.round((deps.plan.propagationMs / hour) * 100) / 100} h`;
  if (seen.service.strategy === 'single') {
    return {
      failedLogins: undefined,
      why: `With one user and one value, every login fails between the change and the moment its consumer reads the new value, up to ${window}.`,
    };
  }
  const byWindow = `every consumer reads the store at least every ${window}`;
  if (seen.service.sessionsSeen === 'none')
    return { failedLogins: 0, why: `0 if ${byWindow}; the service shows no sessions, so only time protects them.` };
  return {
    failedLogins: 0,
    why: `0 if ${byWindow}: until then the old value stays valid, and longer while anybody is logged in with it.`,
  };
}

/** One line a session, for people. */
export function sessionLine(session: Session): string {
  return `${session.slot} from ${session.peer}${session.since === undefined ? '' : ` since ${formatInstant(session.since)}`}`;
}
