import type { FactKind, FlowRecord } from './contract.ts';
import type { Instant } from '../base/time.ts';

/** One row of a flow log as seen from one interface: who was local, who was the peer, what it shows. */
export interface Sighting {
  readonly interface: string;
  readonly local: string;
  readonly localPort: number;
  readonly peer: string;
  readonly peerPort: number;
  readonly protocol: number;
  readonly kind: FactKind;
  readonly start: Instant;
  readonly end: Instant;
  readonly packets: number;
  readonly bytes: number;
}

const tcp = 6;
const syn = 2;
const reset = 4;
const synAck = 18;
const fin = 1;

/**
 * What one row shows, by the table of FactKind. A row whose direction nobody knows counts for both of its ends.
 * Nothing for what is no use: a refused packet going out, a row without a time. Pure.
 */
export function sightings(record: FlowRecord, ownAddresses?: ReadonlySet<string>): readonly Sighting[] {
  const end = record.end ?? record.start;
  if (end === undefined) return [];
  const start = record.start !== undefined && record.start < end ? record.start : end;
  const direction = record.direction ?? directionBy(record, ownAddresses);
  const sides = direction === undefined ? (['ingress', 'egress'] as const) : [direction];
  return sides.flatMap((side) => shown(record, side).map((sight) => ({ ...ends(record, side), ...sight, start, end })));
}

function directionBy(record: FlowRecord, own: ReadonlySet<string> | undefined): 'ingress' | 'egress' | undefined {
  const from = own?.has(record.source) ?? false;
  const to = own?.has(record.destination) ?? false;
  return from === to ? undefined : from ? 'egress' : 'ingress';
}

function ends(record: FlowRecord, side: 'ingress' | 'egress') {
  const source = { address: record.source, port: record.sourcePort ?? 0 };
  const destination = { address: record.destination, port: record.destinationPort ?? 0 };
  const [local, peer] = side === 'egress' ? [source, destination] : [destination, source];
  return {
    interface: record.interface ?? '-',
    local: local.address,
    localPort: local.port,
    peer: peer.address,
    peerPort: peer.port,
    protocol: record.protocol,
  };
}

type Shown = Pick<Sighting, 'kind' | 'packets' | 'bytes'>;

function shown(record: FlowRecord, side: 'ingress' | 'egress'): readonly Shown[] {
  const counted = { packets: record.packets ?? 0, bytes: record.bytes ?? 0 };
  if (record.action === 'rejected') return side === 'ingress' ? [{ kind: 'rejected', ...counted }] : [];
  switch (record.cloud) {
    case 'azure':
      return azureShows(record, side);
    case 'gcp':
      return [{ kind: gcpShows(record, side), ...counted }];
    default:
      return [{ kind: flagsShow(record, side), ...counted }];
  }
}

function flagsShow({ protocol, flags }: FlowRecord, side: 'ingress' | 'egress'): FactKind {
  if (protocol !== tcp || flags === undefined) return side === 'egress' ? 'out' : 'in';
  // AWS shows an ACK only with its SYN; others may show it alone, or with a RST. A SYN-ACK that comes in proves nothing
  // about what local did: anybody can send one, and the flags of a row are those of all its packets.
  if ((flags & synAck) === synAck) return side === 'egress' ? 'answered' : 'in';
  if ((flags & syn) !== 0) return side === 'egress' ? 'opened-out' : 'opened-in';
  if (side === 'egress' && (flags & (fin | syn | reset)) === reset) return 'refused';
  return side === 'egress' ? 'out' : 'in';
}

/**
 * A flow row of GCP has neither flags nor verdict, so it only says that packets went in or out. A firewall-rule row has
 * a verdict, is written when a connection begins and so tells who began.
 */
function gcpShows({ protocol, action }: FlowRecord, side: 'ingress' | 'egress'): FactKind {
  if (action === undefined) return side === 'egress' ? 'out' : 'in';
  if (side === 'egress') return 'opened-out';
  return protocol === tcp ? 'opened-in' : 'in';
}

/**
 * One tuple tells both ways, and its source began. `E` may be a short session or the end of a long one: it counts as
 * begun. `C` is the middle of a session: in and out. No counters of the way back (NSG logs) is not "no answer", so
 * such a tuple counts as accepted traffic unless it is a `B`.
 */
function azureShows(record: FlowRecord, side: 'ingress' | 'egress'): readonly Shown[] {
  const there = { packets: record.packets ?? 0, bytes: record.bytes ?? 0 };
  if (side === 'egress') return [{ kind: 'opened-out', ...there }];
  const back = { packets: record.returnedPackets ?? 0, bytes: record.returnedBytes ?? 0 };
  const returned = back.packets > 0;
  if (record.protocol !== tcp || record.phase === 'continue') {
    return [{ kind: 'in', ...there }, ...(returned ? [{ kind: 'out', ...back } as const] : [])];
  }
  if (record.phase !== 'begin' && record.returnedPackets === undefined) return [{ kind: 'in', ...there }];
  return [{ kind: 'opened-in', ...there }, ...(returned ? [{ kind: 'answered', ...back } as const] : [])];
}
