import { LockkeeperError } from '../../base/error.ts';
import type { Sealed } from '../../base/sealed.ts';
import type { SecretStore, SecretVersion } from '../../secrets/contract.ts';
import type { Login, LoginAnswer, ServiceDescription, Session, Slot } from '../../services/contract.ts';
import type { Journal, JournalCopy } from '../journal/journal.ts';
import type { CopyPlace, CredentialPlan, PlannedCopy } from '../plan.ts';

/** One version of a secret and the login in it; the login is undefined where the text has none. */
export interface VersionSeen {
  readonly id: string;
  readonly text: Sealed;
  readonly login: Login | undefined;
}

/** What one store shows of one secret. */
export interface CopySeen extends PlannedCopy {
  readonly writes: SecretStore['writes'];
  readonly settlesMs: number;
  readonly current: VersionSeen | undefined;
  readonly previous: VersionSeen | undefined;
  readonly pending: (VersionSeen & { readonly rotation: string }) | undefined;
  /** Versions that the journal names and the store can still read. */
  readonly asked: readonly VersionSeen[];
  /** Why the store cannot be used in this run; nothing else is known then. */
  readonly trouble: LockkeeperError | undefined;
  /** A promotion found something else than was expected, although `read` does not show it. */
  readonly refusedPromotion: boolean;
}

/** Which of the credential's logins is asked about, for people. */
export type Candidate = 'new' | 'current' | 'old';

/** What the service said to one login in this run. */
export interface Heard {
  readonly login: Login;
  readonly answers: readonly LoginAnswer[];
  /** Some endpoint refused it, and what others said is over since: it is not asked again in this run. */
  readonly isOver?: boolean;
}

/** Everything a decision rests on besides the journal: what the stores show and what the service said in this run. */
export interface Seen {
  readonly copies: readonly CopySeen[];
  readonly service: ServiceDescription;
  readonly heard: readonly Heard[];
  /** Sessions on the slots that would be touched; undefined: not asked in this run. */
  readonly sessions: readonly Session[] | undefined;
}

/** What all endpoints together said to a login. */
export interface Verdict {
  readonly accepted: readonly string[];
  readonly refused: readonly string[];
  readonly silent: readonly string[];
  /** Accepted, but not encrypted although the service promises it. */
  readonly inClear: readonly string[];
  /** Accepted, but a consumer could not do its work there; why, by endpoint. */
  readonly unfit: readonly { readonly endpoint: string; readonly why: string }[];
}

/** The verdict on `login`, where it was asked in this run. An endpoint that gave no answer is silent. */
export function verdictOn(seen: Seen, login: Login): Verdict | undefined {
  const heard = seen.heard.find((one) => sameLogin(one.login, login));
  if (!heard) return undefined;
  const { endpoints, encrypted } = seen.service;
  const answerAt = (endpoint: string) => heard.answers.find((one) => one.endpoint === endpoint);
  const those = (is: (answer: LoginAnswer | undefined) => boolean) => endpoints.filter((one) => is(answerAt(one)));
  return {
    accepted: those((one) => one?.answer === 'accepted'),
    refused: those((one) => one?.answer === 'refused'),
    silent: those((one) => one === undefined || one.answer === 'no-answer'),
    inClear: those((one) => one?.answer === 'accepted' && encrypted && !one.encrypted),
    unfit: endpoints.flatMap((endpoint) => {
      const why = answerAt(endpoint)?.unfit;
      return why === undefined ? [] : [{ endpoint, why }];
    }),
  };
}

/** True where every endpoint accepted it, encrypted if that is promised, and for all that a consumer does. */
export function isGood(seen: Seen, { accepted, inClear, unfit }: Verdict): boolean {
  const isEverywhere = accepted.length > 0 && accepted.length === seen.service.endpoints.length;
  return isEverywhere && inClear.length === 0 && unfit.length === 0;
}

/** What logs in and could do no work there: where and why, as sentences. */
export function unfitText({ unfit }: Pick<Verdict, 'unfit'>): string {
  return unfit.map(({ endpoint, why }) => `at ${endpoint}: ${why}`).join('\n');
}

/** True for the same user with the same value. */
export function sameLogin(a: Login, b: Login): boolean {
  return a.slot === b.slot && a.value.equals(b.value);
}

/** The copy that the journal's entry is about. */
export function copyOf(seen: Seen, place: CopyPlace): CopySeen {
  const found = seen.copies.find((copy) => copy.store === place.store && copy.secret === place.secret);
  if (found) return found;
  throw new LockkeeperError(
    'invalid',
    `the rotation under way uses ${place.store}/${place.secret}, which the configuration no longer names`,
    {
      hint: 'Put the store back until the rotation is done, then remove it.',
    },
  );
}

/** The version `id` of a copy, wherever the store shows it. */
export function versionIn(copy: CopySeen, id: string | null): VersionSeen | undefined {
  if (id === null) return undefined;
  return [copy.current, copy.pending, copy.previous, ...copy.asked].find((one) => one?.id === id);
}

