import { LockkeeperError } from '../base/error.ts';
import { hour, type Instant } from '../base/time.ts';
import { code, keepChunk, readChunk } from './aggregate.ts';
import { gcpScope } from './formats/gcp-vpc.ts';
import { givenUp, isHopeless, most } from './limits.ts';
import { learnedAddresses, type KnownInterface, type LearnedAddresses } from './own-addresses.ts';
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
  /**
   * Takes one object, whose rows can be read twice. If they end with an error nothing of it stays, and the error goes on.
   */
  add(rows: () => AsyncIterable<ParsedRow>): Promise<ParsedObject>;
  /** Groups what was taken so far. */
  flush(): Promise<void>;
}

const table = `CREATE OR REPLACE TABLE parsed (i VARCHAR, src VARCHAR, dst VARCHAR, sport USMALLINT, dport USMALLINT, protocol UTINYINT,
  packets DOUBLE, bytes DOUBLE, s BIGINT, e BIGINT, k UTINYINT, object INTEGER)`;
const hoursTable = 'CREATE OR REPLACE TABLE parsed_hours (scope VARCHAR, hour BIGINT, state VARCHAR, object INTEGER)';
const keepParsedHours = 'INSERT INTO covered SELECT DISTINCT scope, hour, state FROM parsed_hours';
/** A sighting knows which end is local: here it is always the source. */
const relation = 'SELECT 0 AS file, true AS out, * EXCLUDE (object) FROM parsed';
const kind = { isRaw: false, hasTwice: false };
const flushAt = 500_000;
const together = 2_048;
/** Rows of a large object; each time costs milliseconds. */
const atOnce = 8_192;
/** Hours that are held in memory, and rows without a direction. */
const heldAtMost = 20_000;

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
  readonly object: number;
}

/** Opens an intake. `inventory` tells whose address is whose where rows do not say which way they went. */
export async function parsedIntake(engine: Engine, inventory: readonly KnownInterface[] = []): Promise<ParsedIntake> {
  for (const statement of [table, hoursTable]) await engine.run(statement);
  let objects = 0;
  let waiting = 0;
  // Small objects share an appender: opening one costs more than their rows.
  let small: Appended[] = [];
  let hours: Hour[] = [];
  const settle = async () => {
    waiting += await append(engine, small);
    waiting += await cover(engine, hours);
    [small, hours] = [[], []];
  };
  const flush = async () => {
    await settle();
    if (waiting === 0) return;
    waiting = 0;
    await engine.run(readChunk(relation, kind));
    await engine.run(keepChunk(kind));
    await engine.run(keepParsedHours);
    for (const statement of [table, hoursTable]) await engine.run(statement);
  };
  const spill = async (taken: Taken, isLast: boolean) => {
    if (isLast || taken.ready.length >= atOnce) waiting += await append(engine, taken.take());
    if (isLast || taken.hours.size >= heldAtMost) waiting += await cover(engine, taken.takeHours());
  };
  return {
    flush,
    async add(rows) {
      objects += 1;
      const taken = new Taken(objects, inventory);
      try {
        for await (const row of rows()) {
          taken.add(row);
          if (isHopeless(taken.malformed, taken.records)) throw givenUp(taken.malformed, taken.why);
          if (taken.isMuch) await spill(taken, false);
        }
        if (!taken.close()) {
          for await (const row of rows()) {
            taken.addUnclear(row);
            if (taken.isMuch) await spill(taken, false);
          }
        }
      } catch (thrown) {
        for (const name of ['parsed', 'parsed_hours'])
          await engine.run(`DELETE FROM ${name} WHERE object = ${objects}`);
        throw thrown;
      }
      if (taken.ready.length + taken.hours.size > together) await spill(taken, true);
      for (const one of taken.take()) small.push(one);
      for (const one of taken.takeHours()) hours.push(one);
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
  readonly #object: number;
  readonly #learned: LearnedAddresses;
  readonly #scopes = new Set<string>();
  #hours = 0;
  /** Undefined where they were too many to be held. */
  #unclear: FlowRecord[] | undefined = [];

  constructor(object: number, inventory: readonly KnownInterface[]) {
    this.#object = object;
    this.#learned = learnedAddresses(inventory);
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
      if (row.record.direction === undefined) this.#hold(row.record);
      else this.ready.push(...sightings(row.record));
    } else {
      this.#cover(row.scope, row, row.status === 'SKIPDATA' ? 'lost' : 'seen');
    }
  }

  /** There is enough to be put into the engine. */
  get isMuch(): boolean {
    return this.ready.length >= atOnce || this.hours.size >= heldAtMost;
  }

  /** Adds what `close` could not: a row without a direction, when whose address is whose is known. */
  addUnclear(row: ParsedRow): void {
    if (row.kind !== 'record' || row.repeats || row.record.direction !== undefined) return;
    this.ready.push(...sightings(row.record, this.#learned.own(row.record)));
  }

  /** What is ready, and nothing of it again. */
  take(): Appended[] {
    const rows = this.ready;
    this.ready = [];
    return rows.map((sighting) => ({ sighting, object: this.#object }));
  }

  takeHours(): Hour[] {
    const hours = [...this.hours.values()];
    this.hours.clear();
    return hours;
  }

  /** False: rows without a direction were too many to be held, and must be read once more. */
  close(): boolean {
    for (const record of this.#unclear ?? []) this.ready.push(...sightings(record, this.#learned.own(record)));
    return this.#unclear !== undefined;
  }

  #hold(record: FlowRecord): void {
    this.#learned.learn(record);
    if (this.#unclear?.push(record) === heldAtMost) this.#unclear = undefined;
  }

  #cover(
    scope: string | undefined,
    { start, end }: { readonly start?: Instant | undefined; readonly end?: Instant | undefined },
    state: 'seen' | 'lost',
  ): void {
    const last = end ?? start;
    if (scope === undefined || last === undefined) return;
    this.#scopes.add(scope);
    if (this.#scopes.size > most.interfaces) throw tooMuch(`it names more than ${most.interfaces} interfaces`);
    for (const at of hoursOf(start ?? last, last)) {
      const key = `${state} ${at} ${scope}`;
      if (this.hours.has(key)) continue;
      this.hours.set(key, { scope, hour: at, state, object: this.#object });
      this.#hours += 1;
    }
    if (this.#hours > heldAtMost + 2 * this.records) throw tooMuch('its rows are of more hours than they can be');
  }
}

function tooMuch(what: string): LockkeeperError {
  return new LockkeeperError('invalid', `${what}, which is no flow log`, {
    hint: 'Find out who put it there, and fetch the object again.',
  });
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

async function cover(engine: Engine, hours: readonly Hour[]): Promise<number> {
  if (hours.length === 0) return 0;
  const appender = await engine.connection.createAppender('parsed_hours');
  for (const { scope, hour: at, state, object } of hours) {
    appender.appendVarchar(scope);
    appender.appendBigInt(BigInt(at));
    appender.appendVarchar(state);
    appender.appendInteger(object);
    appender.endRow();
  }
  appender.closeSync();
  return hours.length;
}
