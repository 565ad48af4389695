import type { Notice } from '../../approvals/contract.ts';
import { toldText } from '../../audit/entries/withhold.ts';
import { hasCode, LockkeeperError } from '../../base/error.ts';
import { day, formatInstant, minute, type Instant } from '../../base/time.ts';
import { isDue } from '../decisions/trouble.ts';
import { recordAndTell, type Told } from '../effects/recorded.ts';
import { placeOf } from '../effects/told.ts';
import type { ReminderDeps } from './manual-plan.ts';
import { lookAtPlaces, observed } from './places-seen.ts';
import { readRecord, writeRecord, type HeldRecord, type ReminderRecord } from './reminder-record.ts';
import { endText, problemNotice, reminderNotice } from './reminder-text.ts';
import { endOf, lastMoment, reminded, remindersDue } from './reminders-due.ts';

/** How a credential that people renew stands, and what a run did about it; nothing in it is a secret. */
export interface ReminderReport {
  readonly credential: string;
  /**
   * `due`: it ends soon, and people were reminded. `unclear`: nobody knows when it ends, or a place is not in order.
   * `busy`: another run reminds. `failed`: the record or the log could not be used.
   */
  readonly outcome: 'in-time' | 'due' | 'expired' | 'unclear' | 'busy' | 'failed';
  /** One sentence: when it ends, and how it is renewed; or why that is not known. */
  readonly text: string;
  readonly expires: Instant | undefined;
  /** What is wrong with the places, a sentence each. */
  readonly problems: readonly string[];
  /** How many notices this run sent. */
  readonly told: number;
  readonly error: LockkeeperError | undefined;
}

/**
 * Looks at the places of a credential that people renew, and reminds people where that is due. Running it again is always
 * safe, and several at once are too. With `readOnly` nobody is told and nothing is written.
 *
 * | killed after       | what holds                                                                       |
 * |--------------------|----------------------------------------------------------------------------------|
 * | what was seen      | a lifetime counts from then; nobody was told                                     |
 * | the claim          | nobody was told; a run a quarter of an hour later tells                          |
 * | the entry          | the same, and the entry comes twice                                              |
 * | the notice         | people hear of it twice at most: who has told and not said so may not have told  |
 */
export async function remind(deps: ReminderDeps, how: { readonly readOnly?: boolean } = {}): Promise<ReminderReport> {
  const run: Run = { deps, told: 0, held: undefined, isBusy: false };
  try {
    run.held = await readRecord(deps.state, deps.plan.name);
    const seen = await lookAtPlaces(deps, run.held.record);
    const record = observed(run.held.record, deps.plan, { seen, now: deps.world.now() });
    if (how.readOnly) run.held = { ...run.held, record };
    else await tellWhatIsDue(run, record);
    return report(run);
  } catch (thrown) {
    if (!(thrown instanceof LockkeeperError)) throw thrown;
    if (thrown.code !== 'conflict') return { ...report(run), outcome: 'failed', text: thrown.message, error: thrown };
    return report({ ...run, isBusy: true });
  }
}

interface Run {
  readonly deps: ReminderDeps;
  told: number;
  held: HeldRecord | undefined;
  /** Another run tells people now. */
  isBusy: boolean;
}

/** How long a run that tells is waited for: longer than one lives. */
const claimMs = 15 * minute;

async function tellWhatIsDue(run: Run, record: ReminderRecord): Promise<void> {
  const now = run.deps.world.now();
  await write(run, record);
  if (record.telling !== null && Math.abs(now - record.telling.at) < claimMs) {
    run.isBusy = true;
    return;
  }
  for (const telling of [problemDue(run.deps, record, now), reminderDue(run.deps, record, now)]) {
    if (telling) await tell(run, telling);
  }
}

interface Telling {
  readonly fact: Told;
  readonly notice: Notice;
  /** The record once people know. */
  readonly after: (record: ReminderRecord) => ReminderRecord;
}

