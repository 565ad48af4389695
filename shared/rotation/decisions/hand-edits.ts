import { after } from '../../base/time.ts';
import type { Journal } from '../journal/journal.ts';
import {
  currentLogins,
  entryOf,
  isGood,
  newLoginIn,
  sameLogin,
  theLogin,
  usable,
  verdictOn,
  type CopySeen,
  type Seen,
} from './seen.ts';
import type { Asked, Step } from './step.ts';
import { handChanged, insists, postpone, unpublished } from './stopping.ts';

/**
 * What a person wrote into a store that this rotation has not published in yet. A new value is never set over it: it may
 * be of the very user that the rotation changes. A login that every store hands out is kept; else a person decides.
 */
export function editedBefore(journal: Journal, seen: Seen, asked: Asked): Step | undefined {
  if (journal.emergency) return undefined;
  const agreed = followedByHand(journal, seen);
  if (agreed) return agreed;
  const waiting = unpublished(journal, seen);
  const edited = waiting.find((copy) => isEdited(copy, journal));
  const taken = takenTarget(journal, seen);
  if (!edited) return editedAfter(journal, seen, waiting.length === 0) ?? taken;
  const place = { store: edited.store, secret: edited.secret };
  if (asked.now < after(journal.startedAt, edited.settlesMs))
    return postpone(`${edited.store}/${edited.secret} shows another version than before; it may still be settling`);
  if (taken && taken.do !== 'block') return taken;
  if (!insists(journal, 'changed-by-hand')) return handChanged(place);
  return { do: 'rebase', place, expects: edited.current?.id ?? null };
}

/** A person put one login into every store after a publication, and insists. */
function followedByHand(journal: Journal, seen: Seen): Step | undefined {
  const isBegun = journal.copies.some(({ published }) => published !== null);
  const [login, ...others] = currentLogins(seen);
  if (!isBegun || !insists(journal, 'changed-by-hand') || !login || others.length > 0) return undefined;
  if (straysOf(journal, seen).length === 0 || !seen.service.slots.includes(login.slot)) return undefined;
  const verdict = verdictOn(seen, login);
  if (!verdict) return { do: 'ask', candidate: 'current', logins: [login] };
  return isGood(seen, verdict) ? { do: 'follow', login, reverted: false } : undefined;
}

/** The same where it was published: draining decides whether that is followed. */
function editedAfter(journal: Journal, seen: Seen, isPublished: boolean): Step | undefined {
  const [stray] = straysOf(journal, seen);
  if (!stray) return undefined;
  return isPublished ? { do: 'move', to: 'draining' } : handChanged(stray);
}

/** Usable copies in which something else is current than this rotation published. */
export function straysOf(journal: Journal, seen: Seen): readonly CopySeen[] {
  const login = theLogin(journal, seen);
  return usable(seen).filter((copy) => {
    const entry = entryOf(journal, copy);
    if (!entry || entry.published === null || copy.current?.id === entry.published) return false;
    return !(login && copy.current?.login && sameLogin(copy.current.login, login));
  });
}

/** True while a store may still show what was before the promotion. */
export function isSettling(copy: CopySeen, journal: Journal, asked: Asked): boolean {
  return asked.now < after(journal.drain?.host ?? asked.now, copy.settlesMs);
}

function isEdited(copy: CopySeen, journal: Journal): boolean {
  if ((copy.current?.id ?? null) === (entryOf(journal, copy)?.expects ?? null)) return false;
  const login = newLoginIn(journal, copy);
  // Its own publication, whose answer was lost.
  return !(login && copy.current?.login && sameLogin(login, copy.current.login));
}

/**
 * Every store hands out a login of the user that would change. It is kept as if it had been published here, and the other
 * user drains: somebody may have read it a moment before. Where it is refused, a new value only helps.
 */
function takenTarget(journal: Journal, seen: Seen): Step | undefined {
  const { strategy } = seen.service;
  if (strategy !== 'alternating' || journal.copies.some(({ published }) => published !== null)) return undefined;
  const own = seen.copies.flatMap((copy) => newLoginIn(journal, copy) ?? []);
  const inUse = currentLogins(seen).filter((login) => !own.some((one) => sameLogin(one, login)));
  const taken = inUse.find((login) => login.slot === journal.target);
  const [copy] = seen.copies;
  if (!taken || !copy) return undefined;
  if (inUse.length > 1) return handChanged(copy);
  const verdict = verdictOn(seen, taken);
  if (!verdict) return { do: 'ask', candidate: 'current', logins: [taken] };
  return isGood(seen, verdict) ? { do: 'follow', login: taken, reverted: false } : undefined;
}
