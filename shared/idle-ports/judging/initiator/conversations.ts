import type { Instant } from '../../../base/time.ts';
import type { FactKind } from '../../../flow-logs/contract.ts';
import type { UsageRow } from '../../../usage/evidence.ts';

/** IANA numbers of the protocols that have ports, and of ICMP for IPv4 and IPv6. */
export const tcp = 6;
export const udp = 17;

/** What is known of one kind of traffic of one conversation, over the whole history. */
export interface Tally {
  readonly first: Instant;
  readonly last: Instant;
  readonly firstInWindow: Instant | undefined;
  readonly lastInWindow: Instant | undefined;
  readonly days: readonly string[];
  readonly records: number;
  readonly packets: number;
  /** Largest mean packet of one record, in bytes. */
  readonly largest: number;
  readonly portLow: number;
  readonly portHigh: number;
  readonly peerPortLow: number;
  readonly peerPortHigh: number;
}

/**
 * Everything one peer and one local port said to each other at one interface, whatever address the interface had.
 * Folded: the local port is one of many high ones, and the peer's port is one.
 */
export interface Conversation {
  readonly interface: string;
  readonly local: string;
  readonly protocol: number;
  readonly peer: string | undefined;
  readonly isFolded: boolean;
  readonly port: number;
  readonly kinds: Partial<Record<FactKind, Tally>>;
}

/** Groups the rows of one log by conversation. The order of the rows does not matter. */
export function conversations(rows: readonly UsageRow[]): readonly Conversation[] {
  const found = new Map<string, Conversation>();
  for (const row of rows) {
    const { interface: place, local, protocol, peer } = row;
    const isFolded = row.port === 0 && row.portHigh > 0;
    const port = isFolded ? row.peerPortLow : row.port;
    const key = [place, protocol, peer, isFolded ? 'folded' : row.kind === 'opened-out' ? 'out' : '', port].join(' ');
    const held = found.get(key) ?? { interface: place, local, protocol, peer, isFolded, port: row.port, kinds: {} };
    const kinds = { ...held.kinds, [row.kind]: mergeTallies([held.kinds[row.kind], row]) };
    found.set(key, { ...held, local: local < held.local ? local : held.local, kinds });
  }
  return [...found.values()];
}

/** One tally for several, with what each of them knew; undefined where there is none. */
export function mergeTallies(tallies: readonly (Tally | undefined)[]): Tally | undefined {
  return tallies
    .filter((tally) => tally !== undefined)
    .reduce<Tally | undefined>((one, other) => (one ? mergeTwo(one, other) : other), undefined);
}

function mergeTwo(one: Tally, other: Tally): Tally {
  return {
    first: earlier(one.first, other.first) ?? one.first,
    last: later(one.last, other.last) ?? one.last,
    firstInWindow: earlier(one.firstInWindow, other.firstInWindow),
    lastInWindow: later(one.lastInWindow, other.lastInWindow),
    days: [...new Set([...one.days, ...other.days])].toSorted(),
    records: one.records + other.records,
    packets: one.packets + other.packets,
    largest: Math.max(one.largest, other.largest),
    portLow: Math.min(one.portLow, other.portLow),
    portHigh: Math.max(one.portHigh, other.portHigh),
    peerPortLow: Math.min(one.peerPortLow, other.peerPortLow),
    peerPortHigh: Math.max(one.peerPortHigh, other.peerPortHigh),
  };
}

/** The earlier of two times that may not be known. */
export function earlier(one: Instant | undefined, other: Instant | undefined): Instant | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one < other ? one : other;
}

/** The later of two times that may not be known. */
export function later(one: Instant | undefined, other: Instant | undefined): Instant | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one > other ? one : other;
}