function problemDue({ plan }: ReminderDeps, { problem }: ReminderRecord, now: Instant): Telling | undefined {
  if (!problem || !isDue({ ...problem, urgent: false }, { unit: day, most: 7 * day }, now)) return undefined;
  return {
    fact: { action: 'credential.warn', details: { text: toldText(problem.text) } },
    notice: problemNotice(plan, problem),
    after: (record) => ({
      ...record,
      problem: record.problem && { ...record.problem, told: record.problem.told + 1, toldAt: now },
    }),
  };
}

function reminderDue({ plan }: ReminderDeps, record: ReminderRecord, now: Instant): Telling | undefined {
  const due = remindersDue(plan, record, now);
  if (!due) return undefined;
  const { end, moment } = due;
  const holds = record.places.map(({ versions, ...place }) => ({ ...placeOf(place), version: versions.at(-1)?.id }));
  const details = {
    expires: formatInstant(end.at),
    reminder: formatInstant(moment),
    expired: now >= end.at,
    by: plan.validUntil.by,
    holds,
  };
  return {
    fact: { action: 'credential.remind', details },
    notice: reminderNotice(plan, { end, record, now }),
    after: (held) => reminded(held, due),
  };
}

/** Claims it first, so that of two runs one tells; says so last, so that one that dies tells again. */
async function tell(run: Run, { fact, notice, after }: Telling): Promise<void> {
  const { deps } = run;
  const by = Buffer.from(deps.world.random(12)).toString('hex');
  await write(run, (record) => ({ ...record, telling: { at: deps.world.now(), by } }));
  await recordAndTell({ deps }, fact, async () => {
    const isTold = await notified(deps, notice);
    run.told += isTold ? 1 : 0;
    await sayHow(run, (record) => ({ ...(isTold ? after(record) : record), telling: null }));
  });
}

/** Another run may have written what it saw meanwhile: what people know is added to that. */
async function sayHow(run: Run, next: (record: ReminderRecord) => ReminderRecord): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await write(run, next);
    } catch (thrown) {
      if (!hasCode(thrown, 'conflict') || attempt === 5) throw thrown;
      run.held = await readRecord(run.deps.state, run.deps.plan.name);
    }
  }
}

/** A messenger that is down is asked again by the next run. */
async function notified({ notify }: ReminderDeps, notice: Notice): Promise<boolean> {
  try {
    await notify(notice);
    return true;
  } catch (thrown) {
    if (!(thrown instanceof LockkeeperError)) throw thrown;
    return false;
  }
}

async function write(run: Run, next: ReminderRecord | ((record: ReminderRecord) => ReminderRecord)): Promise<void> {
  if (!run.held) throw new LockkeeperError('bug', `${run.deps.plan.name}: a record was written before it was read`);
  const record = typeof next === 'function' ? next(run.held.record) : next;
  run.held = await writeRecord(run.deps.state, run.held, record);
}

function report({ deps, held, told, isBusy }: Run): ReminderReport {
  const { plan, world } = deps;
  const now = world.now();
  const problems = held?.record.problem?.text.split('\n') ?? [];
  const end = held && endOf(plan, held.record);
  const when = end ? endText(plan, end, now) : 'nobody knows when it expires';
  const outcome = isBusy ? 'busy' : outcomeOf({ deps, isKnown: end !== undefined && problems.length === 0, end, now });
  const text = `${when}; renew: ${plan.renew}`;
  return { credential: plan.name, outcome, text, expires: end?.at, problems, told, error: undefined };
}

function outcomeOf(of: {
  readonly deps: ReminderDeps;
  readonly isKnown: boolean;
  readonly end: { readonly at: Instant } | undefined;
  readonly now: Instant;
}): ReminderReport['outcome'] {
  const { deps, isKnown, end, now } = of;
  if (end && now >= end.at) return 'expired';
  if (!isKnown || !end) return 'unclear';
  return lastMoment(end.at, deps.plan.remindMs, now) === undefined ? 'in-time' : 'due';
}
