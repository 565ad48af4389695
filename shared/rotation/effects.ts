import { toldText } from '../audit/entries/withhold.ts';
import { hasCode, LockkeeperError } from '../base/error.ts';
import type { SecretVersion } from '../secrets/contract.ts';
import type { Guard, Login, LoginAnswer } from '../services/contract.ts';
import { advanced, begun, type StepResult } from './advance.ts';
import { withLogin } from './consumer-text.ts';
import { emergencyNotice, openReview } from './emergency.ts';
import { generateValue, newRotationId } from './generate.ts';
import { copyOf, currentLogins, readCopy, stagedIn, versionSeen, type Candidate, type CopySeen } from './seen.ts';
import type { CopyPlace } from './plan.ts';
import { audited, record, type Told } from './recorded.ts';
import type { Rest, Step } from './step.ts';
import { placeOf, tellLogin, tellVersion, type ToldLogin } from './told.ts';
import { heldBy, seenBy, storeOf, type Run } from './under-way.ts';

type Action = Exclude<Step, Rest>;
type Of<Name extends Action['do']> = Extract<Action, { do: Name }>;

/**
 * Carries one step out. Order of every effect: intent into the log → effect → outcome into the log → the journal moves
 * on. A crash between any two is healed by deciding again: every effect is repeatable under the journal's rotation id.
 */
export async function carryOut(run: Run, step: Action): Promise<void> {
  switch (step.do) {
    case 'ask':
      return await ask(run, step.candidate, step.logins);
    case 'ask-sessions':
      return await askSessions(run, step.slots);
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
    case 'retire-copy':
      return await retireCopy(run, step);
    case 'block':
    case 'alarm':
      return await alarm(run, step);
    case 'review':
    case 'notify':
      return await close(run, step);
    case 'move':
    case 'rebase':
    case 'replan':
    case 'prove':
    case 'retry':
    case 'unblock':
      return await moveOn(run, step);
  }
}

/**
 * One login a candidate on every endpoint; what is thrown is no answer. A login that is refused may count at the
 * service, so it has its intent too.
 */
async function ask(run: Run, candidate: Candidate, logins: readonly Login[]): Promise<void> {
  const { endpoints } = seenBy(run).service;
  const everywhere = (one: readonly LoginAnswer[]) =>
    endpoints.every((endpoint) => one.some((a) => a.endpoint === endpoint && a.accepted));
  const isAccepted = (answers: readonly LoginAnswer[][]) =>
    candidate === 'old' ? answers.flat().some((answer) => answer.accepted) : answers.some(everywhere);
  const heard = (answers: readonly LoginAnswer[][]) => {
    const asked = logins.map((login, at) => ({
      ...told(run, login),
      answers: (answers[at] ?? []).map((answer) => ({ ...answer })),
    }));
    return { accepted: isAccepted(answers), logins: asked };
  };
  const details = { candidate, logins: logins.map((login) => told(run, login)) };
  const answers = await audited(run, { action: 'rotation.login', details, told: heard }, async () => {
    const all: LoginAnswer[][] = [];
    for (const login of logins) all.push([...(await run.deps.service.accepts(login))]);
    return all;
  });
  run.seen = { ...seenBy(run), answers: { ...seenBy(run).answers, [candidate]: isAccepted(answers) } };
}

async function askSessions(run: Run, slots: readonly string[]): Promise<void> {
  const sessions = await Promise.all(slots.map((slot) => run.deps.service.sessions(slot)));
  run.seen = { ...seenBy(run), sessions: sessions.flat() };
}

async function begin(run: Run, step: Of<'plan'>): Promise<void> {
  const { plan, world, actor } = run.deps;
  const rotation = step.resume ?? newRotationId(world);
  const leaked = run.request.leaked && { reason: run.request.leaked.reason, actor };
  const draft = begun(run.held?.journal, step, {
    credential: plan.name,
    rotation,
    now: world.now(),
    ...(leaked && { leaked }),
  });
  const replaces = currentLogins(seenBy(run)).map((login) => told(run, login));
  const details = { target: step.target, replaces, ...(leaked && { leaked: leaked.reason }) };
  await audited(run, { action: 'rotation.plan', rotation, details }, async () => {
    run.held = await run.journals.write(run.held, draft);
  });
  // What was asked before the rotation began is still fresh, except who uses the slots.
  run.seen = { ...seenBy(run), sessions: undefined };
}

