import { toldText } from '../../audit/entries/withhold.ts';
import { LockkeeperError } from '../../base/error.ts';
import { formatInstant } from '../../base/time.ts';
import { OurValues } from '../../base/our-values.ts';
import type { Notice } from '../../approvals/contract.ts';
import { untold } from '../decisions/decide.ts';
import { emergencyNotice, orderNotice } from '../reviews/emergency.ts';
import { moveOn, whatHolds } from './moving.ts';
import { audited, record, recordAndTell, type Told } from './recorded.ts';
import { actorsOf, openReview } from '../reviews/review.ts';
import { currentLogins } from '../decisions/seen.ts';
import { sessionGroups } from '../decisions/sessions-left.ts';
import type { Of } from '../decisions/step.ts';
import { isEmergency } from '../decisions/trouble.ts';
import { overdueNotice } from './overdue-notice.ts';
import { heldBy, seenBy, type Run } from './under-way.ts';

/** People are told after the reason is durable; a crash in between tells them in the next run. */
export async function alarm(run: Run, step: Of<'block'> | Of<'alarm'>): Promise<void> {
  if (step.do === 'block') await moveOn(run, step);
  const { blocked, credential } = heldBy(run).journal;
  const text = toldText(blocked?.text ?? '');
  const fact = { action: 'rotation.block', details: { reason: blocked?.reason, text } };
  const notice = { hash: undefined, level: 'alarm' as const, text: `Rotation of ${credential} is blocked: ${text}` };
  await tellAndRecord(run, { fact, notice, step: { do: 'alarm' } });
}

/** A trouble that lasts. */
export async function warn(run: Run, step: Of<'warn'>): Promise<void> {
  const { journal } = heldBy(run);
  const { trouble, credential, phase } = journal;
  const emergency = isEmergency(journal);
  const text = toldText(trouble?.text ?? '');
  const what = phase === 'done' ? 'cannot begin' : emergency ? 'is not finished' : 'does not go on';
  const kind = emergency ? 'Emergency rotation' : 'Rotation';
  const sentence = `${kind} of ${credential} ${what}: ${text}. It is tried again${emergency ? ' in every run' : ''}.`;
  await tellAndRecord(run, {
    fact: { action: 'rotation.warn', details: { text, attempts: trouble?.attempts } },
    notice: { hash: undefined, level: emergency ? 'alarm' : 'warning', text: sentence },
    step,
  });
}

/** A drain that lasts long beyond its window: once, for nobody is locked out by it. */
export async function tellOverdue(run: Run, step: Of<'overdue'>): Promise<void> {
  const { sessions, over, text } = step;
  const groups = sessionGroups(sessions).slice(0, mostGroups);
  const left = groups.map(({ since, ...group }) => ({ ...group, since: since && formatInstant(since) }));
  const details = { windowOver: formatInstant(over), sessions: sessions.length, left, text: toldText(text) };
  const notice = overdueNotice(heldBy(run).journal, step);
  await tellAndRecord(run, { fact: { action: 'rotation.overdue', details }, notice, step });
}

/** So many fit into one entry of the log, however long the names of programs are. */
const mostGroups = 50;

/** A rotation that was due while whole windows passed. */
export async function tellMissed(run: Run, step: Of<'missed'>): Promise<void> {
  const { credential } = heldBy(run).journal;
  await tellAndRecord(run, {
    fact: { action: 'rotation.missed', details: { due: step.due, windows: step.windows, text: step.text } },
    notice: { hash: undefined, level: 'warning', text: `Rotation of ${credential} did not begin: ${step.text}` },
    step,
  });
}

interface Telling {
  readonly fact: Told;
  readonly notice: Notice;
  readonly step: Of<'alarm'> | Of<'warn'> | Of<'overdue'> | Of<'missed'>;
}

/** The step is over once people know. */
async function tellAndRecord(run: Run, { fact, notice, step }: Telling): Promise<void> {
  await recordAndTell(run, fact, async () => {
    if (await tell(run, notice)) await moveOn(run, step);
  });
}

/** Approvers know of an emergency before anything of it is looked at. */
export async function announce(run: Run, step: Of<'announce'>): Promise<void> {
  const { journal } = heldBy(run);
  for (const order of untold(journal)) {
    if (!(await tell(run, orderNotice(journal, order)))) return;
  }
  await moveOn(run, step);
}

/** The end of an emergency. */
export async function close(run: Run, step: Of<'review'> | Of<'notify'>): Promise<void> {
  const { journal } = heldBy(run);
  const reasons = journal.emergency?.orders.map(({ reason }) => reason);
  const details = { reasons, orderedBy: actorsOf(journal).map(toldText), ...whatHolds(run) };
  await audited(run, { action: `rotation.${step.do}`, details }, async () => {
    if (step.do === 'review') await openReview(run.deps.state, journal, run.deps.world.now());
    else await run.deps.notify(emergencyNotice(journal));
  });
  await moveOn(run, step);
}

/**
 * Tells consumers to read again. One that cannot be told is tried three times, once in an emergency: the window protects
 * it as it protects those that nobody tells.
 */
export async function refresh(run: Run, step: Of<'refresh'>): Promise<void> {
  const { journal } = heldBy(run);
  const receiver = run.deps.refreshes?.[step.name];
  const attempts = journal.refreshed.find(({ name }) => name === step.name)?.attempts ?? 0;
  if (!receiver) return await giveUp(run, step, 'the configuration does not say how');
  const secrets = journal.copies.map(({ store, secret }) => ({ store, secret }));
  const news = { credential: journal.credential, rotation: journal.rotation, secrets };
  let ofReceiver: unknown;
  try {
    await audited(run, { action: 'rotation.refresh', details: { name: step.name } }, () =>
      withholdingAll(run, () => receiver.poke(news)).catch((thrown: unknown) => {
        ofReceiver = thrown;
        throw thrown;
      }),
    );
  } catch (thrown) {
    if (!(thrown instanceof LockkeeperError) || thrown !== ofReceiver) throw thrown;
    if (journal.emergency || attempts >= 2) return await giveUp(run, step, thrown.message);
    await moveOn(run, step, { isOver: false });
    throw thrown;
  }
  await moveOn(run, step);
}

/** A receiver has just read the value and may repeat it in its answer. */
async function withholdingAll(run: Run, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    throw new OurValues(currentLogins(seenBy(run)).map(({ value }) => value)).withholdFrom(thrown);
  }
}

async function giveUp(run: Run, step: Of<'refresh'>, why: string): Promise<void> {
  const text = `${step.name} could not be told to read ${heldBy(run).journal.credential} again: ${toldText(why)}. Restart it, or let it read the store.`;
  await record(run, { action: 'rotation.refresh-failed', details: { name: step.name, text } });
  await tell(run, { hash: undefined, level: 'warning', text });
  await moveOn(run, step);
}

/** True where people were told. A messenger that is down never stops a rotation: the next run tells them. */
async function tell(run: Run, notice: Notice): Promise<boolean> {
  try {
    await run.deps.notify(notice);
    return true;
  } catch (thrown) {
    if (!(thrown instanceof LockkeeperError)) throw thrown;
    run.isMute = true;
    return false;
  }
}
