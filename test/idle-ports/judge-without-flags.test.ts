import { describe, expect, test } from '@jest/globals';
import { eniServer, group, opening, place, row, server, small, verdictOf } from './judge-facts.ts';

const wide = opening({ ports: { from: 1024, to: 65_535 } });
const ephemeral = { port: 0, portLow: 45_000, portHigh: 45_000 };
const pair = (more: object) => [row('in', { ...ephemeral, ...more }), row('out', { ...ephemeral, ...more })];
const toDatabase = { ...ephemeral, peer: '10.9.9.9', peerPortLow: 5432, peerPortHigh: 5432 };

describe('replies in a log without flags', () => {
  const several = { portLow: 45_000, portHigh: 51_000 };

  test('from a port that only servers answer from are no use', () => {
    expect(verdictOf({ openings: [wide], rows: pair({ peerPortLow: 443, peerPortHigh: 443 }) })).toBe(
      'unused no-traffic',
    );
  });

  test('to several local ports from one port are use: whoever spoofs packets to more ports makes it look so', () => {
    expect(verdictOf({ openings: [wide], rows: pair({ ...several, peerPortLow: 8443, peerPortHigh: 8443 }) })).toBe(
      'used direction-unclear',
    );
  });

  test('to what local sent first are no use', () => {
    const ports = { ...ephemeral, peerPortLow: 8443, peerPortHigh: 8443 };
    const rows = [
      row('in', ports),
      { ...row('out', ports), first: row('out', { on: [9] }).first },
      row('in', { on: [-50], port: 22, largest: 40 }),
    ];
    expect(verdictOf({ openings: [wide], rows })).toBe('unused no-traffic');
  });

  test('are use where the peer came first', () => {
    const ports = { ...ephemeral, ...several, peerPortLow: 8443, peerPortHigh: 8443 };
    const rows = [
      { ...row('in', ports), first: row('in', { on: [9] }).first },
      row('out', ports),
      row('in', { on: [-50], port: 22, largest: 40 }),
    ];
    expect(verdictOf({ openings: [wide], rows })).toBe('used direction-unclear');
  });

  test('are use where nothing went out', () => {
    const rows = [row('in', { ...ephemeral, peerPortLow: 443, peerPortHigh: 443 }), row('out', { port: 22 })];
    expect(verdictOf({ openings: [wide], rows })).toBe('used direction-unclear');
  });

  test('from a database whose own opening lets local in are no use', () => {
    const database = place('eni-db', ['10.9.9.9']);
    const atDatabase = opening({
      id: 'sgr-2',
      ruleSet: 'sg-db',
      ports: { from: 5432, to: 5432 },
      targets: ['eni-db'],
      from: group('sg-1', server),
    });
    const rows = [row('in', toDatabase), row('out', toDatabase)];
    expect(verdictOf({ openings: [wide, atDatabase], interfaces: [eniServer, database], rows })).toBe(
      'unused no-traffic',
    );
    expect(verdictOf({ openings: [wide], interfaces: [eniServer, database], rows })).toBe('used direction-unclear');
  });

  test('from a high port that the peer has an opening for are no use, unless local has one for its port too', () => {
    const there = place('eni-rpc', ['10.9.9.9']);
    const atPeer = opening({
      id: 'sgr-2',
      ruleSet: 'sg-rpc',
      ports: { from: 50_051, to: 50_051 },
      targets: ['eni-rpc'],
      from: group('sg-1', server),
    });
    const here = opening({ id: 'sgr-3', ports: { from: 45_000, to: 45_000 } });
    const ports = { port: 45_000, peer: '10.9.9.9', peerPortLow: 50_051, peerPortHigh: 50_051 };
    const rows = [row('in', ports), row('out', ports)];
    expect(verdictOf({ openings: [wide, atPeer], interfaces: [eniServer, there], rows })).toBe('unused no-traffic');
    expect(verdictOf({ openings: [wide, atPeer, here], interfaces: [eniServer, there], rows })).toBe(
      'used direction-unclear',
    );
  });

  test('cannot be told from a client behind NAT with many ports of its own', () => {
    const rows = Array.from({ length: 80 }, (_, index) =>
      pair({ ...several, peerPortLow: 2000 + index, peerPortHigh: 2000 + index }),
    ).flat();
    expect(verdictOf({ openings: [wide], rows })).toBe('used direction-unclear');
  });

  test('cannot be told from a load balancer that reuses its source ports towards our dynamic ports', () => {
    const from = (peerPort: number) => pair({ ...several, peerPortLow: peerPort, peerPortHigh: peerPort });
    expect(verdictOf({ openings: [wide], rows: [...from(2000), ...from(2001)] })).toBe('used direction-unclear');
    expect(verdictOf({ openings: [wide], rows: from(40_000) })).toBe('used direction-unclear');
  });

  test('from a reserved port of a client (NFS, rsh) or from active FTP are use', () => {
    for (const port of [20, 700, 1023]) {
      expect(verdictOf({ openings: [wide], rows: pair({ peerPortLow: port, peerPortHigh: port }) })).toBe(
        'used direction-unclear',
      );
    }
  });
});

describe('a log without flags', () => {
  test('shows an answer by data either way', () => {
    expect(verdictOf({ rows: [row('in', { ...small }), row('out')] })).toBe('used answered-traffic');
    expect(verdictOf({ rows: [row('in'), row('out', { ...small })] })).toBe('used answered-traffic');
  });

  test('shows a knock by a reset for every packet', () => {
    expect(verdictOf({ rows: [row('in', { ...small, largest: 44 }), row('out', small)] })).toBe('unused only-knocks');
  });

  test('shows a handshake and its end by fewer and larger packets back', () => {
    const rows = [row('in', { largest: 52, packets: 4 }), row('out', { largest: 56, packets: 3 })];
    expect(verdictOf({ rows })).toBe('used answered-traffic');
  });

  test('shows a session that is only kept alive by its regular small packets', () => {
    const days = Array.from({ length: 30 }, (_, index) => index);
    const alive = { largest: 52, on: days, records: 360, packets: 360 };
    expect(verdictOf({ rows: [row('in', alive), row('out', alive)] })).toBe('used answered-traffic');
    const scanned = { ...small, on: days, records: 30, packets: 30 };
    expect(verdictOf({ rows: [row('in', scanned), row('out', scanned)] })).toBe('unused only-knocks');
  });

  test('of IPv6 has larger headers', () => {
    const from = opening({ from: '2001:db8::/32' });
    const peer = '2001:db8::7';
    expect(
      verdictOf({ openings: [from], rows: [row('in', { peer, largest: 80 }), row('out', { peer, largest: 60 })] }),
    ).toBe('unused only-knocks');
    expect(
      verdictOf({ openings: [from], rows: [row('in', { peer, largest: 81 }), row('out', { peer, largest: 60 })] }),
    ).toBe('used answered-traffic');
  });
});
