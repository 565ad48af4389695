import { gzipSync } from 'node:zlib';
import { sha256 } from '../../../../shared/base/canonical.ts';
import { second } from '../../../../shared/base/time.ts';
import type { FlowSlice } from '../flow-table.ts';
import type { GateInterface, GateNetwork } from '../network.ts';
import type { FlowLogFormat, LoggedInterval } from './format.ts';

const columns =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr region az-id flow-direction traffic-path';

/**
 * AWS VPC flow log, version 5, gzip text with its header line, one object a publishing window:
 * `AWSLogs/{account}/vpcflowlogs/{region}/{yyyy}/{MM}/{dd}/{account}_vpcflowlogs_{region}_{fl-id}_{time}_{hash}.log.gz`.
 * Both directions are told as the service's interface sees them; a quiet interface has a NODATA row.
 */
export function awsFormat(network: GateNetwork, interfaces: readonly GateInterface[]): FlowLogFormat {
  return (window, intervals) => {
    const rows = intervals.flatMap((interval) => interfaces.flatMap((one) => interfaceRows(network, one, interval)));
    if (rows.length === 0) return [];
    const text = `${columns}\n${rows.join('\n')}\n`;
    const time = new Date(window).toISOString();
    const directory = [
      'AWSLogs',
      network.account,
      'vpcflowlogs',
      network.region,
      time.slice(0, 10).replaceAll('-', '/'),
    ].join('/');
    const name = [
      network.account,
      'vpcflowlogs',
      network.region,
      network.flowLog,
      `${time.slice(0, 16).replaceAll(/[-:]/g, '')}Z`,
    ].join('_');
    return [
      { path: (part) => `${directory}/${name}_${sha256(`${part} ${text}`).slice(0, 8)}.log.gz`, whole: gzipSync(text) },
    ];
  };
}

function interfaceRows(network: GateNetwork, one: GateInterface, interval: LoggedInterval): readonly string[] {
  if (interval.silent.has(one.id)) return [];
  const statusRow = (status: string): string =>
    statusRowOf(network, one, { from: interval.from, to: interval.to, status });
  const slices = interval.slices.filter((slice) => slice.service.interface === one.id);
  const rows = slices.flatMap((slice) => sliceRows(network, one, slice));
  if (interval.skipped.has(one.id)) return [...rows, statusRow('SKIPDATA')];
  return rows.length === 0 ? [statusRow('NODATA')] : rows;
}

function sliceRows(network: GateNetwork, one: GateInterface, slice: FlowSlice): readonly string[] {
  const ways = (['received', 'sent'] as const).filter((way) => slice[way].packets > 0);
  return ways.map((way) => wayRow(network, one, { slice, way }));
}

/** One direction of a connection, as the interface sees it. */
function wayRow(
  network: GateNetwork,
  one: GateInterface,
  { slice, way }: { readonly slice: FlowSlice; readonly way: 'received' | 'sent' },
): string {
  const peer = [slice.peer, slice.peerPort] as const;
  const local = [one.address, slice.service.port] as const;
  const [[from, fromPort], [to, toPort]] = way === 'received' ? [peer, local] : [local, peer];
  const { packets, bytes, flags } = slice[way];
  const times = [seconds(slice.first), seconds(slice.last)];
  const action = slice.outcome === 'rejected' ? 'REJECT' : 'ACCEPT';
  const ends = [from, to, fromPort, toPort, 6, packets, bytes, ...times, action, 'OK'];
  const place = [network.network, network.subnet, one.machine, flags, 'IPv4', from, to, network.region];
  const direction = way === 'received' ? ['ingress', '-'] : ['egress', '1'];
  return [5, network.account, one.id, ...ends, ...place, `${network.region}-az1`, ...direction].join(' ');
}

/** The row ends a second before the interval does: it says nothing about the next one. */
function statusRowOf(
  network: GateNetwork,
  one: GateInterface,
  row: { readonly from: number; readonly to: number; readonly status: string },
): string {
  const start = seconds(row.from);
  const end = Math.max(start, Math.ceil(row.to / second) - 1);
  return [
    5,
    network.account,
    one.id,
    ...none(7),
    start,
    end,
    '-',
    row.status,
    network.network,
    network.subnet,
    one.machine,
    ...none(4),
    network.region,
    `${network.region}-az1`,
    ...none(2),
  ].join(' ');
}

function none(count: number): readonly string[] {
  return Array.from({ length: count }, () => '-');
}

function seconds(at: number): number {
  return Math.floor(at / second);
}
