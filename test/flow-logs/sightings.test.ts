import { describe, expect, test } from '@jest/globals';
import { after, parseInstant } from '../../shared/base/time.ts';
import type { FlowRecord } from '../../shared/flow-logs/contract.ts';
import { sightings } from '../../shared/flow-logs/sightings.ts';

const start = parseInstant('2026-09-01T00:00:00Z');
const base: FlowRecord = {
  cloud: 'aws',
  interface: 'eni-0a',
  source: '10.0.0.9',
  sourcePort: 50_000,
  destination: '10.0.0.5',
  destinationPort: 5432,
  protocol: 6,
  direction: 'ingress',
  action: 'accepted',
  flags: undefined,
  start,
  end: after(start, 60_000),
  packets: 3,
  bytes: 180,
  returnedPackets: undefined,
  returnedBytes: undefined,
};

const kinds = (change: Partial<FlowRecord>) => sightings({ ...base, ...change }).map(({ kind }) => kind);

describe('what one row shows', () => {
  test.each([
    [2, 'ingress', 'opened-in'],
    [3, 'ingress', 'opened-in'],
    [18, 'egress', 'answered'],
    [19, 'egress', 'answered'],
    [4, 'egress', 'refused'],
    [4, 'ingress', 'in'],
    [2, 'egress', 'opened-out'],
    [18, 'ingress', 'in'],
    [19, 'ingress', 'in'],
    [0, 'ingress', 'in'],
    [1, 'egress', 'out'],
    [5, 'egress', 'out'],
    [undefined, 'ingress', 'in'],
  ] as const)('AWS flags %s %s: %s', (flags, direction, kind) => {
    expect(kinds({ flags, direction })).toEqual([kind]);
  });

  test('a refused packet coming in is rejected, one going out is nothing', () => {
    expect(kinds({ action: 'rejected' })).toEqual(['rejected']);
    expect(kinds({ action: 'rejected', direction: 'egress' })).toEqual([]);
  });

  test("a row without direction counts for both ends, unless exactly one address is the interface's own", () => {
    expect(kinds({ direction: undefined, flags: 2 })).toEqual(['opened-in', 'opened-out']);
    const known = sightings({ ...base, direction: undefined, flags: 18 }, new Set(['10.0.0.9']));
    expect(known).toMatchObject([{ kind: 'answered', local: '10.0.0.9', localPort: 50_000, peer: '10.0.0.5' }]);
  });

  test.each([
    ['begin', 6, 0, ['opened-in']],
    ['begin', 6, undefined, ['opened-in']],
    ['end', 6, 0, ['opened-in']],
    ['end', 6, 4, ['opened-in', 'answered']],
    ['end', 6, undefined, ['in']],
    ['continue', 6, 4, ['in', 'out']],
    ['continue', 6, 0, ['in']],
    ['end', 17, 4, ['in', 'out']],
    [undefined, 6, undefined, ['in']],
  ] as const)('Azure inbound %s, protocol %s, %s packets back: %s', (phase, protocol, returnedPackets, expected) => {
    expect(kinds({ cloud: 'azure', phase, protocol, returnedPackets })).toEqual(expected);
  });

  test('Azure outbound is what local began, whatever the protocol', () => {
    expect(kinds({ cloud: 'azure', direction: 'egress', phase: 'end', returnedPackets: 9 })).toEqual(['opened-out']);
    expect(kinds({ cloud: 'azure', direction: 'egress', protocol: 17, phase: 'end' })).toEqual(['opened-out']);
  });

  test('a GCP flow only says in or out; a firewall line says who began', () => {
    expect(kinds({ cloud: 'gcp', action: undefined })).toEqual(['in']);
    expect(kinds({ cloud: 'gcp', action: undefined, direction: 'egress' })).toEqual(['out']);
    expect(kinds({ cloud: 'gcp' })).toEqual(['opened-in']);
    expect(kinds({ cloud: 'gcp', direction: 'egress' })).toEqual(['opened-out']);
    expect(kinds({ cloud: 'gcp', protocol: 17 })).toEqual(['in']);
  });
});