/** The first value staged anywhere is the rotation's value; it is in memory only until it is durable in one store. */
async function stage(run: Run, step: Of<'stage'>): Promise<void> {
  const { journal } = heldBy(run);
  const seen = seenBy(run);
  const copy = copyOf(seen, step.place);
  const known = seen.copies.flatMap((one) => stagedIn(journal, one)?.login ?? [])[0];
  const login = known ?? { slot: journal.target, value: generateValue(seen.service.valueRule, run.deps.world) };
  const basis = copy.current?.text ?? seen.copies.find((one) => one.current)?.current?.text;
  if (!basis)
    throw new LockkeeperError(
      'not-found',
      `${step.place.store}/${step.place.secret}: no store holds a text to put the new login into`,
    );
  const text = withLogin(basis, login);
  const details = { ...placeOf(step.place), ...tellVersion(run.deps, { id: undefined, login }) };
  // Somebody else may have been first: the outcome tells the version and the value that count.
  const staged = (answer: SecretVersion) => tellVersion(run.deps, versionSeen(answer));
  const version = await audited(run, { action: 'rotation.stage', details, told: staged }, () => {
    return storeOf(run.deps, step.place.store).stage(step.place.secret, journal.rotation, text);
  });
  await lookAgain(run, step.place);
  await moveOn(run, step, { version: version.id });
}

async function abandon(run: Run, step: Of<'abandon'>): Promise<void> {
  const { pending } = copyOf(seenBy(run), step.place);
  const gone = pending?.rotation === step.rotation ? pending : undefined;
  const details = { ...placeOf(step.place), abandoned: step.rotation, ...tellVersion(run.deps, gone) };
  await audited(run, { action: 'rotation.abandon', details }, () => {
    return storeOf(run.deps, step.place.store).abandon(step.place.secret, step.rotation);
  });
  await lookAgain(run, step.place);
}

/**
 * A value that policy refuses is given up with its rotation id; after any other failure the same value is tried again.
 */
async function change(run: Run, step: Of<'change'>): Promise<void> {
  const details = told(run, step.login);
  try {
    await audited(run, { action: 'rotation.change', details }, () => run.deps.service.change(step.login, guardOf(run)));
  } catch (thrown) {
    if (!hasCode(thrown, 'rejected')) throw thrown;
    return await giveUpValue(run, thrown);
  }
  // A refused candidate is not asked a second time in this run; an accepted one may be refused now.
  const { current } = seenBy(run).answers;
  run.seen = { ...seenBy(run), answers: current === false ? { current } : {} };
  await moveOn(run, step);
}

async function giveUpValue(run: Run, error: LockkeeperError): Promise<void> {
  const said = toldText(error.message);
  const text = `the service refuses every new value: ${said}. Make its value rule fit its policy.`;
  if (heldBy(run).journal.rejections >= 4)
    return await alarm(run, { do: 'block', reason: 'every-value-rejected', text });
  await moveOn(run, { do: 'replan', why: said });
}

async function promote(run: Run, step: Of<'promote'>): Promise<void> {
  const { journal } = heldBy(run);
  const staged = stagedIn(journal, copyOf(seenBy(run), step.place));
  const details = { ...placeOf(step.place), from: step.from, ...tellVersion(run.deps, staged) };
  const current = (answer: SecretVersion) => tellVersion(run.deps, versionSeen(answer));
  const version = await audited(run, { action: 'rotation.promote', details, told: current }, () => {
    return storeOf(run.deps, step.place.store).promote(step.place.secret, journal.rotation, step.from ?? undefined);
  });
  await lookAgain(run, step.place);
  await moveOn(run, step, { version: version.id });
}

async function retire(run: Run, step: Of<'retire'> | Of<'clear'>): Promise<void> {
  const endSessions = step.do === 'clear' || step.endSessions;
  for (const login of step.logins) {
    const details = { ...told(run, login), endSessions };
    await audited(run, { action: `rotation.${step.do}`, details }, () =>
      run.deps.service.retire(login, guardOf(run), { endSessions }),
    );
  }
  run.seen = { ...seenBy(run), answers: {} };
  await moveOn(run, step);
}

