import { canonicalAddress } from '../addresses.ts';
import { instant, second } from '../../base/time.ts';
import { most } from '../limits.ts';
import type { FlowRecord, ParsedRow } from '../contract.ts';

/** The columns of the default format (version 2), which log groups carry without a header. */
export const defaultFields =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'.split(
    ' ',
  );

/** The columns that a header line names, with hyphens; undefined where the line is no header of AWS. */
export function headerFields(line: string): readonly string[] | undefined {
  const fields = line
    .trim()
    .split(' ')
    .map((name) => name.replaceAll('_', '-'));
  const isHeader = fields.length > 1 && fields.every((name) => /^[a-z][a-z0-9-]*$/.test(name));
  const known = fields.some((name) =>
    ['srcaddr', 'interface-id', 'tgw-id', 'resource-type', 'log-status'].includes(name),
  );
  return isHeader && known ? fields : undefined;
}

/** Why a header names no columns that anybody can go by; undefined where it does. */
export function headerTrouble(fields: readonly string[]): string | undefined {
  if (fields.length > most.columns) return `its header has ${fields.length} columns, more than any flow log`;
  const twice = fields.find((name, index) => fields.indexOf(name) !== index);
  return twice === undefined ? undefined : `its header names ${twice} twice`;
}

/**
 * One line by the columns of its object's header. Ports, counters and times must be numbers in range, addresses
 * addresses.
 */
export function awsRow(fields: readonly string[], line: string, lineNumber: number): ParsedRow {
  const values = (line.endsWith(' ') ? line.slice(0, -1) : line).split(' ');
  if (values.length !== fields.length) {
    return {
      kind: 'malformed',
      line: lineNumber,
      why: `${values.length} fields where the header has ${fields.length}`,
    };
  }
  const valueOf = (name: string) => {
    const value = values[fields.indexOf(name)];
    return value === '-' ? undefined : value;
  };
  return rowOf(new Values(valueOf), fields, lineNumber);
}

/** The same for any source of named values (Parquet). */
export function awsRowOf(
  valueOf: (name: string) => string | undefined,
  fields: readonly string[],
  lineNumber: number,
): ParsedRow {
  return rowOf(new Values(valueOf), fields, lineNumber);
}

/** Named texts, read as what they should be; remembers the first that is not. */
class Values {
  wrong: string | undefined;
  readonly #valueOf: (name: string) => string | undefined;

  constructor(valueOf: (name: string) => string | undefined) {
    this.#valueOf = valueOf;
  }

  text(name: string): string | undefined {
    return this.#valueOf(name);
  }

  number(name: string, limit: number): number | undefined {
    const text = this.#valueOf(name);
    if (text === undefined) return undefined;
    const value = /^\d{1,18}$/.test(text) ? Number(text) : NaN;
    if (value <= limit) return value;
    this.wrong ??= wrong(name, text);
    return undefined;
  }

  address(name: string): string | undefined {
    const text = this.#valueOf(name);
    if (text === undefined) return undefined;
    const address = canonicalAddress(text);
    if (address === undefined) this.wrong ??= wrong(name, text);
    return address;
  }

  oneOf<T extends string>(name: string, words: Readonly<Record<string, T>>): T | undefined {
    const text = this.#valueOf(name);
    if (text === undefined) return undefined;
    const word = Object.hasOwn(words, text) ? words[text] : undefined;
    if (word === undefined) this.wrong ??= wrong(name, text);
    return word;
  }
}

function wrong(name: string, text: string): string {
  return `${name} is ${JSON.stringify(text.slice(0, 60))}`;
}

function rowOf(values: Values, fields: readonly string[], line: number): ParsedRow {
  if (!fields.includes('interface-id') && (fields.includes('tgw-id') || fields.includes('resource-type'))) {
    return { kind: 'status', status: 'TransitGateway' };
  }
  const status = values.text('log-status') ?? 'OK';
  const times = { start: timeOf(values, 'start'), end: timeOf(values, 'end') };
  const place =
    values.text('interface-id') ??
    values.text('resource-id') ??
    (fields.includes('interface-id') ? undefined : values.text('instance-id')) ??
    '-';
  if (status === 'NODATA' || status === 'SKIPDATA') {
    if (values.wrong !== undefined) return { kind: 'malformed', line, why: values.wrong };
    return { kind: 'status', status, scope: place, ...times };
  }
  if (status !== 'OK') return { kind: 'malformed', line, why: wrong('log-status', status) };
  return flowOf(values, place, { ...times, line });
}

function flowOf(
  values: Values,
  place: string,
  row: { start: FlowRecord['start']; end: FlowRecord['end']; line: number },
): ParsedRow {
  const source = values.address('srcaddr');
  const destination = values.address('dstaddr');
  const protocol = values.number('protocol', 255);
  const sourcePort = values.number('srcport', 65_535);
  const destinationPort = values.number('dstport', 65_535);
  const rest = {
    action: values.oneOf('action', { ACCEPT: 'accepted', REJECT: 'rejected' }),
    direction: values.oneOf('flow-direction', { ingress: 'ingress', egress: 'egress' }),
    flags: values.number('tcp-flags', 255),
    packets: values.number('packets', most.counter),
    bytes: values.number('bytes', most.counter),
  } as const;
  const malformed = (why: string): ParsedRow => ({ kind: 'malformed', line: row.line, why });
  if (values.wrong !== undefined) return malformed(values.wrong);
  if (source === undefined || destination === undefined) return malformed('no address');
  if (protocol === undefined) return malformed('no protocol');
  if ((protocol === 6 || protocol === 17) && (sourcePort === undefined || destinationPort === undefined))
    return malformed('no port');
  const end = row.end ?? row.start;
  if (end === undefined) return malformed('no time');
  const ends = { source, sourcePort, destination, destinationPort, protocol };
  const record: FlowRecord = {
    cloud: 'aws',
    interface: place,
    ...ends,
    ...rest,
    start: row.start,
    end,
    returnedPackets: undefined,
    returnedBytes: undefined,
  };
  return { kind: 'record', record };
}

function timeOf(values: Values, name: string) {
  const seconds = values.number(name, 4_294_967_295);
  return seconds === undefined ? undefined : instant(seconds * second);
}
