import { after, formatInstant, instant, type Instant } from '../../base/time.ts';
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

/** A known source that is refused reopens at once, if the policy says so; silence for long enough settles. Pure. */
export function decideWatching(
  closure: Closure,
  seen: { readonly refusals: Refusals; readonly isOpen: boolean },
  { policy, now }: { policy: ClosingPolicy; now: Instant },
): Watching {
  if (seen.isOpen) return { kind: 'back-already' };
  const { knocks, seenUntil } = seen.refusals;
  const missed = knocks.find(({ known }) => known);
  if (missed && policy.autoReopen) {
    return {
      kind: 'reopen',
      knock: missed,
      why: `${missed.who} was refused at ${formatInstant(missed.last)}: ${missed.why}`,
    };
  }
  const strangers = new Set(newKnockers(closure, knocks));
  // Logs of several interfaces come in at different times: who is new may have knocked before what was told.
  const news = knocks.filter(
    (knock) => strangers.has(knock) || closure.knocksTold === undefined || knock.last > closure.knocksTold,
  );
  if (news.length > 0) return { kind: 'notify', knocks: news };
  if (missed) return { kind: 'wait', why: `${missed.who} is refused, and a person must decide` };
  return settle(closure, seenUntil, { policy, now });
}

/**
 * So many sources of one closing are told one by one: somebody who makes addresses up must not fill the log, nor keep a
 * closing from settling.
 */
export const mostKnockers = 100;

/** Those who were not told before, as long as there is room to remember them; who knocked last comes first. */
export function newKnockers({ knockers = [] }: Closure, knocks: readonly Knock[]): readonly Knock[] {
  const told = new Set(knockers);
  return knocks.filter(({ who }) => !told.has(who)).slice(0, Math.max(0, mostKnockers - told.size));
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
