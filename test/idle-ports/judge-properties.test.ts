import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Opening } from '../../shared/firewalls/contract.ts';
import type { FactKind } from '../../shared/flow-logs/contract.ts';
import type { UsageRow } from '../../shared/usage/evidence.ts';
import { at, eniServer, group, opening, place, row, seen, verdictsOf } from './judge-facts.ts';

const kinds: readonly FactKind[] = ['opened-in', 'answered', 'refused', 'rejected', 'opened-out', 'in', 'out'];
const peers = ['10.0.2.20', '10.0.2.21', '10.7.0.1', '203.0.113.9', '2001:db8::9', undefined];
const ports = [22, 53, 80, 443, 5432, 8080, 30_000, 45_000];

/** Rows as a reader of logs makes them: high local ports of rows that do not tell who began are folded. */
const anyRow: fc.Arbitrary<UsageRow> = fc
  .record({
    kind: fc.constantFrom(...kinds),
    peer: fc.constantFrom(...peers),
    port: fc.constantFrom(...ports),
    peerPort: fc.constantFrom(53, 443, 700, 5432, 40_000, 60_000),
    protocol: fc.constantFrom(6, 6, 6, 17, 1),
    on: fc.uniqueArray(fc.integer({ min: -20, max: 29 }), { minLength: 1, maxLength: 3 }).map((days) => days.toSorted((a, b) => a - b)),
    largest: fc.constantFrom(40, 52, 60, 500),
  })
  .map(({ kind, peer, port, peerPort, protocol, on, largest }) => {
    const common = { peer, protocol, on, largest, peerPortLow: peerPort, peerPortHigh: peerPort };
    if (protocol === 1) return row(kind === 'out' ? 'out' : 'in', { ...common, port: 0, peerPortLow: 0, peerPortHigh: 0 });
    const isFolded = (kind === 'in' || kind === 'out') && port >= 32_768 && peerPort < port;
    return row(protocol === 17 && kind !== 'out' ? 'in' : kind, isFolded ? { ...common, port: 0, portLow: port, portHigh: port } : { ...common, port });
  });

const anyOpening = fc
  .record({
    from: fc.constantFrom('0.0.0.0/0', '10.0.0.0/8', '10.0.2.0/24', '10.0.2.20/32', '::/0', 'group'),
    protocol: fc.constantFrom<Opening['protocol']>(6, 6, 17, 1, 'all'),
    ports: fc.constantFrom({ from: 443, to: 443 }, { from: 0, to: 65_535 }, { from: 1024, to: 65_535 }, { from: 80, to: 8080 }),
  })
  .map(({ from, protocol, ports: range }) => ({ from: from === 'group' ? group('sg-9', '10.0.2.20') : from, protocol, ports: protocol === 6 || protocol === 17 ? range : ('all' as const) }));

const openings = fc.array(anyOpening, { minLength: 1, maxLength: 5 }).map((all) => all.map((one, index) => opening({ id: `sgr-${index}`, ...one })));
/** Something always goes out, so that the log is known to show it. */
const rows = fc.array(anyRow, { maxLength: 12 }).map((some) => [row('out', { port: 9, peer: '10.200.0.1' }), ...some]);
const interfaces = [eniServer, place('eni-client', ['10.0.2.20']), place('eni-second', ['10.0.2.21'])];
const judged = (all: readonly Opening[], facts: readonly UsageRow[]) => verdictsOf({ openings: all, rows: facts, interfaces });
const isCredited = (verdict: string) => verdict === 'used' || verdict === 'narrow';

test('the verdicts do not depend on the order of rows and openings', () => {
  fc.assert(
    fc.property(openings, rows, (all, facts) => {
      expect(judged(all.toReversed(), facts.toReversed())).toEqual(judged(all, facts));
    }),
    { numRuns: 300 },
  );
});

test('another answered connection never makes a used opening anything less', () => {
  const inbound = fc.record({ peer: fc.constantFrom(...peers), port: fc.constantFrom(...ports) });
  fc.assert(
    fc.property(openings, rows, inbound, (all, facts, { peer, port }) => {
      const before = judged(all, facts);
      const more = judged(all, [...facts, row('opened-in', { peer, port }), row('answered', { peer, port })]);
      const lost = before.filter(({ verdict }, index) => isCredited(verdict) && !isCredited(more[index]?.verdict ?? ''));
      expect(lost).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test('a connection that was answered is always credited to every opening that lets it in', () => {
  fc.assert(
    fc.property(openings, rows, (all, facts) => {
      const verdicts = judged(all, [...facts, row('opened-in'), row('answered')]);
      const matching = all.filter(({ protocol, ports: range, sources: [source] }) => {
        const isSource = source?.kind === 'group' || (source?.kind === 'addresses' && !source.cidrs.includes('::/0'));
        const hasPort = range === 'all' ? protocol === 'all' : range.from <= 443 && 443 <= range.to;
        return isSource && hasPort && (protocol === 6 || protocol === 'all');
      });
      const uncredited = matching.filter(({ id }) => !isCredited(verdicts.find(({ rule }) => rule === id)?.verdict ?? ''));
      expect(uncredited).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test('less coverage never turns anything into unused', () => {
  const worse = fc.constantFrom({ lostHours: 3 }, { seenHours: 600 }, { seenDays: ['2026-10-04'] }, { lastSeen: at(20) });
  fc.assert(
    fc.property(openings, rows, worse, (all, facts, less) => {
      const verdicts = verdictsOf({ openings: all, rows: facts, interfaces, evidence: { coverage: [seen(eniServer.id, less)] } });
      expect(verdicts.map(({ verdict }) => verdict)).not.toContain('unused');
      expect(verdicts.map(({ verdict }) => verdict)).not.toContain('narrow');
    }),
    { numRuns: 200 },
  );
});