/**
 * What `copy` holds staged for this rotation. The version that the journal names counts; before it names one, what the
 * store says is pending under the rotation.
 */
export function stagedIn(journal: Journal, copy: CopySeen): VersionSeen | undefined {
  const entry = entryOf(journal, copy);
  const named = entry?.published === null ? versionIn(copy, entry.staged) : undefined;
  return named ?? (copy.pending?.rotation === journal.rotation ? copy.pending : undefined);
}

/** The login of this rotation in `copy`: published there, or staged. */
export function newLoginIn(journal: Journal, copy: CopySeen): Login | undefined {
  const published = versionIn(copy, entryOf(journal, copy)?.published ?? null);
  return (published ?? stagedIn(journal, copy))?.login;
}

/** Every different login that this rotation staged or published, in the order of the stores. More than one: a race. */
export function newLogins(journal: Journal, seen: Pick<Seen, 'copies'>): readonly Login[] {
  return different(usable(seen).map((copy) => newLoginIn(journal, copy)));
}

/** The one login of this rotation; undefined where a store lost it, or two stores hold different ones. */
export function theLogin(journal: Journal, seen: Seen): Login | undefined {
  const logins = newLogins(journal, seen);
  return logins.length === 1 ? logins[0] : undefined;
}

/** Every different login that must end, as far as the stores still show it. */
export function oldLogins(journal: Journal, seen: Seen): readonly Login[] {
  const kept = currentLogins(seen);
  const old = journal.copies.flatMap((entry) => {
    const copy = seen.copies.find((one) => isAt(one, entry));
    return copy ? [...entry.ends, entry.expects].map((id) => versionIn(copy, id)?.login) : [];
  });
  return different(old).filter((login) => !kept.some((one) => sameLogin(one, login)));
}

/** What consumers read now, in the order of the stores, without repeats. */
export function currentLogins(seen: Pick<Seen, 'copies'>): readonly Login[] {
  return different(seen.copies.map(({ current }) => current?.login));
}

/** The copies that this run can read and write. */
export function usable(seen: Pick<Seen, 'copies'>): readonly CopySeen[] {
  return seen.copies.filter(({ trouble }) => !trouble);
}

/**
 * How long a consumer may go on with an old value after a new one was published, in milliseconds: it may read the old one
 * until the store has settled, and keep it for its own time from then.
 */
export function windowMsOf(plan: Pick<CredentialPlan, 'propagationMs'>, { copies }: Seen): number {
  return plan.propagationMs + Math.max(0, ...copies.map(({ settlesMs }) => settlesMs));
}

/** What the journal holds about a copy. */
export function entryOf(journal: Journal, place: CopyPlace): JournalCopy | undefined {
  return journal.copies.find((entry) => isAt(entry, place));
}

/** True where both name the same secret of the same store. */
export function isAt(one: CopyPlace, other: CopyPlace): boolean {
  return one.store === other.store && one.secret === other.secret;
}

/** Reads one copy and the versions that the journal names; every error of the store comes through. */
export async function readCopy(
  place: PlannedCopy,
  store: SecretStore,
  of: { readonly ids: readonly string[]; readonly slots: readonly Slot[] },
): Promise<CopySeen> {
  const state = await store.read(place.secret, of.ids);
  const shown = (version: SecretVersion) => versionSeen(version, place, of.slots);
  return {
    ...blankCopy(place, store),
    current: state.current && shown(state.current),
    previous: state.previous && shown(state.previous),
    pending: state.pending && { ...shown(state.pending), rotation: state.pending.rotation },
    asked: state.asked.map(shown),
  };
}

/** A copy of which nothing is known, because of `trouble` where there is one. */
export function blankCopy(place: PlannedCopy, store: SecretStore | undefined, trouble?: LockkeeperError): CopySeen {
  return {
    store: place.store,
    secret: place.secret,
    form: place.form,
    writes: store?.writes ?? 'conditional',
    settlesMs: store?.settlesMs ?? 0,
    current: undefined,
    previous: undefined,
    pending: undefined,
    asked: [],
    trouble,
    refusedPromotion: false,
  };
}

/** A version with the login in it, where its text has one. */
export function versionSeen(version: SecretVersion, { form }: Pick<PlannedCopy, 'form'>, slots: readonly Slot[]) {
  return { id: version.id, text: version.value, login: readable(form, version.value, slots) };
}

/**
 * A text that no login can be read from is a fact about the store, which decisions answer; it is not a failure to read.
 */
function readable(form: PlannedCopy['form'], text: Sealed, slots: readonly Slot[]): Login | undefined {
  try {
    return form.read(text, slots);
  } catch (thrown) {
    if (thrown instanceof LockkeeperError && thrown.code === 'invalid') return undefined;
    throw thrown;
  }
}

function different(logins: readonly (Login | undefined)[]): readonly Login[] {
  const found: Login[] = [];
  for (const login of logins) {
    if (login && !found.some((known) => sameLogin(known, login))) found.push(login);
  }
  return found;
}