async function retireCopy(run: Run, step: Of<'retire-copy'>): Promise<void> {
  const { previous } = copyOf(seenBy(run), step.place);
  const ended = previous?.id === step.version ? previous : { id: step.version, login: undefined };
  await audited(
    run,
    { action: 'rotation.retire-copy', details: { ...placeOf(step.place), ...tellVersion(run.deps, ended) } },
    () => {
      return storeOf(run.deps, step.place.store).retire(step.place.secret, step.version);
    },
  );
  await lookAgain(run, step.place);
  await moveOn(run, step);
}

/** People are told after the reason is durable; a crash in between tells them in the next run. */
async function alarm(run: Run, step: Of<'block'> | Of<'alarm'>): Promise<void> {
  if (step.do === 'block') await moveOn(run, step);
  const { blocked, credential } = heldBy(run).journal;
  await record(run, {
    action: 'rotation.block',
    details: { reason: blocked?.reason, text: toldText(blocked?.text ?? '') },
  });
  await run.deps.notify({
    hash: undefined,
    level: 'alarm',
    text: `Rotation of ${credential} is blocked: ${blocked?.text ?? ''}`,
  });
  await moveOn(run, { do: 'alarm' });
}

async function close(run: Run, step: Of<'review'> | Of<'notify'>): Promise<void> {
  const { journal } = heldBy(run);
  await audited(
    run,
    { action: `rotation.${step.do}`, details: { reason: journal.emergency?.reason, ...whatHolds(run) } },
    async () => {
      if (step.do === 'review') await openReview(run.deps.state, journal, run.deps.world.now());
      else await run.deps.notify(emergencyNotice(journal));
    },
  );
  await moveOn(run, step);
}

/** Writes what the step left behind; `conflict` where another run was faster. */
async function moveOn(run: Run, step: Action, result: Omit<StepResult, 'now'> = {}): Promise<void> {
  const { journal } = heldBy(run);
  const rotation = step.do === 'replan' ? newRotationId(run.deps.world) : undefined;
  const full = { ...result, now: run.deps.world.now(), ...(rotation && { rotation }) };
  // Before the journal says so: a crash in between tells it twice, never not at all.
  const fact = turningPoint(run, step, rotation);
  if (fact) await record(run, fact);
  run.held = await run.journals.write(run.held, advanced(journal, step, full));
}

/** Stops a writer whose journal has moved on; the service runs it under its own lock. */
function guardOf(run: Run): Guard {
  const { journal } = heldBy(run);
  return async () => {
    const live = await run.journals.read(journal.credential);
    if (live?.journal.epoch === journal.epoch && live.journal.nonce === journal.nonce) return;
    throw new LockkeeperError('conflict', `the journal of ${journal.credential} moved on while this run waited`, {
      hint: 'Another run is at work on this credential; nothing to do.',
    });
  };
}

async function lookAgain(run: Run, place: CopyPlace): Promise<void> {
  const fresh = await readCopy(place, storeOf(run.deps, place.store));
  const isFresh = (copy: CopySeen) => copy.store === place.store && copy.secret === place.secret;
  run.seen = { ...seenBy(run), copies: seenBy(run).copies.map((copy) => (isFresh(copy) ? fresh : copy)) };
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
  if (step.do === 'unblock')
    return { action: 'rotation.unblock', details: { back: step.back, reason: journal.blocked?.reason } };
  if (step.do !== 'move' || step.to !== 'done') return undefined;
  return { action: 'rotation.done', details: { proof: journal.proof, ...whatHolds(run) } };
}

/** What consumers read now, and how far each store is. */
function whatHolds(run: Run) {
  const holds = currentLogins(seenBy(run)).map((login) => told(run, login));
  const copies = heldBy(run).journal.copies.map(({ store, secret, from, published }) => ({
    store,
    secret,
    from,
    published,
  }));
  return { holds, copies };
}

function told(run: Run, login: Login): ToldLogin {
  return tellLogin(run.deps, seenBy(run).copies, login);
}
