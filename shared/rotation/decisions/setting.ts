import type { Login } from '../../services/contract.ts';
import type { Journal } from '../journal/journal.ts';
import type { CopyPlace } from '../plan.ts';
import {
  currentLogins,
  entryOf,
  isGood,
  newLogins,
  oldLogins,
  sameLogin,
  stagedIn,
  theLogin,
  usable,
  verdictOn,
  type CopySeen,
  type Seen,
  type Verdict,
} from './seen.ts';
import { editedBefore } from './hand-edits.ts';
import type { Asked, Step } from './step.ts';
import { block, handChanged, insists, postpone, unready, unusable } from './stopping.ts';

/** Phase planned: the new value becomes durable in every store that can be used. */
export function staging(journal: Journal, seen: Seen, asked: Asked): Step {
  const edited = editedBefore(journal, seen, asked);
  if (edited) return edited;
  for (const copy of usable(seen)) {
    const entry = entryOf(journal, copy);
    if (!entry || entry.published !== null) continue;
    const { pending } = copy;
    if (pending && pending.rotation !== journal.rotation && !stagedIn(journal, copy)) {
      const isDead = journal.past.includes(pending.rotation) || insists(journal, 'foreign-pending');
      if (isDead) return rescued(copy, journal, seen) ?? { do: 'abandon', place: entry, rotation: pending.rotation };
      const text = `${entry.store}/${entry.secret} holds a value staged by ${pending.rotation}, which this journal does not know`;
      return block('foreign-pending', `${text}. Find out who staged it; a run with --now forgets it.`);
    }
    // Staged, but the journal was never told: doing it again gives the same version, and tells the log which.
    const staged = stagedIn(journal, copy);
    if (entry.staged === null || !staged) return { do: 'stage', place: entry };
    if (!staged.login) return unreadable(entry);
  }
  const logins = newLogins(journal, seen);
  if (logins.length > 1) return { do: 'replan', why: 'the stores hold different staged values' };
  return logins.length === 1 ? { do: 'move', to: 'staged' } : lost(journal, seen);
}

/**
 * What a rotation that was given up left staged may be the only value that logs in: with one value at a time, or where
 * what is handed out is refused. It is asked, and handed out before another takes its place.
 */
function rescued({ store, secret, pending, current }: CopySeen, journal: Journal, seen: Seen): Step | undefined {
  const { strategy, slots } = seen.service;
  const login = pending?.login;
  if (!login || !slots.includes(login.slot) || journal.untouched.includes(pending.rotation)) return undefined;
  const verdict = verdictOn(seen, login);
  if (!verdict) return { do: 'ask', candidate: 'old', logins: [login] };
  if (verdict.accepted.length === 0) return undefined;
  if (strategy !== 'single' && strategy !== 'replacing') {
    const unheard = currentLogins(seen).filter((one) => !verdictOn(seen, one));
    if (unheard.length > 0) return { do: 'ask', candidate: 'current', logins: unheard };
    const isFine = currentLogins(seen).every((one) => (verdictOn(seen, one)?.refused.length ?? 0) === 0);
    if (isFine) return undefined;
  }
  return { do: 'rescue', place: { store, secret }, rotation: pending.rotation, expects: current?.id ?? null, login };
}

/** What lies staged there is no login any more, and a store that staged once for a rotation keeps to that. */
export function unreadable({ store, secret }: CopyPlace): Step {
  return { do: 'replan', why: `no login can be read from what is staged in ${store}/${secret}` };
}

/** Phase staged: the service takes the new value, beside the one that consumers use. */
export function changing(journal: Journal, seen: Seen, asked: Asked): Step {
  const edited = editedBefore(journal, seen, asked);
  if (edited) return edited;
  const login = theLogin(journal, seen);
  if (!login) return lost(journal, seen);
  if (!journal.emergency && seen.service.problems.length > 0) return unready(seen);
  return crowded(login, journal, seen) ?? { do: 'change', login, keep: inUseBeside(login, journal, seen) };
}

/** The user has no room for the new value beside all that the stores hand out. */
function crowded(login: Login, journal: Journal, seen: Seen): Step | undefined {
  const { strategy, capacity } = seen.service;
  if (strategy !== 'additive' || journal.emergency) return undefined;
  const others = currentLogins(seen).filter((one) => one.slot === login.slot && !sameLogin(one, login));
  if (others.length < capacity) return undefined;
  return block(
    'changed-by-hand',
    `the stores hand out ${others.length} values of ${login.slot}, which holds ${capacity}, so a new one would end one of them. Publish the same in all of them, then run with --now.`,
  );
}

/** Phase set: a real login on every endpoint. */
export function verifying(journal: Journal, seen: Seen, asked: Asked): Step {
  return (
    editedBefore(journal, seen, asked) ??
    uncleared(journal, seen) ??
    unproven(journal, seen) ?? { do: 'move', to: 'verified' }
  );
}

