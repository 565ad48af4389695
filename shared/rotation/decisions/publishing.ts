import { after } from '../../base/time.ts';
import type { Login } from '../../services/contract.ts';
import type { Journal } from '../journal/journal.ts';
import {
  currentLogins,
  entryOf,
  isGood,
  newLogins,
  sameLogin,
  stagedIn,
  theLogin,
  verdictOn,
  type CopySeen,
  type Seen,
  type VersionSeen,
} from './seen.ts';
import { straysOf } from './hand-edits.ts';
import { lost, unproven, unreadable } from './setting.ts';
import type { Asked, Step } from './step.ts';
import { block, handChanged, insists, namesOf, unpublished } from './stopping.ts';

/** Phase verified: an answer is worth one run, so the value is tried again before any store hands it out. */
export function publishing(journal: Journal, seen: Seen): Step {
  const maybeDone = unacknowledged(journal, seen);
  return maybeDone ?? unproven(journal, seen) ?? publishNext(journal, seen) ?? { do: 'move', to: 'published' };
}

/**
 * No store shows the new value, and one may have published it under another id without our hearing of it: doing it again
 * tells.
 */
function unacknowledged(journal: Journal, seen: Seen): Step | undefined {
  if (newLogins(journal, seen).length > 0) return undefined;
  const copy = unpublished(journal, seen).find(
    (one) => !one.refusedPromotion && typeof entryOf(journal, one)?.staged === 'string',
  );
  if (!copy) return undefined;
  const { store, secret } = copy;
  return {
    do: 'promote',
    place: { store, secret },
    expects: entryOf(journal, copy)?.expects ?? null,
    login: undefined,
  };
}

/** The next store that does not hand out the new value yet; undefined where every usable one does. */
export function publishNext(journal: Journal, seen: Seen): Step | undefined {
  const [copy] = unpublished(journal, seen);
  if (!copy) return undefined;
  const login = theLogin(journal, seen);
  if (!login) return lost(journal, seen);
  const spoilt = unpublished(journal, seen).find((one) => isSpoilt(stagedIn(journal, one)));
  const isNowhere = journal.copies.every(({ published }) => published === null);
  if (spoilt && isNowhere) return unreadable(spoilt);
  return publishIn(copy, login, { journal, seen });
}

function isSpoilt(staged: VersionSeen | undefined): boolean {
  return staged !== undefined && staged.login === undefined;
}

function publishIn(
  copy: CopySeen,
  login: Login,
  { journal, seen }: { readonly journal: Journal; readonly seen: Seen },
): Step {
  const place = { store: copy.store, secret: copy.secret };
  const expects = entryOf(journal, copy)?.expects ?? null;
  const live = copy.current?.id ?? null;
  // It happened and its answer was lost: doing it again tells which version it is.
  const isDone = copy.current?.login !== undefined && sameLogin(copy.current.login, login);
  const staged = stagedIn(journal, copy);
  if (!isDone && live !== expects) {
    if (insists(journal, 'changed-by-hand')) return { do: 'rebase', place, expects: live };
    return handChanged(place);
  }
  if (copy.refusedPromotion && staged && copy.pending?.id !== staged.id) return takenBack(journal, seen, copy);
  if (copy.refusedPromotion && journal.refusals >= 6 && !journal.emergency) return handChanged(place);
  if (copy.refusedPromotion)
    return { do: 'retry', back: 'verified', text: `${copy.store}/${copy.secret} does not take the new value yet` };
  if (isDone || (staged?.login && sameLogin(staged.login, login))) return { do: 'promote', place, expects, login };
  if (copy.pending && copy.pending.rotation !== journal.rotation)
    return { do: 'abandon', place, rotation: copy.pending.rotation };
  return { do: 'stage', place };
}

/** It was published there once, and somebody published something else; a store takes a value once. */
function takenBack(journal: Journal, seen: Seen, copy: CopySeen): Step {
  const others = journal.copies.filter(({ published }) => published !== null);
  const [login, ...more] = currentLogins(seen);
  if (!journal.emergency && login && more.length === 0 && seen.service.slots.includes(login.slot)) {
    // It was handed out for a while, so it drains; what people handed out instead is kept, if it logs in.
    const verdict = verdictOn(seen, login);
    if (!verdict) return { do: 'ask', candidate: 'current', logins: [login] };
    if (isGood(seen, verdict)) return { do: 'follow', login, reverted: isExpected(journal, copy) };
  }
  // Somebody may hold the new value, so another one is set over it only where a person wants that.
  if (others.length === 0 && !insists(journal, 'changed-by-hand')) return handChanged(copy);
  if (others.length === 0 || journal.emergency) return { do: 'replan', why: 'somebody published over the new value' };
  return block(
    'changed-by-hand',
    `${namesOf([copy])} was changed by somebody else after the new value was published there, and a store takes a value once. Publish in it by hand what ${namesOf(others)} hands out, then run with --now.`,
  );
}

function isExpected(journal: Journal, copy: CopySeen): boolean {
  return copy.current?.id === entryOf(journal, copy)?.expects;
}

/** Phase published: every store shows the new value, and consumers that want it are told to read again. */
export function converging(journal: Journal, seen: Seen, asked: Asked): Step {
  const stray = straysOf(journal, seen)[0];
  if (stray && !insists(journal, 'changed-by-hand')) {
    if (journal.refusals >= 3 && !isSettling(stray, journal, asked)) return handChanged(stray);
    return {
      do: 'retry',
      back: 'published',
      text: `${stray.store}/${stray.secret} does not show the published value yet`,
    };
  }
  const next = asked.plan.refreshes.find((name) => !journal.refreshed.some((one) => one.name === name && one.done));
  return next === undefined ? { do: 'move', to: 'draining' } : { do: 'refresh', name: next };
}

/** True while a store may still show what was before the promotion. */
function isSettling(copy: CopySeen, journal: Journal, asked: Asked): boolean {
  return asked.now < after(journal.trouble?.since ?? asked.now, copy.settlesMs);
}
