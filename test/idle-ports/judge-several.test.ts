import { describe, expect, test } from '@jest/globals';
import { hour, minute } from '../../shared/base/time.ts';
import { at, eniServer, opening, place, row, seen, verdictOf, verdictsOf, window } from './judge-facts.ts';

const ids = (verdicts: ReturnType<typeof verdictsOf>) => verdicts.map(({ rule, verdict }) => `${rule} ${verdict}`);
const use = (port: number) => row('answered', { port });

describe('several openings', () => {
  test('that match one flow are all used', () => {
    const openings = [
      opening(),
      opening({ id: 'sgr-2', from: '10.0.2.20/32' }),
      opening({ id: 'sgr-3', from: '10.0.9.0/24' }),
    ];
    const verdicts = verdictsOf({ openings, rows: [row('answered')] });
    expect(ids(verdicts)).toEqual(['sgr-1 used', 'sgr-2 used', 'sgr-3 no-effect']);
    expect(verdicts[0]?.alsoAllowedBy).toEqual(['sgr-2', 'sgr-3']);
  });

  test('that are equal and unused: the lowest id is judged, the others are no-effect', () => {
    const openings = [opening({ id: 'sgr-3' }), opening({ id: 'sgr-1' }), opening({ id: 'sgr-2' })];
    expect(ids(verdictsOf({ openings }))).toEqual(['sgr-1 unused', 'sgr-2 no-effect', 'sgr-3 no-effect']);
  });

  test('together can make another one useless, by addresses and by ports', () => {
    const whole = opening({ id: 'sgr-9', from: '10.0.0.0/23', ports: { from: 80, to: 90 } });
    const parts = [
      opening({ id: 'sgr-1', from: '10.0.0.0/24', ports: { from: 80, to: 90 } }),
      opening({ id: 'sgr-2', from: '10.0.1.0/24', ports: { from: 80, to: 85 } }),
      opening({ id: 'sgr-3', from: '10.0.0.0/16', ports: { from: 86, to: 100 } }),
    ];
    expect(ids(verdictsOf({ openings: [whole, ...parts] }))).toContain('sgr-9 no-effect');
    expect(ids(verdictsOf({ openings: [whole, ...parts.slice(0, 2)] }))).toContain('sgr-9 unused');
  });

  test('cover one another only on interfaces that both apply to', () => {
    const other = place('eni-other', ['10.0.1.77']);
    const openings = [
      opening({ id: 'sgr-2', targets: [eniServer.id, 'eni-other'] }),
      opening({ id: 'sgr-1', from: '0.0.0.0/0' }),
    ];
    const coverage = [seen(), seen('eni-other')];
    expect(ids(verdictsOf({ openings, interfaces: [eniServer, other], evidence: { coverage } }))).toEqual([
      'sgr-1 unused',
      'sgr-2 unused',
    ]);
  });

  test('for TCP are useless beside one for everything, never the other way round', () => {
    const openings = [opening({ id: 'sgr-1' }), opening({ id: 'sgr-2', protocol: 'all', ports: 'all' })];
    expect(ids(verdictsOf({ openings }))).toEqual(['sgr-1 no-effect', 'sgr-2 unused']);
  });

  test('for different ICMP types are no duplicates', () => {
    const openings = [
      opening({ protocol: 1, ports: { from: 2048, to: 2303 } }),
      opening({ id: 'sgr-2', protocol: 1, ports: { from: 768, to: 1023 } }),
    ];
    expect(ids(verdictsOf({ openings }))).toEqual(['sgr-1 unused', 'sgr-2 unused']);
  });
});

describe('a range of ports', () => {
  const range = opening({ ports: { from: 8000, to: 8010 } });

  test('of which some are used is narrow, with those ports merged', () => {
    const [verdict] = verdictsOf({ openings: [range], rows: [use(8001), use(8002), use(8005)] });
    expect(verdict).toMatchObject({
      verdict: 'narrow',
      usedPorts: [
        { from: 8001, to: 8002 },
        { from: 8005, to: 8005 },
      ],
    });
  });

  test('of which all are used is used', () => {
    expect(verdictOf({ openings: [range], rows: Array.from({ length: 11 }, (_, index) => use(8000 + index)) })).toBe(
      'used answered-traffic',
    );
  });

  test('is used, not narrow, where the log cannot vouch for the rest', () => {
    expect(
      verdictOf({
        openings: [range],
        rows: [use(8001)],
        evidence: { coverage: [seen(eniServer.id, { lostHours: 2 })] },
      }),
    ).toBe('used answered-traffic,part-not-judged');
  });

  test('that scanners walked through beside one used port is narrow', () => {
    const scans = Array.from({ length: 11 }, (_, index) => [
      row('opened-in', { port: 8000 + index, largest: 40, peer: '10.66.6.6' }),
      row('refused', { port: 8000 + index, largest: 40, peer: '10.66.6.6' }),
    ]).flat();
    expect(verdictOf({ openings: [range], rows: [...scans, use(8003)] })).toBe('narrow part-used,answered-traffic');
  });
});

test('days with use are counted in the window, and the last packet over the whole history', () => {
  const [verdict] = verdictsOf({ rows: [row('answered', { on: [-3, 4, 5] }), row('opened-in', { on: [-3, 4, 5] })] });
  expect(verdict).toMatchObject({
    verdict: 'used',
    activeDays: 2,
    lastNew: at(5, 12 * hour + minute),
    lastPacket: at(5, 12 * hour + minute),
  });
  expect(window.to - window.from).toBe(30 * 24 * hour);
});
