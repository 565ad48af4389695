import { LockkeeperError } from '../../base/error.ts';
import type { Guard, Login } from '../../services/contract.ts';
import { advanced, type StepResult } from '../decisions/advance.ts';
import { newRotationId } from './generate.ts';
import type { CopyPlace } from '../plan.ts';
import { nextOpening } from '../schedule/due.ts';
import { record, type Told } from './recorded.ts';
import { copyOf, currentLogins, isAt, type CopySeen } from '../decisions/seen.ts';
import type { Action } from '../decisions/step.ts';
import { placeOf, tellLogin, tellVersion, type ToldLogin } from './told.ts';
import { heldBy, seenBy, type Run } from './under-way.ts';

/** Writes what the step left behind; `conflict` where another run was faster. */
export async function moveOn(run: Run, step: Action, result: Omit<StepResult, 'now'> = {}): Promise<void> {
  const { journal } = heldBy(run);
  const rotation = step.do === 'replan' ? newRotationId(run.deps.world) : undefined;
  const now = run.deps.world.now();
  const opening = step.do === 'postpone' ? nextOpening(run.deps.plan, now) : undefined;
  const full = { ...result, now, opening, ...(rotation && { rotation }) };
  // Before the journal says so: a crash in between tells it twice, never not at all.
  const fact = turningPoint(run, step, rotation);
  if (fact) await record(run, fact);
  run.held = await run.journals.write(run.held, advanced(journal, step, full));
}

/** Stops a writer whose journal has moved on; the service runs it where its fence says. */
export function guardOf(run: Run): Guard {
  const { journal } = heldBy(run);
  return async () => {
    const live = await run.journals.read(journal.credential);
    if (live?.journal.epoch === journal.epoch && live.journal.nonce === journal.nonce) return;
    throw new LockkeeperError('conflict', `the journal of ${journal.credential} moved on while this run waited`, {
      hint: 'Another run is at work on this credential; nothing to do.',
    });
  };
}

/** One copy as the answer of a write says it is now. */
export function changeCopy(run: Run, place: CopyPlace, change: (copy: CopySeen) => CopySeen): void {
  const seen = seenBy(run);
  run.seen = { ...seen, copies: seen.copies.map((copy) => (isAt(copy, place) ? change(copy) : copy)) };
}

/** What the log tells of a login, given what the stores show. */
export function told(run: Run, login: Login): ToldLogin {
  return tellLogin(run.deps, seenBy(run).copies, login);
}

/** What consumers read now, and how far each store is. */
export function whatHolds(run: Run) {
  const holds = currentLogins(seenBy(run)).map((login) => told(run, login));
  const copies = heldBy(run).journal.copies.map(({ store, secret, expects, published }) => ({
    store,
    secret,
    expects,
    published,
  }));
  return { holds, copies };
}

/** Moves of the journal that no effect tells of, but without which an auditor would lose the thread. */
function turningPoint(run: Run, step: Action, next: string | undefined): Told | undefined {
  const { journal } = heldBy(run);
  if (step.do === 'replan') return { action: 'rotation.replan', details: { why: step.why, next } };
  if (step.do === 'rebase')
    return {
      action: 'rotation.rebase',
      details: { ...placeOf(step.place), ...tellVersion(run.deps, copyOf(seenBy(run), step.place).current) },
    };
  if (step.do === 'follow')
    return { action: 'rotation.follow', details: { reverted: step.reverted, ...told(run, step.login) } };
  if (step.do === 'join') return { action: 'rotation.join', details: placeOf(step.copy) };
  if (step.do === 'unblock')
    return { action: 'rotation.unblock', details: { back: step.back, reason: journal.blocked?.reason } };
  if (step.do !== 'move' || step.to !== 'done') return undefined;
  return {
    action: 'rotation.done',
    details: { proof: journal.proof, ...(journal.reverted && { reverted: true }), ...whatHolds(run) },
  };
}
