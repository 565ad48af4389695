import { formatInstant } from '../../shared/base/time.ts';
import type { FlowRecord, ParsedRow } from '../../shared/flow-logs/contract.ts';

/** Columns that the AWS writer can fill, in the order of version 5. */
export const awsColumns =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status vpc-id tcp-flags type flow-direction'.split(
    ' ',
  );

/** Rows as an AWS text object: a header, then a line a row. */
export function awsText(rows: readonly ParsedRow[], columns: readonly string[] = awsColumns): string {
  return [columns.join(' '), ...rows.map((row) => awsLine(row, columns)), ''].join('\n');
}

function awsLine(row: ParsedRow, columns: readonly string[]): string {
  if (row.kind === 'malformed') return 'bogus line';
  const fields = row.kind === 'status' ? awsStatus(row) : awsFields(row.record);
  return columns.map((column) => fields[column] ?? '-').join(' ');
}

function awsStatus({ status, scope, start, end }: ParsedRow & { kind: 'status' }): Record<string, string | undefined> {
  return { version: '5', 'interface-id': scope, start: seconds(start), end: seconds(end), 'log-status': status };
}

function awsFields(record: FlowRecord): Record<string, string | undefined> {
  const text = (value: number | undefined) => (value === undefined ? undefined : String(value));
  return {
    version: '5',
    'interface-id': record.interface,
    srcaddr: record.source,
    dstaddr: record.destination,
    srcport: text(record.sourcePort),
    dstport: text(record.destinationPort),
    protocol: text(record.protocol),
    packets: text(record.packets),
    bytes: text(record.bytes),
    start: seconds(record.start),
    end: seconds(record.end),
    action: record.action === 'rejected' ? 'REJECT' : 'ACCEPT',
    'log-status': 'OK',
    'tcp-flags': text(record.flags),
    'flow-direction': record.direction,
  };
}

function seconds(at: number | undefined): string | undefined {
  return at === undefined ? undefined : String(at / 1000);
}

/** Rows as GCP log entries, a line each. */
export function gcpText(rows: readonly ParsedRow[]): string {
  return rows.map((row) => `${gcpLine(row)}\n`).join('');
}

function gcpLine(row: ParsedRow): string {
  if (row.kind === 'malformed') return '{"jsonPayload": {"connection"';
  if (row.kind === 'status')
    return JSON.stringify({
      logName: 'projects/p/logs/compute.googleapis.com%2Fnat_flows',
      jsonPayload: { connection: {} },
    });
  const { record } = row;
  const [subnetwork, vm] = (record.interface ?? '-/-').split('/');
  const connection = {
    src_ip: record.source,
    dest_ip: record.destination,
    src_port: record.sourcePort,
    dest_port: record.destinationPort,
    protocol: record.protocol,
  };
  const log = record.action === undefined ? 'vpc_flows' : 'firewall';
  const place = { vpc: { subnetwork_name: subnetwork }, instance: { vm_name: vm } };
  const payload = record.action === undefined ? gcpFlow(record, place) : gcpFirewall(record, place);
  return JSON.stringify({
    logName: `projects/p/logs/compute.googleapis.com%2F${log}`,
    timestamp: record.end && formatInstant(record.end),
    jsonPayload: { connection, ...payload },
  });
}

function gcpFlow(record: FlowRecord, { vpc, instance }: { vpc: object; instance: object }) {
  const side = record.direction === 'egress' ? 'src' : 'dest';
  const times = {
    start_time: record.start && formatInstant(record.start),
    end_time: record.end && formatInstant(record.end),
  };
  return {
    reporter: side.toUpperCase(),
    packets_sent: String(record.packets),
    bytes_sent: String(record.bytes),
    ...times,
    [`${side}_vpc`]: vpc,
    [`${side}_instance`]: instance,
  };
}

function gcpFirewall(record: FlowRecord, place: object) {
  const direction = record.direction === 'egress' ? 'EGRESS' : 'INGRESS';
  return { disposition: record.action === 'rejected' ? 'DENIED' : 'ALLOWED', rule_details: { direction }, ...place };
}

/** Rows as a PT1H.json of VNet flow logs: one record a row, so that order is kept. */
export function azureText(rows: readonly ParsedRow[]): string {
  return JSON.stringify({ records: rows.map(azureRecord) });
}

const letters = { begin: 'B', continue: 'C', end: 'E' } as const;

function azureRecord(row: ParsedRow): object {
  if (row.kind === 'status')
    return { time: row.start && formatInstant(row.start), macAddress: row.scope, flowRecords: { flows: [] } };
  const tuple = row.kind === 'malformed' ? '1663146003599,10.0.0.6,nowhere' : azureTuple(row.record);
  const macAddress = row.kind === 'malformed' ? '000000000000' : row.record.interface;
  return {
    time: '2026-09-01T00:00:00.0000000Z',
    macAddress,
    flowRecords: { flows: [{ aclID: 'acl', flowGroups: [{ rule: 'r', flowTuples: [tuple] }] }] },
  };
}

function azureTuple(record: FlowRecord): string {
  const state = record.action === 'rejected' ? 'D' : letters[record.phase ?? 'end'];
  const way = record.direction === 'egress' ? 'O' : 'I';
  const ends = [record.source, record.destination, record.sourcePort, record.destinationPort, record.protocol];
  return [
    record.end,
    ...ends,
    way,
    state,
    'NX',
    record.packets,
    record.bytes,
    record.returnedPackets,
    record.returnedBytes,
  ].join(',');
}
