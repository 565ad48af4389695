import { after, day, formatInstant, instant, type Instant } from '../../base/time.ts';
import type { Session } from '../../services/contract.ts';
import type { Journal } from '../journal/journal.ts';
import { isSettling, straysOf } from './hand-edits.ts';
import { publishNext } from './publishing.ts';
import {
  isGood,
  oldLogins,
  sameLogin,
  theLogin,
  usable,
  verdictOn,
  windowMsOf,
  type CopySeen,
  type Seen,
} from './seen.ts';
import { counted, sessionLines } from './sessions-left.ts';
import { unproven } from './setting.ts';
import type { Asked, Drained, Ending, Of, Step, Waiting } from './step.ts';
import { block, handChanged, namesOf, postpone, unready, unusable } from './stopping.ts';

/** Phase draining: the old value stays valid until nobody can be using it, and is ended then. */
export function draining(journal: Journal, seen: Seen, asked: Asked): Step {
  if (journal.emergency)
    return (
      publishNext(journal, seen) ??
      unproven(journal, seen) ?? {
        do: 'retire',
        endings: endingsOf(journal, seen),
        endSessions: true,
        drained: undefined,
      }
    );
  const instead = handedOutInstead(journal, seen, asked);
  if (instead) return instead;
  // A single user's old value died with the change: nothing is left to spare.
  const left =
    seen.service.strategy === 'single' ? undefined : (windowLeft(journal, seen, asked) ?? sessionsLeft(journal, seen));
  if (left) return left.do === 'rest' ? overdue(left, journal, { seen, asked }) : left;
  // An answer is worth one run: nothing is ended for a value that does not log in now.
  const doubt = unproven(journal, seen);
  if (doubt) return doubt;
  if (seen.service.problems.length > 0) return unready(seen);
  const drained = drainedBy(journal, seen, asked);
  return { do: 'retire', endings: endingsOf(journal, seen), endSessions: false, drained };
}

/** Of an alternating pair the other user ends, else every other value of the same user. */
function endingsOf(journal: Journal, seen: Seen): readonly Ending[] {
  if (seen.service.strategy !== 'alternating') return [{ slot: journal.target, keep: theLogin(journal, seen) }];
  return seen.service.slots.filter((slot) => slot !== journal.target).map((slot) => ({ slot, keep: undefined }));
}

/**
 * The stores hand out another login than the one that was published. Where all of them hand out the same one and it
 * logs in, a person wanted that: the rotation follows, and what it published ends.
 */
function handedOutInstead(journal: Journal, seen: Seen, asked: Asked): Step | undefined {
  const strays = straysOf(journal, seen).filter((copy) => !isSettling(copy, journal, asked));
  const [stray, ...more] = strays;
  if (!stray) return undefined;
  const login = stray.current?.login;
  const isAgreed =
    login &&
    strays.length === usable(seen).length &&
    more.every(({ current }) => current?.login && sameLogin(current.login, login));
  if (!isAgreed) return oneStoreWentBack(strays, journal, seen);
  if (!seen.service.slots.includes(login.slot)) return handChanged(stray);
  const verdict = verdictOn(seen, login);
  if (!verdict) return { do: 'ask', candidate: 'current', logins: [login] };
  if (isGood(seen, verdict)) return { do: 'follow', login, reverted: oldWas(journal, seen, stray) };
  if (verdict.refused.length === 0 && verdict.unfit.length > 0) return unusable(`the login of ${login.slot}`, verdict);
  if (verdict.refused.length === 0) return postpone(`${verdict.silent.join(', ')} does not answer`);
  return block(
    'in-use-again',
    `${namesOf(strays)} hands out a login of ${login.slot} that was put there by hand, and the service refuses it at ${verdict.refused.join(', ')}. Put a login there that works, then run with --now.`,
  );
}

function oneStoreWentBack(strays: readonly CopySeen[], journal: Journal, seen: Seen): Step {
  const others = usable(seen).filter((copy) => !strays.includes(copy));
  return block(
    'in-use-again',
    `${namesOf(strays)} hands out something else again than ${others.length > 0 ? namesOf(others) : 'before'}. Publish the same login in all of them, the one of ${journal.target} or the one before it, then run with --now.`,
  );
}

