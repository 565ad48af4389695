import type { Cloud } from '../base/cloud.ts';
import { parseInstant, type Instant } from '../base/time.ts';

/** One object of a flow log as the cloud laid it down. */
export interface LogObject {
  readonly key: string;
  /** Size in bytes. */
  readonly size: number;
  /** Changes whenever the object does (an Azure hour is rewritten until it is over). */
  readonly version: string;
  /** End of the time its rows may be from, as its key tells; undefined where the key tells nothing. */
  readonly ends?: Instant | undefined;
  /** Why it can be no object of a log, where the listing shows that already (a link, a FIFO). */
  readonly unreadable?: string | undefined;
}

/**
 * What the packets of one fact did, told from the side of the interface that logged them (its address is `local`):
 *
 * | kind       | packets                                   | evidence                                           |
 * |------------|-------------------------------------------|----------------------------------------------------|
 * | opened-in  | a peer began a connection to `port`        | SYN without ACK inbound                            |
 * | answered   | local accepted it                          | SYN-ACK outbound, or returned payload of one tuple |
 * | refused    | local answered RST only                    | RST alone outbound                                 |
 * | rejected   | the firewall refused it                    | REJECT, DENIED, D inbound                          |
 * | opened-out | local began a connection to the peer       | SYN outbound; port is the peer's                   |
 * | in, out    | accepted, and who began is not in the row  | flags 0 or FIN, SYN-ACK in, no flags, UDP, ICMP, … |
 *
 * Facts that were made before local ports were kept for opened-out have a SYN-ACK that came in as opened-out too, which
 * anybody can send.
 */
export type FactKind = 'opened-in' | 'answered' | 'refused' | 'rejected' | 'opened-out' | 'in' | 'out';

/**
 * One day of one kind of traffic at one port with one peer. Facts travel as Parquet with these columns (snake_case).
 * For `in` and `out`, a high local port (≥ 32768) with a lower peer port is folded: port is 0, portLow and portHigh
 * bound the local ports, and the peer's port tells the groups apart. For `opened-out` they bound the local ports too; in
 * facts of older versions they are the peer's. Else portLow = portHigh = port.
 */
export interface Fact {
  /** UTC day, YYYY-MM-DD; of `last`. */
  readonly day: string;
  readonly interface: string;
  readonly local: string;
  /** IANA number. */
  readonly protocol: number;
  /** The service's port: local, but the peer's for opened-out. 0 where the protocol has none. */
  readonly port: number;
  readonly kind: FactKind;
  /** Undefined: the peers beyond the cap of one port and day, together. */
  readonly peer: string | undefined;
  readonly portLow: number;
  readonly portHigh: number;
  readonly peerPortLow: number;
  readonly peerPortHigh: number;
  readonly first: Instant;
  readonly last: Instant;
  readonly records: number;
  readonly packets: number;
  readonly bytes: number;
  /** Largest mean packet of one record, in bytes: above 60 (IPv6: 80) there was payload. */
  readonly largest: number;
}

/** Whether one hour of one scope (interface, or subnet where the cloud logs by subnet) can be relied on. */
export interface CoverageFact {
  readonly scope: string;
  /** Start of the hour. */
  readonly hour: Instant;
  /** `seen`: rows say so, "no traffic" among them. `lost`: the cloud says records are missing (SKIPDATA). */
  readonly state: 'seen' | 'lost';
}

/** What became of one object; nothing is lost silently. */
export interface ObjectReport {
  readonly key: string;
  readonly version: string;
  /** Good rows, those that are no flow (NODATA) included. */
  readonly records: number;
  readonly malformed: number;
  /** Why the whole object could not be read; undefined where it could. */
  readonly unreadable: string | undefined;
  /** True: the machine failed, not the object (no permission, disk full). It has to be read again, as it is. */
  readonly again?: boolean | undefined;
}

/** A table as one zstd Parquet file. */
export interface Table {
  readonly parquet: Uint8Array;
  readonly rows: number;
}

export interface UsageBatch {
  /** Rows of Fact. */
  readonly facts: Table;
  /** Rows of CoverageFact, one a scope and hour and state. */
  readonly coverage: Table;
  readonly objects: readonly ObjectReport[];
}

/** One row of a flow log, normalised; for people and tools (`lockkeeper flows`), not for verdicts. */
export interface FlowRecord {
  readonly cloud: Cloud;
  readonly interface: string | undefined;
  readonly source: string;
  readonly sourcePort: number | undefined;
  readonly destination: string;
  readonly destinationPort: number | undefined;
  readonly protocol: number;
  /** Undefined where the row does not tell. */
  readonly direction: 'ingress' | 'egress' | undefined;
  readonly action: 'accepted' | 'rejected' | undefined;
  /** TCP flags ORed as the cloud tells them; undefined: cannot tell. */
  readonly flags: number | undefined;
  readonly start: Instant | undefined;
  readonly end: Instant | undefined;
  readonly packets: number | undefined;
  readonly bytes: number | undefined;
  /** The same of the way back, where one row tells both (Azure). */
  readonly returnedPackets: number | undefined;
  readonly returnedBytes: number | undefined;
  /** Which part of its connection the row tells, where the cloud says so (Azure B, C, E). */
  readonly phase?: 'begin' | 'continue' | 'end' | undefined;
}

export type ParsedRow =
  /** `repeats`: an earlier row of the same object says exactly the same (Azure); it counts once in usage. */
  | { readonly kind: 'record'; readonly record: FlowRecord; readonly repeats?: boolean }
  /** A good row that is no flow: NODATA, SKIPDATA, a transit-gateway row. */
  | {
      readonly kind: 'status';
      readonly status: string;
      /** Where and when, if the row is about one scope's coverage. */
      readonly scope?: string | undefined;
      readonly start?: Instant | undefined;
      readonly end?: Instant | undefined;
    }
  | { readonly kind: 'malformed'; readonly line: number; readonly why: string };

export interface FlowLogDescription {
  readonly name: string;
  readonly cloud: Cloud;
  /** True: rows are a sample, so silence proves little. */
  readonly sampled: boolean;
  /** Rows of an hour may arrive this much after its end, in milliseconds. */
  readonly settleMs: number;
}

/** Times that rows can be of; both ends included. */
export interface Within {
  readonly from: Instant;
  readonly to: Instant;
}

/** No cloud had flow logs before; where nobody says what time it is, rows may be of this century. */
export const anyTime: Within = {
  from: parseInstant('2010-01-01T00:00:00Z'),
  to: parseInstant('2100-01-01T00:00:00Z'),
};

/** One flow log. Errors: denied, throttled, unreachable, not-found (the log's place is not there). */
export interface FlowLog {
  describe(): FlowLogDescription;
  /** Every object now there, in key order, only keys after `after` if given. */
  objects(after?: string): AsyncIterable<LogObject>;
  /**
   * Facts and coverage of whole objects, read once. An unreadable object or row is reported, never thrown, never
   * dropped silently. The same objects give the same rows again. No rows is not no traffic. A row of a time that is not
   * in `within` is malformed.
   */
  usage(objects: readonly LogObject[], within?: Within): Promise<UsageBatch>;
  /** Every row of one object in order. */
  records(object: LogObject): AsyncIterable<ParsedRow>;
}
