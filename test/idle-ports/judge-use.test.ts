import { describe, expect, test } from '@jest/globals';
import { client, eniServer, opening, place, row, seen, server, small, verdictOf, verdictsOf } from './judge-facts.ts';

const wide = opening({ ports: { from: 1024, to: 65_535 } });
const ephemeral = { port: 0, portLow: 45_000, portHigh: 45_000 };
const toDatabase = { ...ephemeral, peer: '10.9.9.9', peerPortLow: 5432, peerPortHigh: 5432 };

describe('a connection from outside', () => {
  test('that was answered is use', () => {
    expect(verdictOf({ rows: [row('opened-in'), row('answered')] })).toBe('used answered-traffic');
  });

  test('that was answered before the window only is no use, and says when it was', () => {
    const [verdict] = verdictsOf({ rows: [row('opened-in', { on: [-20] }), row('answered', { on: [-20] })] });
    expect(verdict).toMatchObject({ verdict: 'unused', activeDays: 0, lastPacket: row('in', { on: [-20] }).last });
    expect(verdict?.reasons[0]?.text).toContain('2026-09-11');
  });

  test('that nobody answered is a knock', () => {
    const [verdict] = verdictsOf({
      rows: [row('opened-in', { ...small, peer: '10.7.7.7' }), row('answered', { port: 22 })],
    });
    expect(verdict).toMatchObject({ verdict: 'unused', knocks: { count: 1, from: ['10.7.7.7'] } });
  });

  test('that was answered by a reset only is a knock', () => {
    expect(verdictOf({ rows: [row('opened-in', small), row('refused', small)] })).toBe('unused only-knocks');
  });

  test('that was answered in history, and only refused in the window, is a knock', () => {
    const rows = [
      row('opened-in', { on: [-20, 5] }),
      row('answered', { on: [-20] }),
      row('refused', { ...small, on: [5] }),
    ];
    expect(verdictOf({ rows })).toBe('unused only-knocks');
  });

  test('that brought data is use, though its answers went out elsewhere', () => {
    expect(verdictOf({ rows: [row('opened-in', { largest: 900 }), row('answered', { port: 22 })] })).toBe(
      'used answered-traffic',
    );
  });

  test('is use where the log never shows what goes out', () => {
    expect(verdictOf({ rows: [row('opened-in', small)] })).toBe('used outbound-not-logged');
  });

  test('that a known scanner made is a knock, even if somebody answered', () => {
    const rows = [row('opened-in', { peer: '10.66.0.1' }), row('answered', { peer: '10.66.0.1' })];
    expect(verdictOf({ rows, policy: { scanners: ['10.66.0.0/16'] } })).toBe('unused only-knocks');
    expect(verdictOf({ rows, policy: { scanners: ['10.67.0.0/16'] } })).toBe('used answered-traffic');
  });

  test('from a source that the opening does not name is no use', () => {
    const rows = [row('opened-in', { peer: '192.168.1.1' }), row('answered', { peer: '192.168.1.1' })];
    expect(verdictOf({ rows })).toBe('unused no-traffic');
  });

  test('that the firewall refused is no use', () => {
    expect(verdictOf({ rows: [row('rejected'), row('out', { port: 22 })] })).toBe('unused no-traffic');
  });
});

describe('a session older than the log', () => {
  test('is use by its packets without flags, however few', () => {
    const rows = [row('in', small), row('out', small), row('answered', { port: 22 })];
    expect(verdictOf({ rows })).toBe('used long-session');
  });

  test('that local began, seen by its first packet once, is no use of the wide opening it comes back through', () => {
    const rows = [
      row('opened-out', { ...toDatabase, port: 5432, on: [-30] }),
      row('in', toDatabase),
      row('out', toDatabase),
    ];
    expect(verdictOf({ openings: [wide], rows })).toBe('unused no-traffic');
  });

  test('that local began to a port that only servers answer from is no use either', () => {
    const toWeb = { ...ephemeral, peerPortLow: 443, peerPortHigh: 443 };
    expect(
      verdictOf({ openings: [wide], rows: [row('in', toWeb), row('out', toWeb), row('answered', { port: 22 })] }),
    ).toBe('unused no-traffic');
  });

  test('at high ports on both sides is use of the wide opening, for who began is not known', () => {
    const toHigh = { ...ephemeral, peerPortLow: 40_000, peerPortHigh: 40_000 };
    expect(
      verdictOf({ openings: [wide], rows: [row('in', toHigh), row('out', toHigh), row('answered', { port: 22 })] }),
    ).toBe('used direction-unclear');
  });

  test('belongs to the connection it began with, so the wide opening is narrow', () => {
    const rows = [
      row('opened-in', { port: 50_000, peerPortLow: 33_000, peerPortHigh: 41_000 }),
      row('answered', { port: 50_000, peerPortLow: 33_000, peerPortHigh: 41_000 }),
      row('in', { port: 0, portLow: 50_000, portHigh: 50_000, peerPortLow: 40_000, peerPortHigh: 40_000 }),
      row('out', { port: 0, portLow: 50_000, portHigh: 50_000, peerPortLow: 40_000, peerPortHigh: 40_000 }),
    ];
    const [verdict] = verdictsOf({ openings: [wide], rows });
    expect(verdict).toMatchObject({ verdict: 'narrow', usedPorts: [{ from: 50_000, to: 50_000 }] });
  });

  test('is no use where a reset is all that came back to small packets', () => {
    expect(verdictOf({ rows: [row('in', small), row('refused', small), row('answered', { port: 22 })] })).toBe(
      'unused only-knocks',
    );
  });
});

