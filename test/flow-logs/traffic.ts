import { fc } from '../properties.ts';
import { instant, parseInstant } from '../../shared/base/time.ts';
import type { FlowRecord, ParsedRow } from '../../shared/flow-logs/contract.ts';

/** The clouds whose traffic can be made up. */
export type TrafficCloud = 'aws' | 'gcp' | 'azure';

const midnight = parseInstant('2026-09-01T00:00:00Z');
const addresses = ['10.0.0.5', '10.0.0.6', '192.0.2.77', '2001:db8::5', '198.51.100.200'];
const places: Readonly<Record<TrafficCloud, readonly string[]>> = {
  aws: ['eni-0a', 'eni-0b'],
  gcp: ['subnet-a/vm-1', 'subnet-a/vm-2', 'subnet-b/vm-3'],
  azure: ['0022480A0B01', '0022480A0B02'],
};
const port = fc.constantFrom(22, 443, 5432, 8080, 32_767, 32_768, 40_000, 50_001, 65_535);
const flags = fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 7, 16, 18, 19, 20, 22, 23, 24, undefined);

/**
 * Rows that the cloud's format can express exactly, a few of them bad or no flows; few ports and peers, so that they
 * meet.
 */
export function rowsOf(cloud: TrafficCloud): fc.Arbitrary<readonly ParsedRow[]> {
  const row = fc.oneof(
    { weight: 12, arbitrary: recordOf(cloud) },
    { weight: 1, arbitrary: fc.constant(bad) },
    { weight: 1, arbitrary: statusOf(cloud) },
  );
  return fc.array(row, { minLength: 1, maxLength: 60 });
}

const bad: ParsedRow = { kind: 'malformed', line: 0, why: 'made up' };

function statusOf(cloud: TrafficCloud): fc.Arbitrary<ParsedRow> {
  if (cloud === 'gcp') return fc.constant<ParsedRow>({ kind: 'status', status: 'nat_flows' });
  return fc
    .tuple(fc.constantFrom(...places[cloud]), fc.nat(180_000), fc.constantFrom('NODATA', 'SKIPDATA'))
    .map(([scope, at, status]) => {
      const start = instant(midnight + at * 1000);
      return { kind: 'status', status: cloud === 'azure' ? 'empty' : status, scope, start, end: start };
    });
}

function recordOf(cloud: TrafficCloud): fc.Arbitrary<ParsedRow> {
  return fc
    .record({
      place: fc.constantFrom(...places[cloud]),
      source: fc.constantFrom(...addresses),
      destination: fc.constantFrom(...addresses),
      ports: fc.tuple(port, port),
      protocol: fc.constantFrom(6, 6, 6, 17, 1),
      direction: fc.constantFrom('ingress' as const, 'egress' as const),
      action: fc.constantFrom('accepted' as const, 'accepted' as const, 'accepted' as const, 'rejected' as const),
      flags,
      phase: fc.constantFrom('begin' as const, 'continue' as const, 'end' as const),
      at: fc.nat(180_000),
      lasts: fc.constantFrom(0, 1, 59, 600, 3_700),
      counts: fc.tuple(fc.nat(500), fc.nat(900_000), fc.nat(3), fc.nat(9_000)),
    })
    .map((made) => ({ kind: 'record', record: record(cloud, made) }));
}

interface Made {
  readonly place: string;
  readonly source: string;
  readonly destination: string;
  readonly ports: readonly [number, number];
  readonly protocol: number;
  readonly direction: 'ingress' | 'egress';
  readonly action: 'accepted' | 'rejected';
  readonly flags: number | undefined;
  readonly phase: 'begin' | 'continue' | 'end';
  readonly at: number;
  readonly lasts: number;
  readonly counts: readonly [number, number, number, number];
}

function record(cloud: TrafficCloud, made: Made): FlowRecord {
  const [sourcePort, destinationPort] = made.protocol === 1 ? [0, 0] : made.ports;
  const [packets, bytes, returnedPackets, returnedBytes] = made.counts;
  const end = instant(midnight + made.at * 1000);
  const common = {
    cloud,
    interface: made.place,
    source: made.source,
    sourcePort,
    destination: made.destination,
    destinationPort,
    protocol: made.protocol,
    direction: made.direction,
  };
  const there = { packets, bytes, flags: undefined, returnedPackets: undefined, returnedBytes: undefined };
  const start = instant(end - made.lasts * 1000);
  if (cloud === 'aws') return { ...common, ...there, action: made.action, flags: made.flags, start, end };
  if (cloud === 'azure') {
    const phase = made.action === 'rejected' ? undefined : made.phase;
    return {
      ...common,
      ...there,
      action: made.action,
      returnedPackets,
      returnedBytes,
      start: end,
      end,
      ...(phase && { phase }),
    };
  }
  if (made.flags === 0)
    return { ...common, ...there, packets: undefined, bytes: undefined, action: made.action, start: end, end };
  return { ...common, ...there, action: undefined, start, end };
}
