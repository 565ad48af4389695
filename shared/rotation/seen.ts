import { LockkeeperError } from '../base/error.ts';
import type { Sealed } from '../base/sealed.ts';
import type { SecretStore, SecretVersion } from '../secrets/contract.ts';
import type { Login, ServiceDescription, Session } from '../services/contract.ts';
import { loginOf } from './consumer-text.ts';
import type { Journal } from './journal.ts';
import type { CopyPlace } from './plan.ts';

/** One version of a secret and the login in it; the login is undefined where the text has none. */
export interface VersionSeen {
  readonly id: string;
  readonly text: Sealed;
  readonly login: Login | undefined;
}

/** What one store shows of one secret. */
export interface CopySeen extends CopyPlace {
  readonly current: VersionSeen | undefined;
  readonly previous: VersionSeen | undefined;
  readonly pending: (VersionSeen & { readonly rotation: string }) | undefined;
}

/** Which of the credential's logins is asked about. */
export type Candidate = 'new' | 'current' | 'old';

/**
 * Everything a decision rests on besides the journal: what the stores show and what the service answered in this run.
 */
export interface Seen {
  readonly copies: readonly CopySeen[];
  readonly service: ServiceDescription;
  /**
   * True: every endpoint accepted it. False: at least one refused. `old` is about the most willing of the old logins:
   * accepted anywhere.
   */
  readonly answers: Readonly<Partial<Record<Candidate, boolean>>>;
  /** Sessions on the slots that would be touched; undefined: not asked in this run. */
  readonly sessions: readonly Session[] | undefined;
}

/** Reads one copy; every error of the store comes through, with the copy named. */
export async function readCopy(place: CopyPlace, store: SecretStore): Promise<CopySeen> {
  const state = await store.read(place.secret);
  return {
    store: place.store,
    secret: place.secret,
    current: state.current && versionSeen(state.current),
    previous: state.previous && versionSeen(state.previous),
    pending: state.pending && { ...versionSeen(state.pending), rotation: state.pending.rotation },
  };
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

/** The login this rotation staged, if every store shows the same one; undefined where a store has none or another. */
export function stagedLogin(journal: Journal, seen: Seen): Login | undefined {
  const logins = journal.copies.map((entry) => stagedIn(journal, copyOf(seen, entry))?.login);
  const [first] = logins;
  return first && logins.every((login) => login && sameLogin(login, first)) ? first : undefined;
}

/** What `copy` holds staged for this rotation. */
export function stagedIn(journal: Journal, copy: CopySeen): VersionSeen | undefined {
  return copy.pending?.rotation === journal.rotation ? copy.pending : undefined;
}

/** Every different login that was current when the rotation began, as far as the stores still show it. */
export function oldLogins(journal: Journal, seen: Seen): readonly Login[] {
  const different: Login[] = [];
  for (const entry of journal.copies) {
    const copy = copyOf(seen, entry);
    const version = [copy.current, copy.previous].find((candidate) => candidate && candidate.id === entry.from);
    const login = version?.login;
    if (login && !different.some((known) => sameLogin(known, login))) different.push(login);
  }
  return different;
}

/** What consumers read now, in the order of the stores, without repeats. */
export function currentLogins(seen: Seen): readonly Login[] {
  const different: Login[] = [];
  for (const { current } of seen.copies) {
    const login = current?.login;
    if (login && !different.some((known) => sameLogin(known, login))) different.push(login);
  }
  return different;
}

/** A version with the login in it, where its text has one. */
export function versionSeen(version: SecretVersion): VersionSeen {
  return { id: version.id, text: version.value, login: readable(version.value) };
}

/**
 * A text that no login can be read from is a fact about the store, which decisions answer; it is not a failure to read.
 */
function readable(text: Sealed): Login | undefined {
  try {
    return loginOf(text);
  } catch (thrown) {
    if (thrown instanceof LockkeeperError && thrown.code === 'invalid') return undefined;
    throw thrown;
  }
}