/** In an emergency whoever is logged in as the new value's user came in with an earlier one. */
function uncleared(journal: Journal, seen: Seen): Step | undefined {
  const { emergency, target } = journal;
  const keep = theLogin(journal, seen);
  if (!emergency || emergency.cleared || !keep || seen.service.strategy !== 'alternating') return undefined;
  return { do: 'clear', endings: [{ slot: target, keep }] };
}

/**
 * What keeps the new value from being good enough to hand out, or to end another one for; undefined where it was
 * accepted in this run. An emergency is content with the endpoints that answer.
 */
export function unproven(journal: Journal, seen: Seen): Step | undefined {
  const login = theLogin(journal, seen);
  if (!login) return lost(journal, seen);
  const verdict = verdictOn(seen, login);
  if (!verdict) return { do: 'ask', candidate: 'new', logins: [login] };
  if (isGood(seen, verdict)) return undefined;
  if (verdict.inClear.length > 0)
    return block(
      'not-encrypted',
      `a login at ${verdict.inClear.join(', ')} is not encrypted, although the service promises it. Check its TLS, then run with --now.`,
    );
  if (verdict.unfit.length > 0 && !journal.emergency && verdict.refused.length === 0)
    return unusable(`the new value of ${journal.target}`, verdict);
  const isEnough =
    journal.emergency && verdict.accepted.length > 0 && (verdict.refused.length === 0 || journal.refusals >= 3);
  return isEnough ? undefined : notAccepted(journal, seen, verdict);
}

/** How often a refusal is looked at again before a person must: it may be a replica that lags. */
const mostLags = 6;
const mostRefusals = 2;

function notAccepted(journal: Journal, seen: Seen, verdict: Verdict): Step {
  const { accepted, refused, silent } = verdict;
  if (refused.length === 0) return postpone(`${silent.join(', ')} does not answer, so nothing is known there`);
  const isLag = accepted.length > 0;
  if (isLag && journal.refusals < mostLags)
    return {
      do: 'retry',
      // A replica catches up by itself; a server that was reset has to be set again.
      back: journal.refusals % 2 === 1 ? 'staged' : journal.phase,
      text: `${refused.join(', ')} still refuses the new value of ${journal.target}, which ${accepted.join(', ')} accepts`,
    };
  if (!isLag && journal.refusals < mostRefusals)
    return {
      do: 'retry',
      back: 'staged',
      text: `the service refuses the new value of ${journal.target} after it was set`,
    };
  return lockedOut(journal, seen, refused);
}

/** The last question before people are called: do consumers get in? */
function lockedOut(journal: Journal, seen: Seen, refused: readonly string[]): Step {
  const where = refused.join(', ');
  const [login] = newLogins(journal, seen);
  const others = currentLogins(seen).filter((one) => !login || !sameLogin(one, login));
  if (others.length < currentLogins(seen).length)
    return block(
      'refused-after-publish',
      `${where} refuses the value of ${journal.target} that the stores hand out. Nothing else was ended. Look at the service, then run with --now: it sets the value again.`,
    );
  const unheard = others.filter((one) => !verdictOn(seen, one));
  if (unheard.length > 0) return { do: 'ask', candidate: 'current', logins: unheard };
  const verdicts = others.flatMap((one) => verdictOn(seen, one) ?? []);
  if (verdicts.some((one) => one.refused.length > 0 && one.accepted.length === 0))
    return block(
      'nobody-logs-in',
      `every endpoint asked for the password and refused both the new value of ${journal.target} and what consumers read now. Check the service, then run with --now.`,
    );
  const works = verdicts.every((one) => isGood(seen, one)) ? 'Current logins work.' : 'Not every login works.';
  return block(
    'refused-after-set',
    `${where} refuses the new value of ${journal.target} after it was set, again and again. ${works} Look at the service, then run with --now.`,
  );
}

/**
 * No store shows the value of this rotation any more. Where it was published nowhere, another may follow as long as
 * consumers get in.
 */
export function lost(journal: Journal, seen: Seen): Step {
  const published = journal.copies.find((entry) => entry.published !== null);
  if (published && !insists(journal, 'changed-by-hand')) return handChanged(published);
  const others = currentLogins(seen);
  const unheard = others.filter((one) => !verdictOn(seen, one));
  if (unheard.length > 0 && !journal.emergency) return { do: 'ask', candidate: 'current', logins: unheard };
  const verdicts = others.flatMap((one) => verdictOn(seen, one) ?? []);
  const isRefused = verdicts.some((one) => one.refused.length > 0 && one.accepted.length === 0);
  if (journal.emergency || !isRefused) return { do: 'replan', why: 'the staged value is gone from a store' };
  return block(
    'staged-value-lost',
    `the value that ${journal.rotation} staged is gone and the current one is refused. Set the password by hand.`,
  );
}

/** What consumers use beside the new value: what is handed out, else what was. */
function inUseBeside(login: Login, journal: Journal, seen: Seen): Login | undefined {
  const others = [...currentLogins(seen), ...oldLogins(journal, seen).toReversed()];
  return others.find((one) => one.slot === login.slot && !sameLogin(one, login));
}
