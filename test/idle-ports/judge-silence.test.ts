import { describe, expect, test } from '@jest/globals';
import { dayOf, hour, minute } from '../../shared/base/time.ts';
import {
  at,
  eniServer,
  evidence,
  group,
  log,
  opening,
  place,
  row,
  seen,
  verdictOf,
  verdictsOf,
  window,
} from './judge-facts.ts';

const allDays = Array.from({ length: 30 }, (_, index) => dayOf(at(index)));
const days = (from: number, to: number) => allDays.slice(from, to);
const unknown = (privateOnly: boolean) => [
  opening({ from: [{ kind: 'unknown', name: 'pl-1', why: 'its entries are not here', privateOnly }] }),
];
const ids = (verdicts: ReturnType<typeof verdictsOf>) => verdicts.map(({ rule, verdict }) => `${rule} ${verdict}`);
const use = (port: number) => row('answered', { port });
const withMalformed = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ key: `${index}`, malformed: 1, unreadable: undefined }));
const gap = (from: number, to: number) => [{ from: at(from), to: at(to) }];
const answered = (peer: string | undefined) => [row('opened-in', { peer }), row('answered', { peer })];
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

describe('a source', () => {
  const members = group('sg-9', '10.0.2.20');
  const here = place('eni-client', ['10.0.2.20']);

  test('that is a group lets its members in', () => {
    expect(
      verdictOf({ openings: [opening({ from: members })], interfaces: [eniServer, here], rows: answered('10.0.2.20') }),
    ).toBe('used answered-traffic');
  });

  test('that is a group lets no other known interface in, and no public address', () => {
    const other = place('eni-other', ['10.0.2.21']);
    const openings = [opening({ from: members })];
    expect(verdictOf({ openings, interfaces: [eniServer, here, other], rows: answered('10.0.2.21') })).toBe(
      'unused no-traffic',
    );
    expect(verdictOf({ openings, interfaces: [eniServer, here], rows: answered('203.0.113.9') })).toBe(
      'unused no-traffic',
    );
  });

  test('that is a group may have had a member that is gone', () => {
    const openings = [opening({ from: members })];
    expect(verdictOf({ openings, interfaces: [eniServer, here], rows: answered('10.0.2.99') })).toBe(
      'cannot-tell unknown-source',
    );
    const heir = place('eni-heir', ['10.0.2.99'], { attachedAt: at(20) });
    expect(verdictOf({ openings, interfaces: [eniServer, here, heir], rows: answered('10.0.2.99') })).toBe(
      'cannot-tell unknown-source',
    );
  });

  test('that is a group is not in doubt where another opening surely let the packets in', () => {
    const openings = [opening({ from: members }), opening({ id: 'sgr-2', from: '10.0.2.0/24' })];
    expect(
      verdictsOf({ openings, interfaces: [eniServer, here], rows: answered('10.0.2.99') }).map(
        ({ verdict }) => verdict,
      ),
    ).toEqual(['no-effect', 'used']);
  });

  test('that nobody can list may be anybody, or only somebody inside', () => {
    expect(verdictOf({ openings: unknown(false), rows: answered('203.0.113.9') })).toBe('cannot-tell unknown-source');
    expect(verdictOf({ openings: unknown(true), rows: answered('203.0.113.9') })).toBe('unused no-traffic');
    expect(verdictOf({ openings: unknown(true), rows: answered('10.3.3.3') })).toBe('cannot-tell unknown-source');
    expect(verdictOf({ openings: unknown(false) })).toBe('unused no-traffic');
  });

  test('matches peers beyond the cap, whoever they are', () => {
    expect(verdictOf({ openings: [opening({ from: members })], rows: answered(undefined) })).toBe(
      'used answered-traffic,peers-capped',
    );
  });

  test('in IPv6 is matched as a number, and IPv4 written as IPv6 is IPv4', () => {
    expect(
      verdictOf({ openings: [opening({ from: '2001:db8:0:1::/64' })], rows: answered('2001:db8::1:0:0:0:7') }),
    ).toBe('used answered-traffic');
    expect(verdictOf({ openings: [opening({ from: '2001:db8:0:1::/64' })], rows: answered('2001:db8:0:2::7') })).toBe(
      'unused no-traffic',
    );
    expect(verdictOf({ openings: [opening({ from: '::/0' })], rows: answered('10.0.2.20') })).toBe('unused no-traffic');
    expect(verdictOf({ rows: answered('::ffff:10.0.2.20') })).toBe('used answered-traffic');
  });

  test('that is a group has inside IPv6 addresses of its network, although they are public by standard', () => {
    const both = place(eniServer.id, ['10.0.1.10', '2600:1f18:aaaa:bb01::10']);
    const openings = [opening({ from: members })];
    expect(verdictOf({ openings, interfaces: [both, here], rows: answered('2600:1f18:aaaa:bb77::9') })).toBe(
      'cannot-tell unknown-source',
    );
    expect(verdictOf({ openings, interfaces: [both, here], rows: answered('2600:1f18:cccc:bb77::9') })).toBe(
      'unused no-traffic',
    );
  });
});

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
