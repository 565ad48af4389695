import { canonicalAddress } from '../addresses.ts';
import { instant, second, type Instant } from '../../base/time.ts';
import { existingTime } from '../key-times.ts';
import { countOf, listOf, membersOf, textOf, type JsonPiece } from './json-values.ts';
import type { FlowRecord, ParsedRow } from '../contract.ts';

/** Reads the pieces of one object; it remembers tuples, because Azure repeats some. */
export interface AzureReader {
  rows(piece: JsonPiece): Generator<ParsedRow>;
  /** One bare tuple, without the record around it. */
  tuple(text: string, line: number): ParsedRow;
}

/**
 * VNet flow logs (version 4) and NSG flow logs (versions 1 and 2): PT1H.json, its records alone, or bare tuples. A
 * tuple that repeats one of the same network card exactly is a good row but no second flow: it says so. The interface
 * is the MAC address.
 */
export function azureReader(): AzureReader {
  const known = new Set<string>();
  const rowOf = (text: string, context: Context): ParsedRow => {
    const tuple = `${context.mac} ${context.kind} ${text}`;
    const row = tupleRow(text, context);
    if (row.kind === 'record' && known.has(tuple)) return { ...row, repeats: true };
    known.add(tuple);
    return row;
  };
  return {
    *rows(piece) {
      if (piece.why !== undefined) {
        yield { kind: 'malformed', line: piece.line, why: piece.why };
        return;
      }
      const outer = membersOf(piece.value);
      const records = outer['records'] === undefined ? [outer] : listOf(outer['records']);
      for (const record of records) yield* recordRows(membersOf(record), piece.line, rowOf);
    },
    tuple: (text, line) => rowOf(text, { mac: '-', kind: isVnetTuple(text) ? 'vnet' : 'nsg', line }),
  };
}

interface Context {
  readonly mac: string;
  readonly kind: 'vnet' | 'nsg';
  readonly line: number;
}

type Members = Readonly<Record<string, unknown>>;
type RowOf = (text: string, context: Context) => ParsedRow;

function* recordRows(record: Members, line: number, rowOf: RowOf): Generator<ParsedRow> {
  let found = 0;
  for (const row of flowRows(record, line, rowOf)) {
    found += 1;
    yield row;
  }
  // A minute without flows: the log was on. Or a gate of lockkeeper says that it lost records.
  if (found === 0) yield emptyMinute(record, line);
}

function* flowRows(record: Members, line: number, rowOf: RowOf): Generator<ParsedRow> {
  const mac = textOf(record['macAddress']);
  const vnet = membersOf(record['flowRecords'])['flows'];
  const nsg = membersOf(record['properties'])['flows'];
  if (vnet === undefined && nsg === undefined) {
    yield { kind: 'malformed', line, why: 'a record without flows' };
    return;
  }
  for (const flow of listOf(vnet)) {
    for (const group of listOf(membersOf(flow)['flowGroups'])) {
      yield* tuples(membersOf(group), { mac: cardOf(mac), kind: 'vnet', line }, rowOf);
    }
  }
  for (const rule of listOf(nsg)) {
    for (const flow of listOf(membersOf(rule)['flows'])) {
      const card = cardOf(textOf(membersOf(flow)['mac']) ?? mac);
      yield* tuples(membersOf(flow), { mac: card, kind: 'nsg', line }, rowOf);
    }
  }
}

function* tuples(group: Members, context: Context, rowOf: RowOf): Generator<ParsedRow> {
  for (const tuple of listOf(group['flowTuples'])) {
    if (typeof tuple === 'string') yield rowOf(tuple, context);
    else yield { kind: 'malformed', line: context.line, why: 'a tuple that is no text' };
  }
}

function emptyMinute(record: Members, line: number): ParsedRow {
  const at = textOf(record['time']) ?? '';
  const ms = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(at) ? Date.parse(at) : NaN;
  if (Number.isNaN(ms)) return { kind: 'malformed', line, why: `time is ${JSON.stringify(at.slice(0, 60))}` };
  const time = instant(ms);
  const scope = cardOf(textOf(record['macAddress']));
  if (record['logStatus'] !== 'SKIPDATA') return { kind: 'status', status: 'empty', scope, start: time, end: time };
  const from = textOf(record['startTime']) ?? at;
  const start = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(from) ? Date.parse(from) : NaN;
  return { kind: 'status', status: 'SKIPDATA', scope, start: Number.isNaN(start) ? time : instant(start), end: time };
}

