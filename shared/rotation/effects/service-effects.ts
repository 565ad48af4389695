import { toldText } from '../../audit/entries/withhold.ts';
import { hasCode, type LockkeeperError } from '../../base/error.ts';
import { formatInstant } from '../../base/time.ts';
import type { EndpointResult, Login, LoginAnswer } from '../../services/contract.ts';
import { guardOf, moveOn, told } from './moving.ts';
import { alarm } from './people-effects.ts';
import { audited } from './recorded.ts';
import { oldLogins, sameLogin, verdictOn, type Heard, type Seen } from '../decisions/seen.ts';
import type { Drained, Of } from '../decisions/step.ts';
import { drainedText } from '../decisions/step-name.ts';
import { heldBy, look, seenBy, type Run } from './under-way.ts';

/**
 * One login a candidate on every endpoint. A login that is refused may count at the service, so it has its intent too.
 */
export async function ask(run: Run, { candidate, logins }: Of<'ask'>): Promise<void> {
  const details = { candidate, logins: logins.map((login) => told(run, login)) };
  const heard = (all: readonly Heard[]) => ({
    logins: all.map(({ login, answers }) => ({ ...told(run, login), answers: answers.map(toldAnswer) })),
  });
  const answers = await audited(run, { action: 'rotation.login', details, told: heard }, async () => {
    const all: Heard[] = [];
    for (const login of logins) all.push({ login, answers: await run.deps.service.accepts(login) });
    return all;
  });
  run.seen = { ...seenBy(run), heard: [...seenBy(run).heard, ...answers] };
}

/** An answer as the log tells it. */
export function toldAnswer({ endpoint, answer, encrypted, error }: LoginAnswer) {
  return { endpoint, answer, encrypted, ...(error && { error: toldText(error.message) }) };
}

/** Who is logged in on the slots, as far as `before` says. */
export async function askSessions(run: Run, { slots, before }: Of<'ask-sessions'>): Promise<void> {
  const sessions = await Promise.all(slots.map((slot) => run.deps.service.sessions(slot, before)));
  run.seen = { ...seenBy(run), sessions: sessions.flat() };
}

/** The mark is taken by a fresh look, after the window was seen to be over. */
export async function mark(run: Run, step: Of<'mark'>): Promise<void> {
  const { mark: fresh = step.mark } = await run.deps.service.describe();
  await moveOn(run, { do: 'mark', mark: fresh });
}

/**
 * A value that policy refuses is given up with its rotation id; after any other failure the same value is tried again.
 */
export async function change(run: Run, step: Of<'change'>): Promise<void> {
  const { login, keep } = step;
  const details = { ...told(run, login), ...(keep && { keep: told(run, keep) }) };
  try {
    const results = await audited(run, { action: 'rotation.change', details, told: toldResults }, () =>
      run.deps.service.change(login, keep, guardOf(run)),
    );
    checkResults(run, results);
  } catch (thrown) {
    if (!hasCode(thrown, 'rejected')) throw thrown;
    return await giveUpValue(run, thrown, login);
  }
  // What was accepted may be refused now; what was refused is not asked a second time in this run.
  run.seen = { ...seenBy(run), heard: refusedOnes(seenBy(run)).filter((one) => !sameLogin(one.login, login)) };
  await moveOn(run, step);
}

/** Nobody can use a value that no endpoint takes; one that some endpoint takes is never given up. */
async function giveUpValue(run: Run, error: LockkeeperError, login: Login): Promise<void> {
  const said = toldText(error.message);
  if (await isInUse(run, login)) {
    const text = `an endpoint accepts the new value, and the service does not take it where it is missing: ${said}. Let it take that value, then run with --now.`;
    return await alarm(run, { do: 'block', reason: 'refused-after-set', text });
  }
  if (heldBy(run).journal.rejections < 4) return await moveOn(run, { do: 'replan', why: said });
  const text = `the service refuses every new value: ${said}. Make its value rule fit its policy.`;
  await alarm(run, { do: 'block', reason: 'every-value-rejected', text });
}

/** A value that consumers read, or that an endpoint took in an earlier run. */
async function isInUse(run: Run, login: Login): Promise<boolean> {
  const { journal } = heldBy(run);
  const isPublished = journal.copies.some(({ published }) => published !== null);
  if (journal.emergency || (!isPublished && seenBy(run).service.endpoints.length < 2)) return false;
  if (!verdictOn(seenBy(run), login)) await ask(run, { do: 'ask', candidate: 'new', logins: [login] });
  return (verdictOn(seenBy(run), login)?.accepted.length ?? 0) > 0;
}

/** Ends values at the service, and looks at everything again: what was true before is not worth much now. */
export async function retire(run: Run, step: Of<'retire'> | Of<'clear'>): Promise<void> {
  const endSessions = step.do === 'clear' || step.endSessions;
  const drained = step.do === 'retire' ? step.drained : undefined;
  if (drained) run.steps.push(drainedText(drained));
  const unreached: string[] = [];
  for (const { slot, keep } of step.endings) {
    const old = oldLogins(heldBy(run).journal, seenBy(run)).filter((one) => one.slot === slot);
    const ends = old.map((one) => told(run, one));
    const details = {
      slot,
      endSessions,
      ends,
      ...(keep && { keep: told(run, keep) }),
      ...(drained && { drained: toldDrain(drained) }),
    };
    const results = await audited(run, { action: `rotation.${step.do}`, details, told: toldResults }, () =>
      run.deps.service.retire(slot, keep, guardOf(run), { endSessions }),
    );
    checkResults(run, results);
    unreached.push(...results.filter(({ error }) => error).map(({ endpoint }) => endpoint));
  }
  const heard = refusedOnes(seenBy(run));
  await moveOn(run, step, { unreached: [...new Set(unreached)] });
  if (step.do === 'retire') run.seen = { ...(await look(run)), heard };
}

function toldDrain({ over, sessions, endpoints, at }: Drained) {
  return { windowOver: formatInstant(over), sessions, endpoints, at: formatInstant(at) };
}

/** A login that was refused somewhere may count against the user there, so it is not shown a second time in a run. */
function refusedOnes({ heard }: Seen): readonly Heard[] {
  return heard
    .filter(({ answers }) => answers.some(({ answer }) => answer === 'refused'))
    .map((one) => (one.answers.every(({ answer }) => answer === 'refused') ? one : { ...one, isOver: true }));
}

function toldResults(results: readonly EndpointResult[]) {
  const failed = results.flatMap(({ endpoint, error }) =>
    error ? [{ endpoint, error: toldText(error.message) }] : [],
  );
  return {
    done: results.filter(({ error }) => !error).map(({ endpoint }) => endpoint),
    ...(failed.length > 0 && { failed }),
  };
}

/** One endpoint's failure stops an ordinary rotation; an emergency goes on where it could, and asks there later. */
function checkResults(run: Run, results: readonly EndpointResult[]): void {
  const failed = results.flatMap(({ error }) => error ?? []);
  const [first] = failed;
  if (first && (!heldBy(run).journal.emergency || failed.length === results.length)) throw first;
}
