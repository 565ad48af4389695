import { instant, second, type Instant } from '../../base/time.ts';
import type { UsageEvidence, UsageRow } from '../../usage/evidence.ts';
import type { Closure } from './closure.ts';
import { isAt, KnownSources, unnamed, type Standing } from './known-sources.ts';
import type { ClosingPolicy } from './limits.ts';

/** One source that was refused at a closed opening. */
export interface Knock extends Standing {
  readonly who: string;
  readonly last: Instant;
  /**
   * True: it tried more than once, as clients do and one packet with a made-up sender does not; also where its log
   * counts no packets.
   */
  readonly insists: boolean;
}

/** What the logs say about a closed opening. */
export interface Refusals {
  /** The logs of every interface reach to here; undefined where there is none. */
  readonly seenUntil: Instant | undefined;
  /** The latest first. */
  readonly knocks: readonly Knock[];
}

/**
 * Who was refused at an opening since it was closed, what is known of him, and whether he insists; see KnownSources.
 * The window of the evidence begins at the closing: only so can a row that is older be told apart. Pure.
 */
export function refusalsOf(closure: Closure, evidence: UsageEvidence, policy: ClosingPolicy): Refusals {
  const sources = new KnownSources(closure, evidence, policy);
  const refused = Map.groupBy(
    evidence.rows.filter((row) => isRefused(row, closure)).filter(isAt(closure)),
    ({ peer }) => peer ?? unnamed,
  );
  const knocks = [...refused].map(([who, rows]): Knock => {
    const last = rows.map((row) => row.last).reduce((a, b) => (a > b ? a : b));
    return { who, last, insists: insists(rows, closure), ...sources.standingOf(who) };
  });
  return {
    seenUntil: seenUntil(closure, evidence),
    knocks: knocks.toSorted((a, b) => b.last - a.last || (a.who < b.who ? -1 : 1)),
  };
}

/**
 * A row's times are whole seconds, so one that began in the second of the closing may lie after it. Logs do not tell
 * the types of ICMP, so any refused ICMP may be what the opening let in.
 */
function isRefused({ kind, last }: UsageRow, { closedAt }: Closure): boolean {
  return kind === 'rejected' && closedAt !== undefined && last + second > closedAt;
}

/**
 * More than one packet since the closing. A log that counts no packets (GCP's firewall rules, Azure's refused flows)
 * cannot show that there was only one. Of a row that began before the closing, by an earlier one of the same opening,
 * only two different times inside the window tell.
 */
function insists(rows: readonly UsageRow[], { closedAt = instant(0) }: Closure): boolean {
  const counts = rows.map((row) => {
    if (row.first + second <= closedAt) return (row.firstInWindow ?? 0) < (row.lastInWindow ?? 0) ? 2 : 1;
    return row.packets > 0 ? row.packets : Math.max(2, row.records);
  });
  return counts.reduce((sum, count) => sum + count, 0) > 1;
}

/** Per interface its own log, else that of what it hangs in; the slowest counts. */
function seenUntil({ evidence }: Closure, { coverage }: UsageEvidence): Instant | undefined {
  const shared = coverage.filter(({ scope }) => evidence.scopes.includes(scope) && !evidence.targets.includes(scope));
  const ends = evidence.targets.map((target) => {
    const own = coverage.filter(({ scope }) => scope === target);
    return (own.length > 0 ? own : shared).map(({ lastSeen }) => lastSeen).toSorted((a, b) => b - a)[0];
  });
  if (ends.length === 0 || ends.includes(undefined)) return undefined;
  return ends.filter((end) => end !== undefined).toSorted((a, b) => a - b)[0];
}
