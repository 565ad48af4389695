import { describe, expect, test } from '@jest/globals';
import { dayOf, hour } from '../../shared/base/time.ts';
import { at, eniServer, opening, place, row, seen, verdictOf, verdictsOf } from './judge-facts.ts';

const allDays = Array.from({ length: 30 }, (_, index) => dayOf(at(index)));
const days = (from: number, to: number) => allDays.slice(from, to);
const withMalformed = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ key: `${index}`, malformed: 1, unreadable: undefined }));
const sparse = { hoursADay: 1, seenHours: 30 };

describe('silence', () => {
  test('that every hour of the log confirms is unused', () => {
    const [verdict] = verdictsOf({});
    expect(verdict).toMatchObject({
      verdict: 'unused',
      coverage: 1,
      activeDays: 0,
      lastNew: undefined,
      knocks: { count: 0, from: [] },
    });
  });

  test('of a log with one row a day is measured in days', () => {
    expect(verdictOf({ evidence: { coverage: [seen(eniServer.id, { ...sparse, lastSeen: at(29, hour) })] } })).toBe(
      'unused no-traffic',
    );
  });

  test('proves nothing where a day is missing, in a sparse log or a full one', () => {
    const seenDays = [...days(0, 10), ...days(11, 30)];
    expect(verdictOf({ evidence: { coverage: [seen(eniServer.id, { ...sparse, seenHours: 29, seenDays })] } })).toBe(
      'cannot-tell missing-days',
    );
    expect(verdictOf({ evidence: { coverage: [seen(eniServer.id, { seenHours: 696, seenDays })] } })).toBe(
      'cannot-tell missing-days',
    );
  });

  test('proves nothing where more than one hour in a hundred is missing', () => {
    expect(verdictOf({ evidence: { coverage: [seen(eniServer.id, { seenHours: 713 })] } })).toBe('unused no-traffic');
    expect(verdictOf({ evidence: { coverage: [seen(eniServer.id, { seenHours: 712 })] } })).toBe(
      'cannot-tell missing-hours',
    );
  });

  test('proves nothing where the cloud lost records, unless the policy tolerates it', () => {
    const lossy = { coverage: [seen(eniServer.id, { lostHours: 1 })] };
    expect(verdictOf({ evidence: lossy })).toBe('cannot-tell records-lost');
    expect(verdictOf({ evidence: lossy, policy: { toleratedLostHours: 1 } })).toBe('unused no-traffic');
  });

  test('proves nothing where the interface has no row at all', () => {
    expect(verdictOf({ evidence: { coverage: [] } })).toBe('cannot-tell no-rows');
  });

  test('proves nothing where an object is unreadable, and names it', () => {
    const damaged = [{ key: 'a.log.gz', malformed: 0, unreadable: 'not gzip' }];
    const [verdict] = verdictsOf({ evidence: { damaged } });
    expect(verdict?.reasons[0]).toMatchObject({ code: 'damaged-log', text: expect.stringContaining('a.log.gz') });
  });

  test('is believed less with each object that has malformed rows', () => {
    expect(verdictsOf({ evidence: { damaged: withMalformed(1) } })[0]).toMatchObject({
      verdict: 'unused',
      coverage: 719 / 720,
    });
    expect(verdictOf({ evidence: { damaged: withMalformed(8) } })).toBe('cannot-tell damaged-log');
  });

  test('proves nothing where the log ends early, and names the time that can be judged', () => {
    const [verdict] = verdictsOf({
      evidence: { coverage: [seen(eniServer.id, { lastSeen: at(29, 20 * hour), seenHours: 716 })] },
    });
    expect(verdict?.reasons[0]).toMatchObject({
      code: 'log-ends-early',
      text: expect.stringContaining('--as-of 2026-10-30T20:00:00Z'),
    });
    const short = seen(eniServer.id, { ...sparse, seenDays: days(0, 28), lastSeen: at(27, hour) });
    expect(verdictOf({ evidence: { coverage: [short] } })).toBe('cannot-tell log-ends-early');
  });

  test('in a sample proves nothing', () => {
    expect(verdictOf({ evidence: { sampled: true } })).toBe('cannot-tell sampled');
  });

  test('proves nothing where flow logs cannot see the interface', () => {
    expect(verdictOf({ interfaces: [{ ...eniServer, blindSpot: 'it is a gateway load balancer' }] })).toBe(
      'cannot-tell blind-spot',
    );
  });

  test('of a group that nothing carries proves nothing', () => {
    expect(verdictOf({ openings: [opening({ targets: [] })] })).toBe('cannot-tell not-attached');
  });

  test('of interfaces that are all younger than the window proves nothing', () => {
    const young = place('eni-young', ['10.0.1.11'], { attachedAt: at(10) });
    const coverage = [seen(), seen('eni-young', { seenDays: days(10, 30), seenHours: 480 })];
    const only = {
      openings: [opening({ targets: ['eni-young'] })],
      interfaces: [eniServer, young],
      evidence: { coverage },
    };
    expect(verdictOf(only)).toBe('cannot-tell young');
    const both = { ...only, openings: [opening({ targets: ['eni-young', eniServer.id] })] };
    expect(verdictOf(both)).toBe('unused no-traffic');
  });

  test('of an interface so young that nothing of it need have arrived does not stand in the way', () => {
    const [fresh, young] = [at(30, -hour), at(30, -5 * hour)].map((attachedAt) =>
      place('eni-young', ['10.0.1.11'], { attachedAt }),
    );
    const openings = [opening({ targets: ['eni-young', eniServer.id] })];
    expect(verdictOf({ openings, interfaces: [eniServer, fresh ?? eniServer] })).toBe('unused no-traffic');
    expect(verdictOf({ openings, interfaces: [eniServer, young ?? eniServer] })).toBe('cannot-tell no-rows');
  });

  test('of an interface attached after the judgement is nobody’s business', () => {
    const later = place('eni-later', ['10.0.1.12'], { attachedAt: at(31) });
    expect(
      verdictOf({ openings: [opening({ targets: ['eni-later', eniServer.id] })], interfaces: [eniServer, later] }),
    ).toBe('unused no-traffic');
  });

  test('shorter than twice the usual gap proves nothing', () => {
    const monthly = [-90, -60, -31, -5].map((on) => on);
    const rows = [row('answered', { on: monthly })];
    expect(verdictOf({ rows })).toBe('cannot-tell period');
    expect(verdictOf({ rows: [row('answered', { on: [-40, -30, -20, -10] })] })).toBe('unused no-traffic');
  });

  test('of outbound openings is not judged', () => {
    expect(verdictOf({ openings: [opening({ direction: 'egress' })] })).toBe('cannot-tell egress-not-judged');
  });
});
