import { after, day, formatInstant, hour, instant, type Instant } from '../../base/time.ts';
import type { Closure } from './closure.ts';
import type { ClosingPolicy } from './limits.ts';
import type { Knock, Refusals } from './refusals.ts';

/** What to do about an opening that is closed and watched. */
export type Watching =
  /** Somebody put it back by hand. */
  | { readonly kind: 'back-already' }
  | { readonly kind: 'reopen'; readonly knock: Knock; readonly why: string }
  /** Tell people who knocked since they were last told. */
  | { readonly kind: 'notify'; readonly knocks: readonly Knock[] }
  | { readonly kind: 'settle' }
  | { readonly kind: 'wait'; readonly why: string };

/**
 * A source known for this opening that insists reopens it at once, if the policy says so; whoever else is refused is
 * told to people. Silence for long enough settles. Pure.
 */
export function decideWatching(
  closure: Closure,
  seen: { readonly refusals: Refusals; readonly isOpen: boolean },
  { policy, now }: { policy: ClosingPolicy; now: Instant },
): Watching {
  if (seen.isOpen) return { kind: 'back-already' };
  const { knocks, seenUntil } = seen.refusals;
  const missing = knocks.filter(({ known }) => known);
  const missed = missing.find(({ insists }) => insists);
  if (missed && policy.autoReopen) {
    return {
      kind: 'reopen',
      knock: missed,
      why: `${missed.who} was refused at ${formatInstant(missed.last)}: ${missed.why}`,
    };
  }
  const news = newsOf(closure, knocks);
  if (news.length > 0) return { kind: 'notify', knocks: news };
  const [client] = missing;
  if (client) return { kind: 'wait', why: `${client.who} is refused, and a person must decide` };
  return settle(closure, seenUntil, { policy, now });
}

/**
 * So many strangers of one closing are told one by one: somebody who makes addresses up must not fill the log, nor keep
 * a closing from settling. As many more are kept for sources that use services here.
 */
export const mostKnockers = 100;

/** Those who were not told before, as long as there is room to remember them: who is known first, then the latest. */
export function newKnockers({ knockers = [] }: Closure, knocks: readonly Knock[]): readonly Knock[] {
  const told = new Set(knockers);
  const fresh = knocks.filter(({ who }) => !told.has(who));
  const users = fresh.filter(isUser).slice(0, Math.max(0, 2 * mostKnockers - told.size));
  const strangers = fresh.filter((knock) => !isUser(knock));
  return [...users, ...strangers.slice(0, Math.max(0, mostKnockers - told.size - users.length))];
}

function isUser({ known, usesOthers }: Knock): boolean {
  return known || usesOthers;
}

/**
 * Whoever is new, and who goes on: a client every hour, others every day. Logs of several interfaces come in at
 * different times, so who is new may have knocked before what was told.
 */
function newsOf(closure: Closure, knocks: readonly Knock[]): readonly Knock[] {
  const fresh = new Set(newKnockers(closure, knocks));
  const { knocksTold: told } = closure;
  return knocks.filter(
    (knock) => fresh.has(knock) || told === undefined || knock.last >= told + (knock.known ? hour : day),
  );
}

/**
 * Until when a quarantined opening is watched: the quarantine, and no less than connections live that were open when it
 * was closed.
 */
export function watchUntil(closure: Closure, policy: ClosingPolicy): Instant {
  const open = closure.prepared?.openConnectionsLastMs ?? policy.openConnectionsLastMs;
  return after(closure.since, Math.max(policy.quarantineMs, open));
}

/**
 * Silence counts only as far as the logs reach; where rejects are invisible, time alone must do, as people were told.
 */
function settle(
  closure: Closure,
  seenUntil: Instant | undefined,
  { policy, now }: { policy: ClosingPolicy; now: Instant },
): Watching {
  const until = watchUntil(closure, policy);
  if (now < until) return { kind: 'wait', why: `it is watched until ${formatInstant(until)}` };
  if (closure.prepared?.rejectsVisible !== true || (seenUntil ?? instant(0)) >= until) return { kind: 'settle' };
  const reach = seenUntil === undefined ? 'there are none' : `they end at ${formatInstant(seenUntil)}`;
  return {
    kind: 'wait',
    why: `the logs must reach ${formatInstant(until)} to show that nobody was refused, and ${reach}`,
  };
}
