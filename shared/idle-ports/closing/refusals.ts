import { BlockList, isIPv6 } from 'node:net';
import { second, type Instant } from '../../base/time.ts';
import type { UsageEvidence, UsageRow } from '../../usage/evidence.ts';
import { hasPorts, type Closure } from './closure.ts';
import type { ClosingPolicy } from './limits.ts';

/** One source that was refused at a closed opening. */
export interface Knock {
  readonly who: string;
  readonly last: Instant;
  /** True: somebody whom the house knows as a real client, so he misses the opening. */
  readonly known: boolean;
  /** How he is known, or why he does not count. */
  readonly why: string;
}

/** What the logs say about a closed opening. */
export interface Refusals {
  /** The logs of every interface reach to here; undefined where there is none. */
  readonly seenUntil: Instant | undefined;
  /** The latest first. */
  readonly knocks: readonly Knock[];
}

/**
 * Who was refused at an opening since it was closed, and whether he counts. Known is whom the configuration names, or
 * who exchanged payload with any port before. A configured scanner never counts, nor does a source that was turned away
 * at many different ports, unless it is configured as known. Pure.
 */
export function refusalsOf(closure: Closure, evidence: UsageEvidence, policy: ClosingPolicy): Refusals {
  const house = new House(evidence, policy);
  const latest = new Map<string, Instant>();
  for (const row of evidence.rows) {
    if (!isRefusal(row, closure)) continue;
    const who = row.peer ?? unnamed;
    const before = latest.get(who);
    if (before === undefined || before < row.last) latest.set(who, row.last);
  }
  const knocks = [...latest].map(([who, last]) => ({ who, last, ...house.judge(who) }));
  return {
    seenUntil: seenUntil(closure, evidence),
    knocks: knocks.toSorted((a, b) => b.last - a.last || (a.who < b.who ? -1 : 1)),
  };
}

/** Facts name the latest peers of a day and fold the rest into one row. */
const unnamed = 'others';

/**
 * A row's times are whole seconds, so one that began in the second of the closing may lie after it. Logs do not tell
 * the types of ICMP, so any refused ICMP may be what the opening let in.
 */
function isRefusal(row: UsageRow, { closedAt, evidence }: Closure): boolean {
  if (row.kind !== 'rejected' || closedAt === undefined || row.last + second <= closedAt) return false;
  if (!evidence.targets.includes(row.interface)) return false;
  if (evidence.protocol !== 'all' && evidence.protocol !== row.protocol) return false;
  const { ports } = evidence;
  const meets = ports === 'all' || !hasPorts(row.protocol) || (ports.from <= row.portHigh && row.portLow <= ports.to);
  return meets && (row.peer === undefined || ranges(evidence.admitted).check(row.peer, familyOf(row.peer)));
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

/** What is known about everybody who ever appeared. */
class House {
  readonly #policy: ClosingPolicy;
  readonly #known: BlockList;
  readonly #scanners: BlockList;
  readonly #talkers = new Set<string>();
  readonly #turnedAway = new Map<string, Set<string>>();

  constructor(evidence: UsageEvidence, policy: ClosingPolicy) {
    this.#policy = policy;
    this.#known = ranges(policy.knownSources);
    this.#scanners = ranges(policy.scanners);
    const inbound = new Set(evidence.rows.filter(({ kind }) => kind === 'in').map(conversation));
    const answered = new Set(evidence.rows.filter(({ kind }) => kind === 'answered').map(conversation));
    for (const row of evidence.rows) {
      if (row.peer === undefined) continue;
      const twoWays = row.kind === 'answered' || (row.kind === 'out' && inbound.has(conversation(row)));
      const aloud = (row.kind === 'in' && answered.has(conversation(row))) || twoWays;
      if (aloud && row.largest > headersOf(row)) this.#talkers.add(row.peer);
      const away =
        row.kind === 'rejected' ||
        row.kind === 'refused' ||
        (row.kind === 'opened-in' && !answered.has(conversation(row)));
      if (away) this.#turnedAwayAt(row.peer, `${row.interface} ${row.protocol} ${row.port}`);
    }
  }

  judge(who: string): { readonly known: boolean; readonly why: string } {
    if (who === unnamed) return { known: false, why: 'too many to name them all' };
    if (this.#scanners.check(who, familyOf(who))) return { known: false, why: 'a configured scanner' };
    if (this.#known.check(who, familyOf(who))) return { known: true, why: 'a configured source' };
    const places = this.#turnedAway.get(who)?.size ?? 0;
    if (places >= this.#policy.scannerPorts)
      return { known: false, why: `turned away at ${places} different ports, as scanners are` };
    if (this.#talkers.has(who)) return { known: true, why: 'it has used services here before' };
    return { known: false, why: 'never seen to use anything here' };
  }

  #turnedAwayAt(peer: string, place: string): void {
    const places = this.#turnedAway.get(peer) ?? new Set<string>();
    this.#turnedAway.set(peer, places.add(place));
  }
}

function conversation(row: UsageRow): string {
  return `${row.interface} ${row.local} ${row.protocol} ${row.port} ${row.peer ?? '*'}`;
}

/** A packet not larger than this carries no payload: IP and TCP headers with options. */
function headersOf(row: UsageRow): number {
  return isIPv6(row.local) ? 80 : 60;
}

function ranges(cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [network = '', bits] = cidr.split('/');
    list.addSubnet(network, Number(bits ?? (isIPv6(network) ? 128 : 32)), familyOf(network));
  }
  return list;
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}