/** True where what is handed out now was current before this rotation. */
function oldWas(journal: Journal, seen: Seen, { current }: CopySeen): boolean {
  const ids = journal.copies.flatMap((entry) => [...entry.ends, entry.expects]);
  return (
    ids.includes(current?.id ?? null) ||
    oldLogins(journal, seen).some((old) => current?.login !== undefined && sameLogin(old, current.login))
  );
}

/** Time that decides about others is taken from two clocks, wherever the service has one. */
function windowLeft(journal: Journal, seen: Seen, asked: Asked): Waiting | Of<'move'> | undefined {
  const { drain } = journal;
  if (isFromWrongClock(drain, seen, asked)) return { do: 'move', to: 'draining' };
  const windowMs = windowMsOf(asked.plan, seen);
  const { clock } = seen.service;
  const hostLeft = after(drain?.host ?? asked.now, windowMs) - asked.now;
  const serviceLeft =
    drain && drain.service !== null && clock !== undefined ? after(drain.service, windowMs) - clock : 0;
  const leftMs = Math.max(hostLeft, serviceLeft);
  if (leftMs <= 0) return undefined;
  const until = instant(asked.now + leftMs);
  const by = clock === undefined ? ", by this host's clock alone: the service tells no time" : '';
  return waiting(`consumers may hold the old value until ${formatInstant(until)}${by}`, until, []);
}

/** It began more than a day from now: one of the clocks was or is wrong, and the window is counted from now. */
function isFromWrongClock(drain: Journal['drain'], { service }: Seen, { now }: Asked): boolean {
  if (!drain) return false;
  const isServiceAhead = drain.service !== null && service.clock !== undefined && drain.service - service.clock > day;
  return drain.host - now > day || isServiceAhead;
}

/** Whoever is still logged in with the old value. */
function sessionsLeft(journal: Journal, seen: Seen): Waiting | Of<'mark'> | Of<'ask-sessions'> | undefined {
  const { sessionsSeen, mark } = seen.service;
  const marked = journal.drain?.mark ?? undefined;
  if (sessionsSeen === 'none') return undefined;
  if (sessionsSeen === 'marked' && marked === undefined && mark !== undefined) return { do: 'mark', mark };
  const slots = [...new Set(endingsOf(journal, seen).map(({ slot }) => slot))];
  if (!seen.sessions) return { do: 'ask-sessions', slots, before: sessionsSeen === 'marked' ? marked : undefined };
  if (seen.sessions.length === 0) return undefined;
  const who = sessionLines(seen.sessions, 5).join(', ');
  return waiting(`${counted(seen.sessions.length, 'session')} left: ${who}`, undefined, seen.sessions);
}

function waiting(text: string, until: Instant | undefined, sessions: readonly Session[]): Waiting {
  return { do: 'rest', outcome: 'waiting', text, until, sessions };
}

/**
 * People hear once of a drain that lasts long beyond its window, by this host's clock alone: the service's may be what
 * keeps it open. What a run fails with is told as a trouble, and comes before this.
 */
function overdue(
  left: Waiting,
  { drain }: Journal,
  { seen, asked }: { readonly seen: Seen; readonly asked: Asked },
): Step {
  if (!drain) return left;
  const over = after(drain.since ?? drain.host, windowMsOf(asked.plan, seen));
  const due = after(over, asked.plan.overdueMs ?? day);
  if (asked.now < due) return left;
  if (drain.told || asked.isMute) return { ...left, text: `${left.text}; overdue since ${formatInstant(due)}` };
  return { do: 'overdue', over, text: left.text, sessions: left.sessions };
}

/** Why the old value may end now; undefined where it ended with the change. */
function drainedBy({ drain }: Journal, seen: Seen, { plan, now }: Asked): Drained | undefined {
  const { strategy, sessionsSeen, endpoints } = seen.service;
  if (strategy === 'single' || !drain) return undefined;
  const over = after(drain.host, windowMsOf(plan, seen));
  return { over, sessions: sessionsSeen === 'none' ? 'not seen' : 0, endpoints: endpoints.length, at: now };
}
