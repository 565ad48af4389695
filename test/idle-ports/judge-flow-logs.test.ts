import { describe, expect, test } from '@jest/globals';
import { dayOf } from '../../shared/base/time.ts';
import { at, eniServer, evidence, log, opening, place, row, seen, verdictOf, verdictsOf } from './judge-facts.ts';

const allDays = Array.from({ length: 30 }, (_, index) => dayOf(at(index)));
const days = (from: number, to: number) => allDays.slice(from, to);
const gap = (from: number, to: number) => [{ from: at(from), to: at(to) }];

describe('a flow log', () => {
  test('that keeps rejects only, fails, or covers something else proves nothing', () => {
    expect(verdictOf({ logs: [log({ traffic: 'rejected' })] })).toBe('cannot-tell rejects-only');
    expect(verdictOf({ logs: [log({ trouble: 'delivery fails: Access error.' })] })).toBe('cannot-tell log-failing');
    expect(verdictOf({ logs: [log({ covers: ['vpc-2'] })] })).toBe('cannot-tell no-flow-log');
  });

  test('at the network, the subnet or the interface is enough', () => {
    for (const covers of [['vpc-1'], ['subnet-1'], [eniServer.id]])
      expect(verdictOf({ logs: [log({ covers })] })).toBe('unused no-traffic');
  });

  test('that covers only some of the interfaces proves nothing about the others', () => {
    const other = place('eni-other', ['10.0.5.5'], { within: ['vpc-1', 'subnet-9'] });
    const openings = [opening({ targets: [eniServer.id, 'eni-other'] })];
    expect(verdictOf({ openings, interfaces: [eniServer, other], logs: [log({ covers: ['subnet-1'] })] })).toBe(
      'cannot-tell no-flow-log',
    );
    expect(
      verdictOf({
        openings,
        interfaces: [eniServer, other],
        logs: [log({ covers: ['subnet-1'] })],
        rows: [row('answered')],
      }),
    ).toBe('used answered-traffic');
  });

  test('younger than the window proves nothing, and says when it will', () => {
    const young = seen(eniServer.id, { seenDays: days(12, 30), seenHours: 432 });
    const [verdict] = verdictsOf({ logs: [log({ createdAt: at(12) })], evidence: { coverage: [young] } });
    expect(verdict?.reasons.map(({ code }) => code)).toEqual(['log-young']);
    expect(verdict?.reasons[0]?.text).toContain('2026-11-12');
  });

  test('that replaced another one inside the window is continued by it', () => {
    const old = evidence([], {
      coverage: [seen(eniServer.id, { seenDays: days(0, 12), seenHours: 288, gaps: gap(12, 30), lastSeen: at(12) })],
    });
    const next = evidence([], {
      coverage: [seen(eniServer.id, { seenDays: days(12, 30), seenHours: 432, gaps: gap(0, 12) })],
    });
    const logs = [log({ name: 'fl-old', evidence: old }), log({ name: 'fl-new', evidence: next, createdAt: at(12) })];
    expect(verdictOf({ logs })).toBe('unused no-traffic');
    const torn = evidence([], {
      coverage: [seen(eniServer.id, { seenDays: days(14, 30), seenHours: 384, gaps: gap(0, 14) })],
    });
    expect(verdictOf({ logs: [log({ evidence: old }), log({ name: 'fl-new', evidence: torn })] })).toBe(
      'cannot-tell missing-days',
    );
  });

  test('of rejects beside one of everything does no harm, and its rows cover nothing', () => {
    const rejects = evidence([row('rejected')], { coverage: [seen()] });
    const empty = evidence([], { coverage: [] });
    expect(
      verdictOf({ logs: [log({ evidence: evidence([]) }), log({ traffic: 'rejected', evidence: rejects })] }),
    ).toBe('unused no-traffic');
    expect(verdictOf({ logs: [log({ evidence: empty }), log({ traffic: 'rejected', evidence: rejects })] })).toBe(
      'cannot-tell no-rows',
    );
  });

  test('that keeps accepted packets only is enough, but says that nobody will see who is refused', () => {
    expect(verdictOf({ logs: [log({ traffic: 'accepted' })] })).toBe('unused no-traffic,rejects-invisible');
  });

  test('without flags beside one with flags is read in its own way', () => {
    const scan = { largest: 40, packets: 1, bytes: 40 };
    const flags = evidence([row('opened-in', scan), row('refused', scan)]);
    const plain = evidence([row('in', scan), row('out', scan)]);
    const logs = [log({ evidence: flags, hasFlags: true }), log({ name: 'fl-2', evidence: plain, hasFlags: false })];
    expect(verdictOf({ logs })).toBe('unused only-knocks');
  });
});