describe('protocols without a handshake', () => {
  const dns = opening({ protocol: 17, ports: { from: 53, to: 53 } });

  test('UDP that nobody answers is use', () => {
    expect(verdictOf({ openings: [dns], rows: [row('in', { protocol: 17, port: 53, largest: 40 })] })).toBe(
      'used one-way',
    );
  });

  test('UDP replies from a port that only servers answer from are no use', () => {
    const wideUdp = opening({ protocol: 17, ports: { from: 1024, to: 65_535 } });
    const reply = { protocol: 17, ...ephemeral, peerPortLow: 53, peerPortHigh: 53 };
    expect(verdictOf({ openings: [wideUdp], rows: [row('in', reply), row('out', reply)] })).toBe('unused no-traffic');
  });

  test('UDP from one port of a peer to several of ours is use: a relay looks the same', () => {
    const wideUdp = opening({ protocol: 17, ports: { from: 1024, to: 65_535 } });
    const media = {
      protocol: 17,
      port: 0,
      portLow: 50_000,
      portHigh: 50_010,
      peerPortLow: 41_000,
      peerPortHigh: 41_000,
    };
    expect(verdictOf({ openings: [wideUdp], rows: [row('in', media), row('out', media)] })).toBe(
      'used direction-unclear',
    );
  });

  test('ICMP is use of the rule for ICMP and of the rule for everything, not of TCP', () => {
    const ping = row('in', { protocol: 1, port: 0, peerPortLow: 0, peerPortHigh: 0 });
    expect(verdictOf({ openings: [opening({ protocol: 1, ports: 'all' })], rows: [ping] })).toBe('used one-way');
    expect(verdictOf({ openings: [opening({ protocol: 1, ports: { from: 2048, to: 2303 } })], rows: [ping] })).toBe(
      'used one-way',
    );
    expect(verdictOf({ openings: [opening({ protocol: 'all', ports: 'all' })], rows: [ping] })).toBe(
      'narrow part-used,one-way',
    );
    expect(verdictOf({ rows: [ping] })).toBe('unused no-traffic');
  });

  test('a protocol with no ports of its own is used as a whole', () => {
    expect(
      verdictOf({ openings: [opening({ protocol: 50, ports: 'all' })], rows: [row('in', { protocol: 50, port: 0 })] }),
    ).toBe('used one-way');
  });
});

describe('both ends of a flow in one log', () => {
  test('credit the server, not the client, whose wide opening stays unused', () => {
    const eniClient = place('eni-client', [client]);
    const atClient = opening({ id: 'sgr-2', ruleSet: 'sg-2', ports: { from: 0, to: 65_535 }, targets: ['eni-client'] });
    const atTheClient = { interface: 'eni-client', local: client, peer: server };
    const rows = [
      row('opened-in'),
      row('answered'),
      row('opened-out', { ...atTheClient, ...ephemeral, peerPortLow: 443, peerPortHigh: 443, port: 443 }),
      row('in', { ...atTheClient, ...ephemeral, peerPortLow: 443, peerPortHigh: 443 }),
      row('out', { ...atTheClient, ...ephemeral, peerPortLow: 443, peerPortHigh: 443 }),
    ];
    const covered = { coverage: [seen('eni-client'), seen()] };
    const verdicts = verdictsOf({
      openings: [opening(), atClient],
      interfaces: [eniServer, eniClient],
      rows,
      evidence: covered,
    });
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(['used', 'unused']);
  });
});
