import { canonicalAddress } from '../addresses.ts';
import { instant, type Instant } from '../../base/time.ts';
import { countOf, membersOf, textOf, type JsonPiece } from './json-values.ts';
import type { FlowRecord, ParsedRow } from '../contract.ts';

/**
 * One LogEntry, or its bare jsonPayload: a VPC flow (both log names), a firewall-rule line, or another log's line,
 * which is good but no flow. The interface is `subnetwork/vm`, of the reporting side; names may be missing, then the
 * VPC's name or "-" and the address stand in.
 */
export function gcpRow(piece: JsonPiece): ParsedRow {
  if (piece.why !== undefined) return { kind: 'malformed', line: piece.line, why: piece.why };
  const entry = membersOf(piece.value);
  const payload = entry['jsonPayload'] === undefined ? entry : membersOf(entry['jsonPayload']);
  const log = textOf(entry['logName'])
    ?.split(/%2F|\//i)
    .at(-1);
  if (log !== undefined && log !== 'vpc_flows' && log !== 'firewall') return { kind: 'status', status: log };
  if (payload['log_status'] === 'SKIPDATA') return lostRow(entry, payload);
  if (payload['connection'] === undefined) return { kind: 'malformed', line: piece.line, why: 'no connection' };
  const record = payload['disposition'] === undefined ? flow(entry, payload) : firewallLine(entry, payload);
  return typeof record === 'string' ? { kind: 'malformed', line: piece.line, why: record } : { kind: 'record', record };
}

/** The subnetwork of an interface: what coverage of GCP is told by. */
export function gcpScope(name: string): string {
  return name.slice(0, name.indexOf('/'));
}

type Members = Readonly<Record<string, unknown>>;

function flow(entry: Members, payload: Members): FlowRecord | string {
  const connection = connectionOf(payload);
  if (typeof connection === 'string') return connection;
  const reporter = textOf(payload['reporter'])?.replace('_GATEWAY', '');
  const direction = reporter === 'DEST' ? 'ingress' : reporter === 'SRC' ? 'egress' : undefined;
  const side = direction === 'egress' ? 'src' : 'dest';
  const times = {
    start: timeOf(payload['start_time']),
    end: timeOf(payload['end_time']) ?? timeOf(entry['timestamp']),
  };
  if (times.end === undefined && times.start === undefined) return 'no time';
  const packets = countOf(payload['packets_sent']);
  const bytes = countOf(payload['bytes_sent']);
  if (Number.isNaN(packets) || Number.isNaN(bytes)) return 'packets_sent or bytes_sent is no number';
  const address = direction === 'egress' ? connection.source : connection.destination;
  const place = interfaceOf(payload[`${side}_vpc`], payload[`${side}_instance`], { entry, address });
  return { ...common(connection), interface: place, direction, action: undefined, ...times, packets, bytes };
}

/** A gate of lockkeeper lost records of that time. The cloud has no such line. */
function lostRow(entry: Members, payload: Members): ParsedRow {
  const place = interfaceOf(payload['dest_vpc'], payload['dest_instance'], { entry, address: '-' });
  const end = timeOf(payload['end_time']) ?? timeOf(entry['timestamp']);
  return { kind: 'status', status: 'SKIPDATA', scope: gcpScope(place), start: timeOf(payload['start_time']), end };
}

/** Written when a connection begins, from the view of the VM whose rule it is; it has one time. */
function firewallLine(entry: Members, payload: Members): FlowRecord | string {
  const connection = connectionOf(payload);
  if (typeof connection === 'string') return connection;
  const at = timeOf(entry['timestamp']);
  const isEgress = membersOf(payload['rule_details'])['direction'] === 'EGRESS';
  const disposition = payload['disposition'];
  if (disposition !== 'ALLOWED' && disposition !== 'DENIED')
    return `disposition is ${JSON.stringify(textOf(disposition)?.slice(0, 60))}`;
  if (at === undefined) return 'no time';
  const address = isEgress ? connection.source : connection.destination;
  return {
    ...common(connection),
    interface: interfaceOf(payload['vpc'], payload['instance'], { entry, address }),
    direction: isEgress ? 'egress' : 'ingress',
    action: disposition === 'ALLOWED' ? 'accepted' : 'rejected',
    start: at,
    end: at,
    packets: undefined,
    bytes: undefined,
  };
}

type Connection = Pick<FlowRecord, 'source' | 'sourcePort' | 'destination' | 'destinationPort' | 'protocol'>;

function common(connection: Connection) {
  return {
    cloud: 'gcp',
    ...connection,
    flags: undefined,
    returnedPackets: undefined,
    returnedBytes: undefined,
  } as const;
}

/** Ports are absent where the protocol has none, and floats where they came through a Struct. */
function connectionOf(payload: Members): Connection | string {
  const connection = membersOf(payload['connection']);
  const source = canonicalAddress(textOf(connection['src_ip']) ?? '');
  const destination = canonicalAddress(textOf(connection['dest_ip']) ?? '');
  const protocol = countOf(connection['protocol']);
  const sourcePort = countOf(connection['src_port']);
  const destinationPort = countOf(connection['dest_port']);
  if (source === undefined || destination === undefined) return 'no address';
  if (protocol === undefined || !(protocol <= 255)) return 'no protocol';
  const hasPorts = protocol === 6 || protocol === 17;
  const isPort = (port: number | undefined) => (port === undefined ? !hasPorts : port <= 65_535);
  if (!isPort(sourcePort) || !isPort(destinationPort)) return 'no port';
  return { source, sourcePort, destination, destinationPort, protocol };
}

function interfaceOf(vpc: unknown, vm: unknown, where: { entry: Members; address: string }): string {
  const labels = membersOf(membersOf(where.entry['resource'])['labels']);
  const network = membersOf(vpc);
  const subnetwork =
    textOf(network['subnetwork_name']) ?? textOf(labels['subnetwork_name']) ?? textOf(network['vpc_name']) ?? '-';
  return `${subnetwork}/${textOf(membersOf(vm)['vm_name']) ?? where.address}`;
}

function timeOf(value: unknown): Instant | undefined {
  const text = textOf(value);
  const ms = text !== undefined && /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(ms) ? undefined : instant(ms);
}
