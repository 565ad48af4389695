import { gzipSync } from 'node:zlib';
import { formatInstant, instant, minute, parseInstant } from '../../../shared/base/time.ts';
import type { FlowFormat } from '../../../shared/flow-logs/rows.ts';
import type { Choice } from './seeded.ts';

/** When all good traffic is from. */
export const midnight = parseInstant('2026-09-01T00:00:00Z');
/** Interfaces of good objects begin with it, and no others do. */
export const goodPlace = 'good';

/** One object whose rows are known: so many are good, and it is read whole. */
export interface Made {
  readonly bytes: Buffer;
  readonly rows: number;
}

/** Rows of a good object as the cloud writes them, without anything around them. */
export function goodRows(format: FlowFormat, choice: Choice, place = `${goodPlace}-${choice.below(20)}`): string[] {
  return Array.from({ length: 1 + choice.below(6) }, () => row(format, choice, place));
}

/** A good object in one of the forms that the cloud has. */
export function goodObject(format: FlowFormat, choice: Choice): Made {
  const rows = goodRows(format, choice);
  const text = wrapped(format, rows, choice);
  const bytes = choice.once(3) ? Buffer.from(text) : packed(text, choice);
  return { bytes, rows: rows.length };
}

/** The columns of good AWS objects, in several orders. */
export const headers = [
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status',
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status tcp-flags flow-direction',
  'end start interface-id dstaddr srcaddr dstport srcport protocol action log-status bytes packets',
] as const;

/** A row by its header. */
export function awsLine(header: string, values: Readonly<Record<string, string | number>>): string {
  const usual = { version: 2, 'account-id': 1, protocol: 6, action: 'ACCEPT', 'log-status': 'OK', 'tcp-flags': 19 };
  const all: Readonly<Record<string, string | number>> = { ...usual, 'flow-direction': 'egress', ...values };
  return header
    .split(' ')
    .map((name) => all[name] ?? '-')
    .join(' ');
}

/** Values of one good AWS row. */
export function awsValues(choice: Choice, place: string): Record<string, string | number> {
  const at = midnight / 1_000 + choice.below(86_000);
  const ends = { srcaddr: '10.0.0.5', dstaddr: `10.1.${choice.below(250)}.${choice.below(250)}` };
  const ports = { srcport: 443, dstport: 40_000 + choice.below(9_000) };
  return { 'interface-id': place, ...ends, ...ports, packets: 4, bytes: 900, start: at, end: at + 30 };
}

function row(format: FlowFormat, choice: Choice, place: string): string {
  const at = instant(midnight + choice.below(1_400) * minute);
  const peer = `10.1.${choice.below(250)}.${choice.below(250)}`;
  if (format === 'aws') return JSON.stringify(awsValues(choice, place));
  if (format === 'azure')
    return `${at},${peer},10.0.0.5,${40_000 + choice.below(9_000)},443,6,I,E,NX,4,900,3,700`.replace(/^/, `${place}|`);
  const connection = { src_ip: peer, dest_ip: '10.0.0.5', src_port: 40_000, dest_port: 443, protocol: 6 };
  const times = { start_time: formatInstant(at), end_time: formatInstant(at) };
  const where = { dest_vpc: { subnetwork_name: place }, dest_instance: { vm_name: 'vm' } };
  const counts = { reporter: 'DEST', packets_sent: '4', bytes_sent: '900' };
  const logName = 'projects/p/logs/compute.googleapis.com%2Fvpc_flows';
  return JSON.stringify({ logName, jsonPayload: { connection, ...counts, ...times, ...where } });
}

/** Rows as one text. */
export function wrapped(format: FlowFormat, rows: readonly string[], choice: Choice): string {
  if (format === 'gcp') return choice.once(4) ? `[${rows.join(',\n')}]` : `${rows.join('\n')}\n`;
  if (format === 'azure') return azureText(rows, choice);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- they were written just before
  const values = rows.map((text) => JSON.parse(text) as Record<string, string | number>);
  const header = choice.of(headers);
  if (choice.once(6)) {
    const logEvents = values.map((value) => ({ message: awsLine(headers[0], value) }));
    return JSON.stringify({ messageType: 'DATA_MESSAGE', logEvents });
  }
  const end = choice.once(5) ? '\r\n' : '\n';
  return [header, ...values.map((value) => awsLine(header, value)), ''].join(end);
}

function azureText(rows: readonly string[], choice: Choice): string {
  const records = rows.map((text) => {
    const [macAddress = '', tuple = ''] = text.split('|');
    const flows = [{ aclID: 'a', flowGroups: [{ rule: 'r', flowTuples: [tuple] }] }];
    return { time: '2026-09-01T00:00:00.0000000Z', macAddress, flowRecords: { flows } };
  });
  return choice.once(4) ? JSON.stringify({ records }, undefined, 1) : JSON.stringify({ records });
}

/** As one gzip member, or as two after each other, as Firehose joins them. */
export function packed(text: string, choice: Choice): Buffer {
  if (!choice.once(4)) return gzipSync(text);
  const half = text.length >> 1;
  return Buffer.concat([gzipSync(text.slice(0, half)), gzipSync(text.slice(half))]);
}
