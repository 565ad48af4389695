import { after, type Instant } from '../../base/time.ts';
import type { Login } from '../../services/contract.ts';
import { unique } from './advance.ts';
import type { Journal, JournalCopy } from '../journal/journal.ts';
import { obstacles } from './obstacles.ts';
import type { CredentialPlan } from '../plan.ts';
import { nextBegin } from '../schedule/due.ts';
import { dueText } from '../schedule/due-text.ts';
import { lastEnd } from './missed.ts';
import { currentLogins, entryOf, isGood, sameLogin, verdictOn, windowMsOf, type CopySeen, type Seen } from './seen.ts';
import { counted, sessionLines } from './sessions-left.ts';
import type { Asked, Of, Rest, Step } from './step.ts';
import { unusable } from './stopping.ts';

type Idle = Extract<Rest, { readonly outcome: 'idle' }>;

/**
 * Whether a rotation begins, and with which user. Pure, like decide.
 *
 * | what is seen                                                          | next                               |
 * |-----------------------------------------------------------------------|------------------------------------|
 * | a person ordered an emergency                                         | plan, at once                      |
 * | nobody asked, and never adopted, not due, or no window is open        | rest                               |
 * | something in the way: see obstacles.ts                                | postpone: people are told          |
 * | no journal, and a value is staged (the journal was lost)              | plan, going on with it             |
 * | published past this journal, an earlier value may still be in use     | plan as published: it drains first |
 * | the current login, asked?, is refused, and nobody asked               | postpone: people are told          |
 * | somebody is logged in as the user that would change                   | postpone: people are told          |
 * | else                                                                  | plan                               |
 */
export function beginning(journal: Journal | undefined, seen: Seen, asked: Asked): Step {
  if (journal && journal.orders.length > 0) return planFor(seen, { emergency: true });
  const early = asked.force ? undefined : notDue(journal, asked);
  if (early) return early;
  const staged = journal?.adopted ? undefined : stagedBefore(seen);
  const inTheWay = obstacles(seen, { ...asked.plan, mayDisagree: staged !== undefined });
  if (inTheWay.length > 0) return postponed(inTheWay.join('\n'));
  const lost = staged ?? handedOutBefore(journal, seen, asked);
  return lost ?? refusedNow(seen, asked) ?? slotFree(seen) ?? planFor(seen, { emergency: false });
}

/** Why the schedule would not begin it now; undefined where it would, or goes on with what is under way or ordered. */
export function whyLater(journal: Journal | undefined, plan: CredentialPlan, now: Instant): string | undefined {
  if (journal && (journal.phase !== 'done' || journal.orders.length > 0)) return undefined;
  return notDue(journal, { plan, now })?.text;
}

/** The rest before a rotation is due, unless a person asks; a credential that was never adopted is never due. */
export function notDue(journal: Journal | undefined, asked: Pick<Asked, 'plan' | 'now'>): Idle | undefined {
  if (!journal?.adopted)
    return {
      do: 'rest',
      outcome: 'idle',
      text: 'not adopted yet: check it with --adopt, or rotate it with --now',
      until: undefined,
    };
  const next = nextBegin(asked.plan, lastEnd(journal), asked.now);
  if (next && next.at <= asked.now) return undefined;
  const text = next ? dueText(asked.plan, next, asked.now) : 'never due: its cron pattern or its windows never come';
  return { do: 'rest', outcome: 'idle', text, until: next?.at };
}

/** What consumers read now must log in, unless a person wants a new value because it does not. */
function refusedNow(seen: Seen, asked: Asked): Step | undefined {
  const unheard = currentLogins(seen).filter((login) => !verdictOn(seen, login));
  if (unheard.length > 0) return { do: 'ask', candidate: 'current', logins: unheard };
  const verdicts = currentLogins(seen).flatMap((login) => verdictOn(seen, login) ?? []);
  if (asked.force || verdicts.some((verdict) => isGood(seen, verdict))) return undefined;
  const refused = verdicts.flatMap((verdict) => verdict.refused);
  const silent = verdicts.flatMap((verdict) => verdict.silent);
  if (refused.length === 0 && silent.length > 0) return postponed(`${silent.join(', ')} does not answer`, 'failed');
  const unfit = verdicts.find((verdict) => verdict.unfit.length > 0);
  if (refused.length === 0 && unfit) return unusable('what consumers read now', unfit);
  return postponed(
    refused.length === 0
      ? 'a login with what consumers read now is not encrypted, although the service promises it. Check its TLS.'
      : 'the service refuses what consumers read now. Fix the value in the store, or rotate with --now to publish a new one.',
  );
}

