import { fc } from '../properties.ts';
import type { Opening } from '../../shared/firewalls/contract.ts';
import type { FactKind } from '../../shared/flow-logs/contract.ts';
import type { JudgeInput } from '../../shared/idle-ports/judging/judge.ts';
import { defaultIdlePolicy } from '../../shared/idle-ports/judging/policy.ts';
import type { UsageRow } from '../../shared/usage/evidence.ts';
import { eniServer, evidence, group, log, opening, place, row, seen, window } from './judge-facts.ts';

const kinds: readonly FactKind[] = ['opened-in', 'answered', 'refused', 'rejected', 'opened-out', 'in', 'out'];
export const peers = ['10.0.2.20', '10.0.2.21', '10.7.0.1', '203.0.113.9', '2001:db8::9', undefined];
export const ports = [22, 53, 80, 443, 5432, 8080, 30_000, 45_000];

/** Rows as a reader of logs makes them: high local ports of rows that do not tell who began are folded. */
const anyRow: fc.Arbitrary<UsageRow> = fc
  .record({
    kind: fc.constantFrom(...kinds),
    peer: fc.constantFrom(...peers),
    port: fc.constantFrom(...ports),
    peerPort: fc.constantFrom(53, 443, 700, 5432, 40_000, 60_000),
    protocol: fc.constantFrom(6, 6, 6, 17, 1),
    on: fc
      .uniqueArray(fc.integer({ min: -20, max: 29 }), { minLength: 1, maxLength: 3 })
      .map((days) => days.toSorted((a, b) => a - b)),
    largest: fc.constantFrom(40, 52, 60, 500),
  })
  .map(({ kind, peer, port, peerPort, protocol, on, largest }) => {
    const common = { peer, protocol, on, largest, peerPortLow: peerPort, peerPortHigh: peerPort };
    if (protocol === 1)
      return row(kind === 'out' ? 'out' : 'in', { ...common, port: 0, peerPortLow: 0, peerPortHigh: 0 });
    const isFolded = (kind === 'in' || kind === 'out') && port >= 32_768 && peerPort < port;
    return row(
      protocol === 17 && kind !== 'out' ? 'in' : kind,
      isFolded ? { ...common, port: 0, portLow: port, portHigh: port } : { ...common, port },
    );
  });

const anyOpening = fc
  .record({
    from: fc.constantFrom('0.0.0.0/0', '10.0.0.0/8', '10.0.2.0/24', '10.0.2.20/32', '::/0', 'group'),
    protocol: fc.constantFrom<Opening['protocol']>(6, 6, 17, 1, 'all'),
    ports: fc.constantFrom(
      { from: 443, to: 443 },
      { from: 0, to: 65_535 },
      { from: 1024, to: 65_535 },
      { from: 80, to: 8080 },
    ),
  })
  .map(({ from, protocol, ports: range }) => ({
    from: from === 'group' ? group('sg-9', '10.0.2.20') : from,
    protocol,
    ports: protocol === 6 || protocol === 17 ? range : ('all' as const),
  }));

/** Up to five openings at one server. */
export const openings = fc
  .array(anyOpening, { minLength: 1, maxLength: 5 })
  .map((all) => all.map((one, index) => opening({ id: `sgr-${index}`, ...one })));
/** Something always goes out, so that the log is known to show it. */
export const rows = fc
  .array(anyRow, { maxLength: 12 })
  .map((some) => [row('out', { port: 9, peer: '10.200.0.1' }), ...some]);
export const interfaces = [eniServer, place('eni-client', ['10.0.2.20']), place('eni-second', ['10.0.2.21'])];

/**
 * Whole inputs of a judge: with one log or several, coverage with gaps, openings before and after the judgement's time.
 */
export const judgeInputs: fc.Arbitrary<JudgeInput> = fc
  .record({
    openings,
    rows,
    less: fc.constantFrom({}, { lostHours: 3 }, { seenHours: 600 }, { gaps: [{ from: window.from, to: window.to }] }),
    own: fc.boolean(),
    minCoverage: fc.constantFrom(0.5, 0.99),
    scanners: fc.constantFrom([], ['203.0.113.0/24']),
  })
  .map(({ openings: all, rows: facts, less, own, minCoverage, scanners }) => {
    const known = evidence(facts, { coverage: [seen(eniServer.id, less), seen('eni-client')] });
    return {
      state: { cloud: 'aws', evaluation: 'union', openings: all, interfaces },
      evidence: known,
      logs: own ? [log({ evidence: known }), log({ name: 'fl-2', traffic: 'rejected', hasFlags: false })] : [],
      policy: { ...defaultIdlePolicy, minCoverage, scanners },
      asOf: window.to,
    };
  });
