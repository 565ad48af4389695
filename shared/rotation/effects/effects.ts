import { LockkeeperError } from '../../base/error.ts';
import { begun } from '../decisions/begun.ts';
import { newRotationId } from './generate.ts';
import { moveOn, told } from './moving.ts';
import { alarm, announce, close, refresh, tellMissed, tellOverdue, warn } from './people-effects.ts';
import { audited } from './recorded.ts';
import { currentLogins } from '../decisions/seen.ts';
import { ask, askSessions, change, mark, retire } from './service-effects.ts';
import type { Action, Of } from '../decisions/step.ts';
import { abandon, promote, rescue, retireCopy, stage } from './store-effects.ts';
import { seenBy, type Run } from './under-way.ts';

/**
 * Carries one step out. Order of every effect: intent into the log → effect → outcome into the log → the journal moves
 * on. A crash between any two is healed by deciding again: every effect is repeatable under the journal's rotation id.
 */
export async function carryOut(run: Run, step: Action): Promise<void> {
  switch (step.do) {
    case 'ask':
      return await ask(run, step);
    case 'ask-sessions':
      return await askSessions(run, step);
    case 'mark':
      return await mark(run, step);
    case 'plan':
      return await begin(run, step);
    case 'stage':
      return await stage(run, step);
    case 'abandon':
      return await abandon(run, step);
    case 'clear':
    case 'retire':
      return await retire(run, step);
    case 'change':
      return await change(run, step);
    case 'promote':
      return await promote(run, step);
    case 'rescue':
      return await rescue(run, step);
    case 'retire-copy':
      return await retireCopy(run, step);
    default:
      return await carryOn(run, step);
  }
}

type Rest = Exclude<
  Action,
  Of<
    | 'ask'
    | 'ask-sessions'
    | 'mark'
    | 'plan'
    | 'stage'
    | 'abandon'
    | 'clear'
    | 'retire'
    | 'change'
    | 'promote'
    | 'rescue'
    | 'retire-copy'
  >
>;

/** Steps that move the journal, and those for which people are told. */
async function carryOn(run: Run, step: Rest): Promise<void> {
  switch (step.do) {
    case 'block':
    case 'alarm':
      return await alarm(run, step);
    case 'announce':
      return await announce(run, step);
    case 'warn':
      return await warn(run, step);
    case 'overdue':
      return await tellOverdue(run, step);
    case 'missed':
      return await tellMissed(run, step);
    case 'refresh':
      return await refresh(run, step);
    case 'review':
    case 'notify':
      return await close(run, step);
    case 'move':
      return await move(run, step);
    case 'follow':
      return await moveOn(run, step, { copies: seenBy(run).copies });
    case 'rebase':
    case 'replan':
    case 'join':
    case 'prove':
    case 'retry':
    case 'postpone':
    case 'unblock':
      return await moveOn(run, step);
  }
}

async function begin(run: Run, step: Of<'plan'>): Promise<void> {
  const { plan, world } = run.deps;
  const rotation = step.resume ?? newRotationId(world);
  const draft = begun(run.held?.journal, step, { credential: plan.name, rotation, now: world.now() });
  const replaces = currentLogins(seenBy(run)).map((login) => told(run, login));
  const leaked = draft.emergency?.orders.map(({ reason, actor }) => ({ reason, actor }));
  const details = { target: step.target, replaces, ...(leaked && { leaked }) };
  await audited(run, { action: 'rotation.plan', rotation, details }, async () => {
    run.held = await run.journals.write(run.held, draft);
  });
  // What was asked before the rotation began is still fresh, except who uses the slots.
  run.seen = { ...seenBy(run), sessions: undefined };
}

/** The window begins by the service's clock as well, read after every store was seen to hand out the new value. */
async function move(run: Run, step: Of<'move'>): Promise<void> {
  if (step.to !== 'draining') return await moveOn(run, step);
  const time = await serviceTime(run);
  await moveOn(run, step, time);
  // What is compared with it from now on is read by the same clock.
  run.seen = { ...seenBy(run), service: { ...seenBy(run).service, clock: time.clock } };
}

async function serviceTime(run: Run) {
  try {
    return { clock: (await run.deps.service.describe()).clock };
  } catch (thrown) {
    // An emergency has no window: it waits for nothing.
    if (thrown instanceof LockkeeperError && run.held?.journal.emergency) return { clock: undefined };
    throw thrown;
  }
}
