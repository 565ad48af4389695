import { LockkeeperError } from '../../base/error.ts';
import { ask } from '../effects/service-effects.ts';
import { placesOf, readOne, type Run } from '../effects/under-way.ts';
import type { Heard } from '../decisions/seen.ts';
import { decodeJournal, keyOf } from '../journal/journal-format.ts';
import { journals } from '../journal/journals.ts';
import type { Journal } from '../journal/journal.ts';
import type { RotationDeps } from '../plan.ts';
import { adoptedJournal, seenOf, type Facts } from './facts.ts';
import type { Finding } from './finding.ts';
import { findings } from './findings.ts';
import { questionsOf } from './questions.ts';
import { OtherCheck, readRecord, type HeldRecord, type KnownFinding } from './record.ts';
import { conclude } from './tell.ts';

/**
 * How a check ended. `agrees`: nothing was found. `idle`: the credential was never adopted, so nothing was looked at.
 * `moved`: a rotation or another check went on meanwhile, so this one says nothing. `failed`: nothing could be checked, or put down.
 */
export type DriftOutcome = 'agrees' | 'drifted' | 'idle' | 'moved' | 'failed' | 'stopped';

/** What one check found; nothing in it is a secret. */
export interface DriftReport {
  readonly credential: string;
  readonly outcome: DriftOutcome;
  readonly text: string;
  readonly findings: readonly Finding[];
  /** Ids of findings that are new since the check before. */
  readonly fresh: readonly string[];
  /** Findings of earlier checks into which this one could not look. */
  readonly open: readonly KnownFinding[];
  /** Findings of earlier checks that are over. */
  readonly over: readonly KnownFinding[];
  readonly error: LockkeeperError | undefined;
}

/**
 * Compares the journal, the stores and the service of one credential, and changes nothing of them. Each login is asked
 * once. What is new goes into the log, is remembered in the state store, and people are told of it once; what is over too.
 * Repeatable, and several at once are safe. Failures that the world caused are in the report; only defects are thrown.
 */
export async function checkDrift(
  deps: RotationDeps,
  { onlyAdopted = false }: { readonly onlyAdopted?: boolean } = {},
): Promise<DriftReport> {
  try {
    return await checked(deps, onlyAdopted);
  } catch (thrown) {
    if (!(thrown instanceof LockkeeperError)) throw thrown;
    if (thrown instanceof OtherCheck) return report(deps, 'moved', `${thrown.message}. It tells what it found.`);
    return { ...report(deps, 'failed', thrown.message), error: thrown };
  }
}

async function checked(deps: RotationDeps, onlyAdopted: boolean): Promise<DriftReport> {
  const { world, state, plan } = deps;
  if (world.now() >= world.deadline()) return report(deps, 'stopped', 'the time of this run is over');
  const held = await readRecord(state, plan.name);
  const begin = await readJournal(deps);
  const last = held.record.journal ?? undefined;
  if (onlyAdopted && !last && !(begin.journal instanceof Error) && !begin.journal?.adopted)
    return report(deps, 'idle', 'not adopted, so there is nothing to compare with');
  const facts = await heard(deps, begin, await looked(deps, { journal: begin.journal, last }));
  // What was read before and after a step of a rotation does not belong together.
  if ((await readJournal(deps)).version !== begin.version)
    return report(deps, 'moved', 'a rotation went on while it was checked, so the check says nothing. Run it again.');
  return await concluded(deps, { facts, held });
}

async function concluded(
  deps: RotationDeps,
  { facts, held }: { readonly facts: Facts; readonly held: HeldRecord },
): Promise<DriftReport> {
  const found = findings(facts);
  const news = await conclude(deps, { facts, held, found });
  const { open, over } = news;
  const count = found.findings.length + open.length;
  const text = count === 0 ? textOf(facts) : `${count} ${count === 1 ? 'finding' : 'findings'}`;
  return {
    ...report(deps, count === 0 ? 'agrees' : 'drifted', text),
    findings: found.findings,
    fresh: news.fresh.map(({ id }) => id),
    open,
    over,
  };
}

function textOf(facts: Facts): string {
  const journal = adoptedJournal(facts);
  const phase = journal && journal.phase !== 'done' ? ` A rotation is under way (${journal.phase}).` : '';
  return `journal, stores and service agree.${phase}`;
}

interface JournalRead {
  /** Undefined where there is no object. */
  readonly version: string | undefined;
  readonly journal: Facts['journal'];
}

/** A journal that cannot be understood is a fact; a state store that fails is a failure. */
async function readJournal({ state, plan }: RotationDeps): Promise<JournalRead> {
  const stored = await state.get(keyOf(plan.name));
  if (!stored) return { version: undefined, journal: undefined };
  try {
    return { version: stored.version, journal: decodeJournal(stored.bytes, plan.name) };
  } catch (thrown) {
    if (!(thrown instanceof LockkeeperError)) throw thrown;
    return { version: stored.version, journal: thrown };
  }
}

/** What the service says it is, and what every store shows. */
async function looked(deps: RotationDeps, known: Pick<Facts, 'journal' | 'last'>): Promise<Facts> {
  const { plan, world } = deps;
  const service = await orError(() => deps.service.describe());
  const journal = known.journal instanceof Error ? undefined : known.journal;
  const told = service instanceof Error ? { slots: slotsOf(journal), clock: undefined } : service;
  const copies = await Promise.all(
    placesOf(deps, journal).map((place) => readOne(deps, place, { journal, service: told, andEnded: true })),
  );
  return { plan, now: world.now(), ...known, service, copies, heard: [], sessions: undefined };
}

/** Enough to read a text that names no user. */
function slotsOf(journal: Journal | undefined): readonly string[] {
  return journal && journal.target !== '' ? [journal.target] : [];
}

/** Sessions first, so that no login of this check is among them. */
async function heard(deps: RotationDeps, { journal }: JournalRead, facts: Facts): Promise<Facts> {
  const { current, ended, idle } = questionsOf(facts);
  const sessions =
    idle.length === 0
      ? undefined
      : await orError(async () => (await Promise.all(idle.map((slot) => deps.service.sessions(slot)))).flat());
  const run = runOf(deps, { journal, facts });
  if (current.length > 0) await ask(run, { do: 'ask', candidate: 'current', logins: current });
  if (ended.length > 0) await ask(run, { do: 'ask', candidate: 'old', logins: ended });
  const all: readonly Heard[] = run.seen?.heard ?? [];
  return { ...facts, sessions, heard: all };
}

/** A run that only looks and asks, about what was seen already. */
function runOf(deps: RotationDeps, { journal, facts }: Pick<JournalRead, 'journal'> & { readonly facts: Facts }): Run {
  const held = journal && !(journal instanceof Error) ? { journal, version: '' } : undefined;
  const base = { deps, request: {}, journals: journals(deps.state, deps.world), steps: [], hasBegun: true };
  return { ...base, held, seen: seenOf(facts), isMute: true };
}

async function orError<T>(work: () => Promise<T>): Promise<T | LockkeeperError> {
  try {
    return await work();
  } catch (thrown) {
    if (thrown instanceof LockkeeperError && thrown.code !== 'bug') return thrown;
    throw thrown;
  }
}

function report({ plan }: RotationDeps, outcome: DriftOutcome, text: string): DriftReport {
  return { credential: plan.name, outcome, text, findings: [], fresh: [], open: [], over: [], error: undefined };
}
