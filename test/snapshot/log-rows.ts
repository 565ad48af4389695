import { second, type Instant } from '../../shared/base/time.ts';

/** One row of a flow log, before it is written in a format. */
export interface LogRow {
  readonly eni: string;
  readonly start: Instant;
  readonly end: Instant;
  readonly status: 'OK' | 'NODATA' | 'SKIPDATA';
  readonly src?: string;
  readonly dst?: string;
  readonly sport?: number;
  readonly dport?: number;
  readonly protocol?: number;
  readonly packets?: number;
  readonly bytes?: number;
  readonly flags?: number;
  readonly action?: 'ACCEPT' | 'REJECT';
  readonly direction?: 'ingress' | 'egress';
}

/** `v2`: the default. `v5`: everything up to v5. `shuffled`: some v5 fields in an order of a user's own. */
export type LogFormat = 'v2' | 'v5' | 'shuffled';

const v2 =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'.split(
    ' ',
  );
const v5 = [
  ...v2,
  ...'vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr region az-id pkt-src-aws-service pkt-dst-aws-service flow-direction traffic-path'.split(
    ' ',
  ),
];
const shuffled =
  'flow-direction tcp-flags log-status action end start interface-id dstaddr srcaddr dstport srcport protocol bytes packets'.split(
    ' ',
  );

/** Names of a format's fields, in its order. */
export function fieldsOf(format: LogFormat): readonly string[] {
  return { v2, v5, shuffled }[format];
}

/** The row as a line of text. */
export function textOf(row: LogRow, format: LogFormat): string {
  const values = valuesOf(row, format);
  return fieldsOf(format)
    .map((field) => values.get(field) ?? '-')
    .join(' ');
}

/** The row's fields by name; what the row does not have is not there. */
export function valuesOf(row: LogRow, format: LogFormat): ReadonlyMap<string, string> {
  const all: Record<string, string | number | undefined> = {
    version: format === 'v2' ? 2 : 5,
    'account-id': '123456789012',
    'interface-id': row.eni,
    srcaddr: row.src,
    dstaddr: row.dst,
    srcport: row.sport,
    dstport: row.dport,
    protocol: row.protocol,
    packets: row.packets,
    bytes: row.bytes,
    start: Math.floor(row.start / second),
    end: Math.floor(row.end / second),
    action: row.action,
    'log-status': row.status,
    'vpc-id': 'vpc-1',
    'tcp-flags': row.status === 'OK' ? (row.flags ?? 0) : undefined,
    type: row.src === undefined ? undefined : row.src.includes(':') ? 'IPv6' : 'IPv4',
    'pkt-srcaddr': row.src,
    'pkt-dstaddr': row.dst,
    region: 'eu-central-1',
    'flow-direction': row.direction,
  };
  return new Map(
    Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)] as const])),
  );
}
