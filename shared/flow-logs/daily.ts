import { dayOf, instant } from '../base/time.ts';
import { peerCap } from './aggregate.ts';
import { ownAddresses, type KnownInterface } from './own-addresses.ts';
import { hoursOf, scopeOf } from './parsed-usage.ts';
import { sightings, type Sighting } from './sightings.ts';
import type { CoverageFact, Fact, ParsedRow } from './contract.ts';

/**
 * Facts of parsed rows, in plain TypeScript and without DuckDB: what aggregate.ts says in SQL, told a second time.
 * Order as there. Pure.
 */
export function dailyFacts(
  rows: readonly ParsedRow[],
  inventory?: readonly KnownInterface[],
  cap = peerCap,
): readonly Fact[] {
  const records = rows.flatMap((row) => (row.kind === 'record' && !row.repeats ? [row.record] : []));
  const own = ownAddresses(records, inventory);
  const facts = merge(records.flatMap((record) => sightings(record, own(record)).map(factOf)));
  return merge(capPeers(facts, cap)).toSorted(inOrder);
}

/** Hours that parsed rows prove to be covered, or to have lost records; in order of scope, hour and state. Pure. */
export function dailyCoverage(rows: readonly ParsedRow[]): readonly CoverageFact[] {
  const found = new Map<string, CoverageFact>();
  for (const row of rows) {
    if (row.kind === 'malformed') continue;
    const scope = row.kind === 'record' ? scopeOf(row.record) : row.scope;
    const { start, end } = row.kind === 'record' ? row.record : row;
    const last = end ?? start;
    if (scope === undefined || last === undefined) continue;
    const state = row.kind === 'status' && row.status === 'SKIPDATA' ? 'lost' : 'seen';
    for (const hour of hoursOf(start ?? last, last))
      found.set(`${scope} ${hour} ${state}`, { scope, hour: instant(hour), state });
  }
  return [...found.values()].toSorted(
    (a, b) => compare(a.scope, b.scope) || a.hour - b.hour || compare(a.state, b.state),
  );
}

function factOf(sighting: Sighting): Fact {
  const { kind, localPort, peerPort } = sighting;
  const isFolded = (kind === 'in' || kind === 'out') && localPort >= 32_768 && peerPort < localPort;
  const isPeers = kind === 'opened-out';
  const port = isFolded ? 0 : isPeers ? peerPort : localPort;
  return {
    day: dayOf(sighting.end),
    interface: sighting.interface,
    local: sighting.local,
    protocol: sighting.protocol,
    port,
    kind,
    peer: sighting.peer,
    portLow: localPort,
    portHigh: localPort,
    peerPortLow: peerPort,
    peerPortHigh: peerPort,
    first: sighting.start,
    last: sighting.end,
    records: 1,
    packets: sighting.packets,
    bytes: sighting.bytes,
    largest: sighting.packets === 0 ? 0 : sighting.bytes / sighting.packets,
  };
}

/** Everything that tells two facts of different peers apart, except the peers. */
function placeOf(fact: Fact): string {
  const folded = fact.port === 0 && fact.portHigh > 0 ? fact.peerPortLow : '';
  return [fact.day, fact.interface, fact.local, fact.protocol, fact.port, fact.kind, folded].join(' ');
}

function merge(facts: readonly Fact[]): readonly Fact[] {
  const merged = new Map<string, Fact>();
  for (const fact of facts) {
    const key = `${placeOf(fact)} ${fact.peer ?? ''}`;
    const held = merged.get(key);
    merged.set(key, held ? together(held, fact) : fact);
  }
  return [...merged.values()];
}

function together(a: Fact, b: Fact): Fact {
  return {
    ...a,
    portLow: Math.min(a.portLow, b.portLow),
    portHigh: Math.max(a.portHigh, b.portHigh),
    peerPortLow: Math.min(a.peerPortLow, b.peerPortLow),
    peerPortHigh: Math.max(a.peerPortHigh, b.peerPortHigh),
    first: instant(Math.min(a.first, b.first)),
    last: instant(Math.max(a.last, b.last)),
    records: a.records + b.records,
    packets: a.packets + b.packets,
    bytes: a.bytes + b.bytes,
    largest: Math.max(a.largest, b.largest),
  };
}

/** The latest peers keep their names; equal times are decided by the name. */
function capPeers(facts: readonly Fact[], cap: number): readonly Fact[] {
  const places = Map.groupBy(facts, placeOf);
  return [...places.values()].flatMap((group) =>
    group
      .toSorted((a, b) => b.last - a.last || compare(a.peer ?? '', b.peer ?? ''))
      .map((fact, index) => (index < cap ? fact : { ...fact, peer: undefined })),
  );
}

function inOrder(a: Fact, b: Fact): number {
  const byPlace = compare(a.day, b.day) || compare(a.interface, b.interface) || compare(a.local, b.local);
  const byPort =
    byPlace || a.protocol - b.protocol || a.port - b.port || compare(a.kind, b.kind) || a.peerPortLow - b.peerPortLow;
  if (byPort !== 0 || a.peer === b.peer) return byPort;
  return a.peer === undefined ? 1 : b.peer === undefined ? -1 : compare(a.peer, b.peer);
}

function compare(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
