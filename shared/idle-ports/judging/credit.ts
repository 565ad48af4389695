import type { Instant } from '../../base/time.ts';
import type { Window } from '../../usage/evidence.ts';
import { later } from './initiator/conversations.ts';
import type { Knock, Use } from './initiator/initiator.ts';
import type { Sifted } from './initiator/scanners.ts';
import type { Matcher } from './match/match.ts';

/** What one opening let in. */
export interface Credit {
  /** In the window, the latest last. */
  readonly uses: Use[];
  /** In the window, with a peer of whom nobody knows whether he is one of the opening's sources. */
  readonly maybes: Use[];
  /** In the window, by a scanner or by somebody elsewhere who has its address. */
  readonly doubtful: Use[];
  readonly knocks: Knock[];
  /** Days with use, before the window included. */
  readonly days: Set<string>;
  /** Over the whole history. */
  lastNew: Instant | undefined;
  lastPacket: Instant | undefined;
}

/** Credits every opening that matches with every use and knock. */
export function credit(
  { uses, knocks, doubtful }: Sifted,
  matcher: Matcher,
  window: Window,
): ReadonlyMap<string, Credit> {
  const credits = new Map<string, Credit>();
  const of = ({ id }: { readonly id: string }): Credit => {
    const held = credits.get(id) ?? {
      uses: [],
      maybes: [],
      doubtful: [],
      knocks: [],
      days: new Set<string>(),
      lastNew: undefined,
      lastPacket: undefined,
    };
    credits.set(id, held);
    return held;
  };
  for (const use of uses) {
    const { sure, maybe } = matcher.credit(arrivalOf(use, window));
    for (const opening of sure) note(of(opening), use);
    // What a sure opening lets in proves nothing about another one, and closing that other one would not stop it.
    if (sure.length === 0 && use.seen.lastInWindow !== undefined)
      for (const opening of maybe) of(opening).maybes.push(use);
  }
  for (const use of doubtful) {
    if (use.seen.lastInWindow === undefined) continue;
    const { sure, maybe } = matcher.credit(arrivalOf(use, window));
    for (const opening of sure.length > 0 ? sure : maybe) of(opening).doubtful.push(use);
  }
  for (const knock of knocks) {
    if (knock.seen.lastInWindow === undefined) continue;
    const { sure, maybe } = matcher.credit(arrivalOf(knock, window));
    for (const opening of sure.length > 0 ? sure : maybe) of(opening).knocks.push(knock);
  }
  return credits;
}

/** The time at which membership matters is the window's, as far as the packets were in it. */
function arrivalOf({ seen, ...use }: Use | Knock, window: Window): Parameters<Matcher['credit']>[0] {
  const first = seen.firstInWindow ?? (seen.first < window.from ? seen.first : window.from);
  return { ...use, first, last: seen.lastInWindow ?? seen.last };
}

function note(held: Credit, use: Use): void {
  if (use.seen.lastInWindow !== undefined) held.uses.push(use);
  for (const day of use.seen.days) held.days.add(day);
  Object.assign(held, { lastNew: later(held.lastNew, use.lastNew), lastPacket: later(held.lastPacket, use.seen.last) });
}