/** The user that would change must be idle: whoever is logged in as it would be locked out. */
function slotFree(seen: Seen): Step | undefined {
  const { strategy, sessionsSeen } = seen.service;
  if (strategy !== 'alternating' || sessionsSeen !== 'exact') return undefined;
  const target = targetOf(seen);
  if (!seen.sessions) return { do: 'ask-sessions', slots: [target], before: undefined };
  if (seen.sessions.length === 0) return undefined;
  const who = sessionLines(seen.sessions, 5).join(', ');
  const count = counted(seen.sessions.length, 'session');
  return postponed(`${count} of ${target}, which should be idle: ${who}. Let them read the store.`);
}

/** A store hands out something else again in the middle of an emergency: it begins anew, with another value. */
export function planAgain(journal: Journal, seen: Seen): Step {
  const other = seen.service.slots.find((slot) => slot !== journal.target) ?? journal.target;
  const target = seen.service.strategy === 'alternating' ? other : journal.target;
  return { ...planFor(seen, { emergency: true }), target };
}

function planFor(seen: Seen, { emergency }: { readonly emergency: boolean }): Of<'plan'> {
  // A store that cannot be used now is not forgotten: what it hands out is replaced once it can.
  const copies = seen.copies.map((copy) => plannedCopy(copy));
  return { do: 'plan', target: targetOf(seen), copies, resume: undefined, at: 'planned', emergency };
}

function plannedCopy({ store, secret, current, previous }: CopySeen): JournalCopy {
  const ends = unique([previous?.id]).filter((id) => id !== current?.id);
  return { store, secret, expects: current?.id ?? null, staged: null, published: null, ends, ended: [] };
}

/** The other one of two users, or the only one. */
function targetOf(seen: Seen): string {
  const { slots, strategy } = seen.service;
  const [current] = currentLogins(seen);
  const others = strategy === 'alternating' ? slots.filter((slot) => slot !== current?.slot) : slots;
  return others[0] ?? '';
}

/**
 * What is handed out was published past this journal: its own was lost, or a person did it. An earlier value may still be
 * in use beside it, so it drains first, with the window counted from now.
 */
function handedOutBefore(journal: Journal | undefined, seen: Seen, asked: Asked): Step | undefined {
  const [current] = currentLogins(seen);
  if (!current || !seen.copies.some((copy) => isInUse(copy, current, seen) && !isPast(journal, copy, { seen, asked })))
    return undefined;
  return {
    ...planFor(seen, { emergency: false }),
    target: current.slot,
    at: 'published',
    copies: seen.copies.map(handedOut),
  };
}

/** What was current before may be valid still: the other user's, or another value of a user who can have several. */
function isInUse({ previous }: CopySeen, current: Login, { service }: Seen): boolean {
  if (!previous?.login || !service.slots.includes(previous.login.slot)) return false;
  if (service.strategy === 'alternating') return previous.login.slot !== current.slot;
  return service.capacity > 1 && !sameLogin(previous.login, current);
}

/** The journal of an adopted credential knows the version, and since when at the latest it is handed out. */
function isPast(
  journal: Journal | undefined,
  copy: CopySeen,
  { seen, asked }: { readonly seen: Seen; readonly asked: Asked },
): boolean {
  if (!journal?.adopted || !copy.current || entryOf(journal, copy)?.published !== copy.current.id) return false;
  return asked.now >= after(journal.finishedAt ?? asked.now, windowMsOf(asked.plan, seen));
}

/** A rotation whose journal is gone before it was published everywhere: it goes on under its own name. */
function stagedBefore(seen: Seen): Step | undefined {
  const [first, ...others] = seen.copies.flatMap((copy) => copy.pending ?? []);
  const login = first?.login;
  if (!login || others.some((one) => one.rotation !== first.rotation)) return undefined;
  const isSame = (one: CopySeen['current']) => one?.login !== undefined && sameLogin(one.login, login);
  const fits = seen.copies.every((copy) => (copy.pending ? isSame(copy.pending) : isSame(copy.current)));
  const isOther =
    seen.service.strategy !== 'alternating' ||
    seen.copies.some(({ pending, current }) => pending && current?.login?.slot !== login.slot);
  if (!fits || !isOther || !seen.service.slots.includes(login.slot)) return undefined;
  const copies = seen.copies.map((copy) => (copy.pending ? plannedCopy(copy) : handedOut(copy)));
  return { do: 'plan', target: login.slot, copies, resume: first.rotation, at: 'planned', emergency: false };
}

function handedOut(copy: CopySeen): JournalCopy {
  const id = copy.current?.id ?? null;
  return { ...plannedCopy(copy), expects: copy.previous?.id ?? null, staged: id, published: id };
}

function postponed(text: string, outcome: Of<'postpone'>['outcome'] = 'blocked'): Step {
  return { do: 'postpone', outcome, back: undefined, text, urgent: outcome === 'blocked' };
}