/** MAC addresses come with and without separators, in either case. */
function cardOf(mac: string | undefined): string {
  return mac?.replaceAll(/[-:]/g, '').toUpperCase() ?? '-';
}

function isVnetTuple(text: string): boolean {
  const fields = text.split(',');
  return fields.length === 13 && /^\d+$/.test(fields[5] ?? '');
}

/**
 * VNet: epoch, src, dst, sport, dport, protocol number, I|O, state B|C|E|D, encryption, counters there, counters back.
 * NSG:  epoch, src, dst, sport, dport, T|U, I|O, decision A|D, and in version 2 state B|C|E and the counters.
 * Counters are what came since the tuple before. NSG does not count what went back on most inbound flows, so a 0 there
 * is unknown.
 */
function tupleRow(text: string, { mac, kind, line }: Context): ParsedRow {
  const malformed = (why: string): ParsedRow => ({
    kind: 'malformed',
    line,
    why: `${why} in tuple ${JSON.stringify(text.slice(0, 120))}`,
  });
  const fields = text.split(',');
  const lengths = kind === 'vnet' ? [13] : [8, 13];
  if (!lengths.includes(fields.length)) return malformed(`${fields.length} fields`);
  const [epoch, src, dst, sport, dport, protocolText, way, seventh, eighth] = fields;
  const source = canonicalAddress(src ?? '');
  const destination = canonicalAddress(dst ?? '');
  const protocol = protocolOf(protocolText ?? '', kind);
  const ports = [portOf(sport), portOf(dport)];
  const counters = fields.slice(9).map(countOf);
  const at = timeOf(epoch ?? '');
  if (source === undefined || destination === undefined) return malformed('no address');
  if (protocol === undefined) return malformed(`protocol ${JSON.stringify(protocolText?.slice(0, 60))}`);
  if (at === undefined) return malformed('no time');
  if ([...ports, ...counters].some(Number.isNaN)) return malformed('a port or counter that is no number');
  const state = stateOf(kind, seventh ?? '', eighth);
  if (state === undefined || (way !== 'I' && way !== 'O')) return malformed('an unknown direction or state');
  const back = (value: number | undefined) => (kind === 'nsg' && value === 0 ? undefined : value);
  const record: FlowRecord = {
    cloud: 'azure',
    interface: mac,
    source,
    sourcePort: ports[0],
    destination,
    destinationPort: ports[1],
    protocol,
    direction: way === 'I' ? 'ingress' : 'egress',
    ...state,
    flags: undefined,
    start: at,
    end: at,
    packets: counters[0],
    bytes: counters[1],
    returnedPackets: back(counters[2]),
    returnedBytes: back(counters[3]),
  };
  return { kind: 'record', record };
}

const phases: ReadonlyMap<string, 'begin' | 'continue' | 'end'> = new Map([
  ['B', 'begin'],
  ['C', 'continue'],
  ['E', 'end'],
]);

function stateOf(
  kind: Context['kind'],
  seventh: string,
  eighth: string | undefined,
): Pick<FlowRecord, 'action' | 'phase'> | undefined {
  if (seventh === 'D') return { action: 'rejected' };
  const phase = phases.get((kind === 'vnet' ? seventh : eighth) ?? '');
  if (kind === 'vnet') return phase && { action: 'accepted', phase };
  if (seventh !== 'A') return undefined;
  return eighth === undefined ? { action: 'accepted' } : phase && { action: 'accepted', phase };
}

function protocolOf(text: string, kind: Context['kind']): number | undefined {
  if (kind === 'nsg') return text === 'T' ? 6 : text === 'U' ? 17 : undefined;
  const number = countOf(text);
  return number !== undefined && number <= 255 ? number : undefined;
}

function portOf(text: string | undefined): number | undefined {
  const port = countOf(text);
  return port === undefined || port <= 65_535 ? port : NaN;
}

/** Seconds in NSG logs and in examples, milliseconds in VNet logs: told apart by magnitude. */
function timeOf(text: string): Instant | undefined {
  const value = /^\d{9,14}$/.test(text) ? Number(text) : NaN;
  return Number.isNaN(value) ? undefined : instant(value < 1e11 ? value * second : value);
}

/** Start of the hour that a key of Azure names by y=, m=, d= and h=; undefined where it names none that there was. */
export function azureHour(key: string): Instant | undefined {
  const found = /\/y=(\d{4})\/m=(\d\d)\/d=(\d\d)\/h=(\d\d)\//.exec(key);
  return found ? existingTime(`${found[1]}-${found[2]}-${found[3]}T${found[4]}:00:00Z`) : undefined;
}
