import { describe, expect, test } from '@jest/globals';
import { fc } from '../properties.ts';
import type { FactKind } from '../../shared/flow-logs/contract.ts';
import type { UsageRow } from '../../shared/usage/evidence.ts';
import {
  client,
  eniServer,
  evidence,
  group,
  log,
  opening,
  place,
  row,
  seen,
  server,
  verdictOf,
} from './judge-facts.ts';

const wide = opening({ ports: { from: 1024, to: 65_535 } });
const elsewhere = { within: ['vpc-2', 'subnet-2'] };
const isUsed = (verdict: string) => /^(used|cannot-tell|narrow)/.test(verdict);

/** A session older than the log, from the client's port to a port of the server. */
function session(port: number, peerPort: number, largest = 500): readonly UsageRow[] {
  const isFolded = port >= 32_768 && peerPort < port;
  const ends = {
    port: isFolded ? 0 : port,
    portLow: port,
    portHigh: port,
    peerPortLow: peerPort,
    peerPortHigh: peerPort,
  };
  return [row('in', { ...ends, largest }), row('out', { ...ends, largest })];
}

/** What an attacker can make the logs say about the server: packets that come in, and what they provoke. */
const spoofed: fc.Arbitrary<UsageRow> = fc
  .record({
    kind: fc.constantFrom<FactKind>('in', 'in', 'opened-in', 'refused', 'rejected'),
    peer: fc.constantFrom(client, '10.0.2.21', '203.0.113.9', undefined),
    port: fc.constantFrom(22, 443, 8080, 33_000, 50_000, 60_000),
    peerPort: fc.constantFrom(20, 22, 443, 700, 2000, 5432, 45_001, 60_001),
    on: fc.constantFrom([-60], [9], [10], [11], [-60, 10]),
  })
  .map(({ kind, peer, port, peerPort, on }) => {
    const isFolded = kind === 'in' && port >= 32_768 && peerPort < port;
    const ends = { portLow: port, portHigh: port, peerPortLow: peerPort, peerPortHigh: peerPort };
    return row(kind, { peer, on, largest: 40, packets: 1, bytes: 40, ...ends, port: isFolded ? 0 : port });
  });

describe('whoever sends packets', () => {
  test.each([
    ['with flags', true],
    ['without flags', false],
  ])('makes no used port idle, %s', (_name, hasFlags) => {
    const ports = fc.constantFrom(443, 8080, 50_000);
    const ends = fc.tuple(ports, fc.constantFrom(2000, 45_001), fc.constantFrom(52, 500));
    const openings = fc.constantFrom(wide, opening({ ports: { from: 0, to: 65_535 } }), 'own' as const);
    fc.assert(
      fc.property(ends, openings, fc.array(spoofed, { maxLength: 12 }), ([port, peerPort, largest], of, attack) => {
        const one = of === 'own' ? opening({ ports: { from: port, to: port } }) : of;
        const applies = one.ports !== 'all' && one.ports.from <= port;
        const rows = [...session(port, peerPort, largest), ...attack];
        const logs = [log({ hasFlags, evidence: evidence(rows) })];
        expect(isUsed(verdictOf({ openings: [one], logs })) || !applies).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  test('is believed in nothing by facts that have a SYN-ACK which came in as our own SYN', () => {
    const old = row('opened-out', { port: 2000, peerPortLow: 2000, peerPortHigh: 2000, on: [-60] });
    expect(verdictOf({ openings: [wide], rows: [old, ...session(50_000, 2000)] })).toBe('used direction-unclear');
  });

  test('in another log does not prove that this one shows what goes out', () => {
    const mine = evidence([row('opened-in', { largest: 40 })]);
    const other = evidence([row('out', { interface: 'eni-other' })]);
    const logs = [log({ evidence: mine, hasFlags: true }), log({ name: 'fl-2', evidence: other })];
    expect(verdictOf({ logs })).toBe('used outbound-not-logged');
  });
});

describe('an address that another network has too', () => {
  const there = (more: object = {}) => place('eni-there', [client], { ...elsewhere, ...more });
  const serves = opening({ id: 'sgr-2', ruleSet: 'sg-2', ports: { from: 2000, to: 2000 }, targets: ['eni-there'] });
  const answers = row('answered', { interface: 'eni-there', local: client, port: 2000, peer: server });
  const rows = [...session(50_000, 2000), answers];

  test('vouches for nobody here, though it answers there', () => {
    const openings = [wide, { ...serves, sources: opening({ from: '0.0.0.0/0' }).sources }];
    expect(verdictOf({ openings, interfaces: [eniServer, there()], rows })).toBe('used direction-unclear');
    expect(verdictOf({ openings, interfaces: [eniServer, there({ within: [] })], rows })).toBe(
      'used direction-unclear',
    );
    const here = place('eni-there', [client]);
    expect(verdictOf({ openings, interfaces: [eniServer, here], rows })).toBe('unused no-traffic');
  });

  test('does not tell who came in here: he may have been a member of a group that is gone', () => {
    const openings = [opening({ from: group('sg-9', '10.0.7.7') })];
    const used = [row('opened-in'), row('answered')];
    expect(verdictOf({ openings, interfaces: [eniServer, there()], rows: used })).toBe('cannot-tell unknown-source');
    expect(verdictOf({ openings, interfaces: [eniServer, place('eni-there', [client])], rows: used })).toBe(
      'unused no-traffic',
    );
  });

  test('and a scanner has is a doubt where payload came from it, and a knock where only its address is there', () => {
    const scanners = ['10.0.2.0/24'];
    const used = [row('opened-in'), row('answered')];
    const small = { largest: 60, packets: 2, bytes: 120 };
    const looked = [row('opened-in', small), row('answered', small)];
    const interfaces = [eniServer, there()];
    expect(verdictOf({ interfaces, rows: used, policy: { scanners } })).toBe('cannot-tell scanner-unclear');
    expect(verdictOf({ interfaces, rows: looked, policy: { scanners } })).toBe('unused only-knocks');
    expect(verdictOf({ rows: used, policy: { scanners } })).toBe('unused only-knocks');
  });
});

test('packets that no opening surely let in came through one that others seem to cover, so it is no no-effect', () => {
  const openings = [opening({ from: group('sg-9', client) }), opening({ id: 'sgr-2', from: '10.0.2.0/24' })];
  const gone = [row('opened-in', { peer: '10.7.7.7' }), row('answered', { peer: '10.7.7.7' })];
  const interfaces = [eniServer, place('eni-client', [client])];
  const coverage = [seen(), seen('eni-client')];
  expect(verdictOf({ openings, interfaces, rows: gone, evidence: { coverage } })).toBe('cannot-tell unknown-source');
  expect(verdictOf({ openings, interfaces, evidence: { coverage } })).toBe('no-effect already-allowed');
});
