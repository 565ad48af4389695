import { formatInstant } from '../../base/time.ts';
import { later } from './initiator/conversations.ts';
import type { Knock, Use, UseKind } from './initiator/initiator.ts';
import type { Credit } from './credit.ts';
import type { Reason, Verdict } from '../verdict.ts';

/** Peers that a verdict names. */
const mostNamed = 5;

const words: Record<UseKind, { readonly code: string; readonly say: string }> = {
  answered: { code: 'answered-traffic', say: 'Connections came in and were answered' },
  'long-session': { code: 'long-session', say: 'A session that began before the log shows goes on' },
  'one-way': { code: 'one-way', say: 'Packets came in that need no answer' },
  'direction-unclear': {
    code: 'direction-unclear',
    say: 'Packets came to high ports, and no row tells which side began',
  },
  'outbound-not-logged': { code: 'outbound-not-logged', say: 'Connections came in, and the log never shows answers' },
};

/** Why an opening counts as used: one reason for each way of use, the strongest first. */
export function explainUse({ uses }: Credit): readonly Reason[] {
  const order: readonly UseKind[] = ['answered', 'one-way', 'long-session', 'outbound-not-logged', 'direction-unclear'];
  const reasons = order.flatMap((kind) => {
    const mine = uses.filter((use) => use.kind === kind);
    return mine.length === 0 ? [] : [{ code: words[kind].code, text: sentence(words[kind].say, mine) }];
  });
  if (uses.every(({ peer }) => peer === undefined)) {
    reasons.push({
      code: 'peers-capped',
      text: 'The peers are too many to be listed, so they may be its source: counted as use.',
    });
  }
  return reasons;
}

function sentence(say: string, uses: readonly Use[]): string {
  const peers = [...new Set(uses.flatMap(({ peer }) => peer ?? []))].toSorted();
  const last = uses.reduce((at, { seen }) => later(at, seen.lastInWindow) ?? at, uses[0]?.seen.lastInWindow);
  const who = peers.length === 0 ? '' : `, from ${peers[0]}${peers.length > 1 ? ` and ${peers.length - 1} more` : ''}`;
  return `${say}${last === undefined ? '' : `, last ${formatInstant(last)}`}${who}.`;
}

/** The reason that unanswered attempts give; none where there were none. */
export function explainKnocks(knocks: readonly Knock[]): readonly Reason[] {
  const { count, last, from } = lastKnockers(knocks);
  if (count === 0) return [];
  const when = last === undefined ? '' : `, last ${formatInstant(last)}`;
  return [
    {
      code: 'only-knocks',
      text: `${count} attempts came in and nobody answered${when}, from ${from.join(', ') || 'peers too many to list'}.`,
    },
  ];
}

/** Attempts that nobody answered, and who made the last ones. */
export function lastKnockers(knocks: readonly Knock[]): Verdict['knocks'] {
  const byPeer = new Map<string, Knock['seen']['last']>();
  for (const { peer, seen } of knocks) {
    if (peer !== undefined) byPeer.set(peer, later(byPeer.get(peer), seen.lastInWindow ?? seen.last) ?? seen.last);
  }
  const latest = [...byPeer].toSorted(([a, at], [b, other]) => other - at || (a < b ? -1 : 1)).slice(0, mostNamed);
  return {
    count: knocks.reduce((sum, { seen }) => sum + seen.records, 0),
    last: knocks.reduce<Verdict['knocks']['last']>((at, { seen }) => later(at, seen.lastInWindow), undefined),
    from: latest.map(([peer]) => peer),
  };
}
