import { expect, test } from '@jest/globals';
import { fc } from '../properties.ts';
import type { Opening } from '../../shared/firewalls/contract.ts';
import type { UsageRow } from '../../shared/usage/evidence.ts';
import { at, eniServer, row, seen, verdictsOf } from './judge-facts.ts';
import { interfaces, openings, peers, ports, rows } from './judge-inputs.ts';

const judged = (all: readonly Opening[], facts: readonly UsageRow[]) =>
  verdictsOf({ openings: all, rows: facts, interfaces });
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
      const lost = before.filter(
        ({ verdict }, index) => isCredited(verdict) && !isCredited(more[index]?.verdict ?? ''),
      );
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
      const uncredited = matching.filter(
        ({ id }) => !isCredited(verdicts.find(({ rule }) => rule === id)?.verdict ?? ''),
      );
      expect(uncredited).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test('less coverage never turns anything into unused', () => {
  const worse = fc.constantFrom(
    { lostHours: 3 },
    { seenHours: 600 },
    { seenDays: ['2026-10-04'] },
    { lastSeen: at(20) },
  );
  fc.assert(
    fc.property(openings, rows, worse, (all, facts, less) => {
      const verdicts = verdictsOf({
        openings: all,
        rows: facts,
        interfaces,
        evidence: { coverage: [seen(eniServer.id, less)] },
      });
      expect(verdicts.map(({ verdict }) => verdict)).not.toContain('unused');
      expect(verdicts.map(({ verdict }) => verdict)).not.toContain('narrow');
    }),
    { numRuns: 200 },
  );
});
