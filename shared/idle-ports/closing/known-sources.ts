import { BlockList, isIPv6 } from 'node:net';
import type { UsageEvidence, UsageRow } from '../../usage/evidence.ts';
import { hasPorts, type Closure } from './closure.ts';
import type { ClosingPolicy } from './limits.ts';

/** What is known about one source that was refused. */
export interface Standing {
  /** True: a real client of this very opening, so he misses it. */
  readonly known: boolean;
  /** True: it uses other services here, so a person should look. */
  readonly usesOthers: boolean;
  /** True: it counts as a port scanner. */
  readonly scanner: boolean;
  /** Why so, for people. */
  readonly why: string;
}

/** Facts name the latest peers of a day and fold the rest into one row. */
export const unnamed = 'others';

/**
 * Who may miss one opening. Known is whom the configuration names, or who used this very opening: others may be spoofed
 * at will, and their use of another port tells nothing about this one. A configured scanner is never known; but nobody
 * who is known counts as a scanner for what was sent in his name to other ports.
 */
export class KnownSources {
  readonly #policy: ClosingPolicy;
  readonly #known: BlockList;
  readonly #scanners: BlockList;
  readonly #clients: ReadonlySet<string>;
  readonly #talkers: ReadonlySet<string>;
  readonly #turnedAway: ReadonlyMap<string, ReadonlySet<string>>;

  constructor(closure: Closure, { rows }: UsageEvidence, policy: ClosingPolicy) {
    this.#policy = policy;
    this.#known = ranges(policy.knownSources);
    this.#scanners = ranges(policy.scanners);
    const uses = usesIn(rows);
    this.#talkers = new Set(uses.flatMap(({ peer }) => peer ?? []));
    const here = [...uses, ...rows.filter(isOneWay)].filter(isAt(closure));
    this.#clients = new Set(here.flatMap(({ peer }) => peer ?? []));
    this.#turnedAway = turnedAway(rows);
  }

  standingOf(who: string): Standing {
    const nobody = { known: false, usesOthers: false, scanner: false };
    if (who === unnamed) return { ...nobody, usesOthers: true, why: 'too many to name them all' };
    if (this.#scanners.check(who, familyOf(who))) return { ...nobody, scanner: true, why: 'a configured scanner' };
    if (this.#known.check(who, familyOf(who))) return { ...nobody, known: true, why: 'a configured source' };
    if (this.#clients.has(who)) return { ...nobody, known: true, why: 'it has used this opening before' };
    const usesOthers = this.#talkers.has(who);
    const elsewhere = usesOthers ? 'it has used other services here, but never this opening' : '';
    const places = this.#turnedAway.get(who)?.size ?? 0;
    const scans = `it counts as a scanner: turned away at ${places} different ports`;
    if (places >= this.#policy.scannerPorts)
      return { ...nobody, usesOthers, scanner: true, why: usesOthers ? `${scans}; ${elsewhere}` : scans };
    return { ...nobody, usesOthers, why: usesOthers ? elsewhere : 'never seen to use anything here' };
  }
}

/** Tells whether a row is about a closing's own targets, protocol, ports and sources. */
export function isAt({ evidence }: Closure): (row: UsageRow) => boolean {
  const { ports, protocol } = evidence;
  const targets = new Set(evidence.targets);
  const admitted = ranges(evidence.admitted);
  return (row) => {
    if (!targets.has(row.interface) || (protocol !== 'all' && protocol !== row.protocol)) return false;
    const meets = ports === 'all' || !hasPorts(row.protocol) || (ports.from <= row.portHigh && row.portLow <= ports.to);
    return meets && (row.peer === undefined || admitted.check(row.peer, familyOf(row.peer)));
  };
}

/** Rows in which a peer exchanged payload with a service here: no single packet with a made-up sender does. */
function usesIn(rows: readonly UsageRow[]): readonly UsageRow[] {
  const inbound = new Set(rows.filter(({ kind }) => kind === 'in').map(conversation));
  const answered = new Set(rows.filter(({ kind }) => kind === 'answered').map(conversation));
  return rows.filter((row) => {
    if (row.peer === undefined || row.largest <= headersOf(row)) return false;
    if (row.kind === 'in') return answered.has(conversation(row));
    return row.kind === 'answered' || (row.kind === 'out' && inbound.has(conversation(row)));
  });
}

/** Over UDP and the like nobody need answer: what was let in is use of the opening. */
function isOneWay({ kind, protocol }: UsageRow): boolean {
  return kind === 'in' && protocol !== tcp;
}

const tcp = 6;

/** At how many different places each peer was turned away. */
function turnedAway(rows: readonly UsageRow[]): ReadonlyMap<string, ReadonlySet<string>> {
  const answered = new Set(rows.filter(({ kind }) => kind === 'answered').map(conversation));
  const places = new Map<string, Set<string>>();
  for (const row of rows) {
    const unanswered = row.kind === 'opened-in' && !answered.has(conversation(row));
    if (row.peer === undefined || !(row.kind === 'rejected' || row.kind === 'refused' || unanswered)) continue;
    const seen = places.get(row.peer) ?? new Set<string>();
    places.set(row.peer, seen.add(`${row.interface} ${row.protocol} ${row.port}`));
  }
  return places;
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
