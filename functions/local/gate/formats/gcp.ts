import { canonicalJson, sha256, type Plain } from '../../../../shared/base/canonical.ts';
import { second } from '../../../../shared/base/time.ts';
import type { FlowSlice } from '../flow-table.ts';
import type { GateInterface, GateNetwork } from '../network.ts';
import type { FlowLogFormat, LoggedInterval, RenderedObject } from './format.ts';

/**
 * GCP VPC flow logs as a storage sink exports them: LogEntry lines in
 * `compute.googleapis.com/vpc_flows/YYYY/MM/DD/HH:00:00_HH:59:59_Sn.json`, one shard a publishing window. What reaches
 * a service is reported by its machine as destination, what it sends as source. Refused traffic is not in flow logs at
 * all: it goes to the firewall rules log beside them, `compute.googleapis.com/firewall/…`, as disposition DENIED. A
 * gate does not sample. Where it lost records it says so in an entry of its own, with `log_status` SKIPDATA, which the
 * cloud does not have.
 */
export function gcpFormat(network: GateNetwork, interfaces: readonly GateInterface[]): FlowLogFormat {
  const byId = new Map(interfaces.map((one) => [one.id, one]));
  return (window, intervals) => {
    const heard = intervals.flatMap((interval) => interval.slices.filter((slice) => isLogged(interval, slice)));
    const flows = heard
      .filter((slice) => slice.outcome !== 'rejected')
      .flatMap((slice) => flowEntries(network, byId.get(slice.service.interface), slice));
    const denials = heard
      .filter((slice) => slice.outcome === 'rejected')
      .map((slice) => denialEntry(network, byId.get(slice.service.interface), slice));
    const lost = intervals.flatMap((interval) =>
      interfaces
        .filter(({ id }) => interval.skipped.has(id) && !interval.silent.has(id))
        .map((one) => lostEntry(network, one, interval)),
    );
    return [
      ...exported('compute.googleapis.com/vpc_flows', window, [...flows, ...lost]),
      ...exported('compute.googleapis.com/firewall', window, denials),
    ];
  };
}

function isLogged(interval: LoggedInterval, slice: FlowSlice): boolean {
  return !interval.silent.has(slice.service.interface);
}

function exported(log: string, window: number, entries: readonly Plain[]): readonly RenderedObject[] {
  if (entries.length === 0) return [];
  const time = new Date(window).toISOString();
  const path = (part: number): string =>
    `${log}/${time.slice(0, 10).replaceAll('-', '/')}/${time.slice(11, 13)}:00:00_${time.slice(11, 13)}:59:59_S${part}.json`;
  return [{ path, whole: new TextEncoder().encode(`${entries.map((line) => JSON.stringify(line)).join('\n')}\n`) }];
}

function flowEntries(network: GateNetwork, one: GateInterface | undefined, slice: FlowSlice): readonly Plain[] {
  return (['received', 'sent'] as const)
    .filter((way) => slice[way].packets > 0)
    .map((way) => {
      const reporter = way === 'received' ? 'DEST' : 'SRC';
      const side = way === 'received' ? 'dest' : 'src';
      return logEntry(
        network,
        { log: 'vpc_flows', at: slice.last },
        {
          connection: connection(one, slice, way),
          reporter,
          bytes_sent: String(slice[way].bytes),
          packets_sent: String(slice[way].packets),
          start_time: nanoTime(slice.first),
          end_time: nanoTime(slice.last),
          rtt_msec: '1',
          [`${side}_instance`]: instanceOf(network, one),
          [`${side}_vpc`]: { project_id: network.account, vpc_name: network.network, subnetwork_name: network.subnet },
        },
      );
    });
}

function denialEntry(network: GateNetwork, one: GateInterface | undefined, slice: FlowSlice): Plain {
  return logEntry(
    network,
    { log: 'firewall', at: slice.first },
    {
      connection: connection(one, slice, 'received'),
      disposition: 'DENIED',
      rule_details: {
        reference: `network:${network.network}/firewall:deny-all`,
        direction: 'INGRESS',
        priority: 65_534,
        action: 'DENY',
        source_range: ['0.0.0.0/0'],
        ip_port_info: [{ ip_protocol: 'ALL' }],
      },
      instance: instanceOf(network, one),
      vpc: { project_id: network.account, vpc_name: network.network, subnetwork_name: network.subnet },
    },
  );
}

function lostEntry(network: GateNetwork, one: GateInterface, { from, to }: LoggedInterval): Plain {
  return logEntry(
    network,
    { log: 'vpc_flows', at: to - 1 },
    {
      log_status: 'SKIPDATA',
      start_time: nanoTime(from),
      end_time: nanoTime(to - 1),
      dest_instance: instanceOf(network, one),
      dest_vpc: { project_id: network.account, vpc_name: network.network, subnetwork_name: network.subnet },
    },
  );
}

function connection(one: GateInterface | undefined, slice: FlowSlice, way: 'received' | 'sent'): Plain {
  const peer = { ip: slice.peer, port: slice.peerPort };
  const local = { ip: one?.address ?? '127.0.0.1', port: slice.service.port };
  const [from, to] = way === 'received' ? [peer, local] : [local, peer];
  return { src_ip: from.ip, src_port: from.port, dest_ip: to.ip, dest_port: to.port, protocol: 6 };
}

function instanceOf(network: GateNetwork, one: GateInterface | undefined): Plain {
  return { project_id: network.account, region: network.region, zone: `${network.region}-a`, vm_name: one?.machine };
}

interface Payload {
  readonly [key: string]: Plain | undefined;
}

/** The insert id follows from the content, so an entry that is exported twice can be told from two entries. */
function logEntry(
  network: GateNetwork,
  { log, at }: { readonly log: string; readonly at: number },
  jsonPayload: Payload,
): Plain {
  return {
    insertId: sha256(canonicalJson(jsonPayload)).slice(0, 14),
    jsonPayload,
    resource: {
      type: 'gce_subnetwork',
      labels: {
        project_id: network.account,
        location: `${network.region}-a`,
        subnetwork_id: subnetworkId(network),
        subnetwork_name: network.subnet,
      },
    },
    timestamp: nanoTime(at + 5 * second),
    receiveTimestamp: nanoTime(at + 6 * second),
    logName: `projects/${network.account}/logs/compute.googleapis.com%2F${log}`,
  };
}

function subnetworkId(network: GateNetwork): string {
  return String(BigInt(`0x${sha256(`${network.account}/${network.subnet}`).slice(0, 15)}`));
}

function nanoTime(at: number): string {
  return new Date(at).toISOString().replace('Z', '000000Z');
}
