import { hour, type Instant } from '../base/time.ts';
import { code, keepChunk, readChunk } from './aggregate.ts';
import { gcpScope } from './formats/gcp-vpc.ts';
import { givenUp, isHopeless } from './limits.ts';
import { ownAddresses, type KnownInterface } from './own-addresses.ts';
import { sightings, type Sighting } from './sightings.ts';
import type { FlowRecord, ParsedRow } from './contract.ts';
import type { Engine } from './engine.ts';

/** Rows of one object that TypeScript parsed, on their way into the groups. */
export interface ParsedObject {
  readonly records: number;
  readonly malformed: number;
  /** Why the first malformed row is. */
  readonly why: string | undefined;
}

/** Adds parsed objects to the groups; each takes part whole or not at all. */
export interface ParsedIntake {
  /** Takes one object. If its rows end with an error nothing of it stays, and the error goes on. */
  add(rows: AsyncIterable<ParsedRow>): Promise<ParsedObject>;
  /** Groups what was taken so far. */
  flush(): Promise<void>;
}

const table = `CREATE OR REPLACE TABLE parsed (i VARCHAR, src VARCHAR, dst VARCHAR, sport USMALLINT, dport USMALLINT, protocol UTINYINT,
  packets DOUBLE, bytes DOUBLE, s BIGINT, e BIGINT, k UTINYINT, object INTEGER)`;
/** A sighting knows which end is local: here it is always the source. */
const relation = 'SELECT 0 AS file, true AS out, * EXCLUDE (object) FROM parsed';
const kind = { isRaw: false, hasTwice: false };
const flushAt = 500_000;
const together = 2_048;

/** A sighting of the object with this number. */
interface Appended {
  readonly sighting: Sighting;
  readonly object: number;
}

/** An hour that an object says something about. */
interface Hour {
  readonly scope: string;
  readonly hour: number;
  readonly state: 'seen' | 'lost';
}

/** Opens an intake. `inventory` tells whose address is whose where rows do not say which way they went. */
export async function parsedIntake(engine: Engine, inventory: readonly KnownInterface[] = []): Promise<ParsedIntake> {
  await engine.run(table);
  let objects = 0;
  let waiting = 0;
  // Small objects share an appender: opening one costs more than their rows.
  let small: Appended[] = [];
  let hours: Hour[] = [];
  const settle = async () => {
    waiting += await append(engine, small);
    await cover(engine, hours);
    [small, hours] = [[], []];
  };
  const flush = async () => {
    await settle();
    if (waiting === 0) return;
    waiting = 0;
    await engine.run(readChunk(relation, kind));
    await engine.run(keepChunk(kind));
    await engine.run(table);
  };
  return {
    flush,
    async add(rows) {
      objects += 1;
      const taken = new Taken(inventory);
      let isBegun = false;
      try {
        for await (const row of rows) {
          taken.add(row);
          if (isHopeless(taken.malformed, taken.records)) throw givenUp(taken.malformed, taken.why);
          if (taken.ready.length < together) continue;
          waiting += await append(engine, taken.take(objects));
          isBegun = true;
        }
        taken.close();
      } catch (thrown) {
        if (isBegun) await engine.run(`DELETE FROM parsed WHERE object = ${objects}`);
        throw thrown;
      }
      for (const one of taken.take(objects)) small.push(one);
      for (const one of taken.hours.values()) hours.push(one);
      if (small.length + hours.length >= together) await settle();
      if (waiting >= flushAt) await flush();
      return { records: taken.records, malformed: taken.malformed, why: taken.why };
    },
  };
}

/** What one object said. Rows without a direction wait for the object's end, when whose address is whose is known. */
class Taken {
  records = 0;
  malformed = 0;
  why: string | undefined;
  ready: Sighting[] = [];
  readonly hours = new Map<string, Hour>();
  readonly #inventory: readonly KnownInterface[];
  readonly #unclear: FlowRecord[] = [];

  constructor(inventory: readonly KnownInterface[]) {
    this.#inventory = inventory;
  }

  add(row: ParsedRow): void {
    if (row.kind === 'malformed') {
      this.malformed += 1;
      this.why ??= row.why;
      return;
    }
    this.records += 1;
    if (row.kind === 'record') {
      this.#cover(scopeOf(row.record), row.record, 'seen');
      if (row.repeats) return;
      if (row.record.direction === undefined) this.#unclear.push(row.record);
      else this.ready.push(...sightings(row.record));
    } else {
      this.#cover(row.scope, row, row.status === 'SKIPDATA' ? 'lost' : 'seen');
    }
  }

  /** What is ready, and nothing of it again. */
  take(object: number): Appended[] {
    const rows = this.ready;
    this.ready = [];
    return rows.map((sighting) => ({ sighting, object }));
  }

  close(): void {
    const own = ownAddresses(this.#unclear, this.#inventory);
    for (const record of this.#unclear) this.ready.push(...sightings(record, own(record)));
  }

  #cover(
    scope: string | undefined,
    { start, end }: { readonly start?: Instant | undefined; readonly end?: Instant | undefined },
    state: 'seen' | 'lost',
  ): void {
    const last = end ?? start;
    if (scope === undefined || last === undefined) return;
    for (const at of hoursOf(start ?? last, last))
      this.hours.set(`${state} ${at} ${scope}`, { scope, hour: at, state });
  }
}

/**
 * What a record proves to have been watched. A firewall-rule line of GCP proves nothing about flow logs, and a subnet
 * is watched as a whole.
 */
export function scopeOf({ cloud, action, interface: place = '-' }: FlowRecord): string | undefined {
  if (cloud !== 'gcp') return place;
  return action === undefined ? gcpScope(place) : undefined;
}

/** Starts of the hours that a stretch of time touches; of the last 25 where it is longer. */
export function hoursOf(start: number, end: number): readonly number[] {
  const last = Math.floor(end / hour);
  const first = Math.min(last, Math.max(Math.floor(start / hour), last - 24));
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * hour);
}

async function append(engine: Engine, rows: readonly Appended[]): Promise<number> {
  if (rows.length === 0) return 0;
  const appender = await engine.connection.createAppender('parsed');
  for (const { sighting: row, object } of rows) {
    for (const text of [row.interface, row.local, row.peer]) appender.appendVarchar(text);
    appender.appendUSmallInt(row.localPort);
    appender.appendUSmallInt(row.peerPort);
    appender.appendUTinyInt(row.protocol);
    appender.appendDouble(row.packets);
    appender.appendDouble(row.bytes);
    appender.appendBigInt(BigInt(row.start));
    appender.appendBigInt(BigInt(row.end));
    appender.appendUTinyInt(code[row.kind]);
    appender.appendInteger(object);
    appender.endRow();
  }
  appender.closeSync();
  return rows.length;
}

async function cover(engine: Engine, hours: readonly Hour[]): Promise<void> {
  if (hours.length === 0) return;
  const appender = await engine.connection.createAppender('covered');
  for (const { scope, hour: at, state } of hours) {
    appender.appendVarchar(scope);
    appender.appendBigInt(BigInt(at));
    appender.appendVarchar(state);
    appender.endRow();
  }
  appender.closeSync();
}
