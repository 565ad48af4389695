import { hour } from '../base/time.ts';
import { dailyCoverage, dailyFacts } from './daily.ts';
import { withEngine, type Engine } from './engine.ts';
import { tableOf } from './tables.ts';
import type { Cloud } from '../base/cloud.ts';
import { plausible } from './limits.ts';
import {
  anyTime,
  type CoverageFact,
  type Fact,
  type FlowLog,
  type LogObject,
  type ParsedRow,
  type UsageBatch,
  type Within,
} from './contract.ts';
import type { KnownInterface } from './own-addresses.ts';

/** One object of a memory flow log; `unreadable` makes it one that cannot be read, and says why. */
export interface MemoryObject extends LogObject {
  readonly rows: readonly ParsedRow[];
  readonly unreadable?: string | undefined;
}

export interface MemoryFlowLogOptions {
  readonly name: string;
  readonly cloud: Cloud;
  readonly interfaces?: readonly KnownInterface[];
  readonly peerCap?: number;
  readonly settleMs?: number;
}

/**
 * A flow log whose objects are in `objects`, which may be changed at any time. It aggregates in TypeScript (daily.ts),
 * so it is also what the other drivers are compared with.
 */
export function memoryFlowLog(options: MemoryFlowLogOptions, objects: Map<string, MemoryObject>): FlowLog {
  const { name, cloud, settleMs = hour } = options;
  return {
    describe: () => ({ name, cloud, sampled: cloud === 'gcp', settleMs }),
    async *objects(after = '') {
      const keys = [...objects.keys()].filter((key) => key > after);
      for (const key of keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
        const found = objects.get(key);
        if (found) yield { key, size: found.size, version: found.version, ends: found.ends };
      }
    },
    async *records({ key }) {
      yield* objects.get(key)?.rows ?? [];
    },
    usage: (wanted, within = anyTime) =>
      withEngine({ threads: 1 }, (engine) =>
        usage(
          engine,
          options,
          wanted.map(({ key, version }) => ({ key, version, found: plausibleRows(objects.get(key), within) })),
        ),
      ),
  };
}

function plausibleRows(found: MemoryObject | undefined, within: Within): MemoryObject | undefined {
  return found && { ...found, rows: found.rows.map((row) => plausible(row, within)) };
}

interface Wanted {
  readonly key: string;
  readonly version: string;
  readonly found: MemoryObject | undefined;
}

async function usage(
  engine: Engine,
  { interfaces, peerCap }: MemoryFlowLogOptions,
  wanted: readonly Wanted[],
): Promise<UsageBatch> {
  const rows = wanted.flatMap(({ found }) => (found && found.unreadable === undefined ? found.rows : []));
  await engine.run(`CREATE TABLE facts (place INTEGER, day VARCHAR, interface VARCHAR, local VARCHAR, protocol INTEGER, port INTEGER, kind VARCHAR,
    peer VARCHAR, port_low INTEGER, port_high INTEGER, peer_port_low INTEGER, peer_port_high INTEGER, first BIGINT, last BIGINT,
    records BIGINT, packets BIGINT, bytes BIGINT, largest DOUBLE)`);
  await engine.run('CREATE TABLE coverage (place INTEGER, scope VARCHAR, hour BIGINT, state VARCHAR)');
  await fill(engine, 'facts', dailyFacts(rows, interfaces, peerCap).map(factCells));
  await fill(engine, 'coverage', dailyCoverage(rows).map(coverageCells));
  return {
    facts: await tableOf(engine, 'SELECT * EXCLUDE (place) FROM facts ORDER BY place'),
    coverage: await tableOf(engine, 'SELECT * EXCLUDE (place) FROM coverage ORDER BY place'),
    objects: wanted.map(({ key, version, found }) => ({ key, version, ...countOf(found) })),
  };
}

function countOf(found: MemoryObject | undefined) {
  const unreadable = found ? found.unreadable : 'it is not there any more';
  const malformed = found?.rows.filter(({ kind }) => kind === 'malformed').length ?? 0;
  if (unreadable !== undefined) return { records: 0, malformed: 0, unreadable };
  return { records: (found?.rows.length ?? 0) - malformed, malformed, unreadable };
}

type Cell = string | number | undefined;

function factCells(fact: Fact): readonly Cell[] {
  const ports = [fact.portLow, fact.portHigh, fact.peerPortLow, fact.peerPortHigh];
  const key = [fact.day, fact.interface, fact.local, fact.protocol, fact.port, fact.kind, fact.peer];
  return [...key, ...ports, fact.first, fact.last, fact.records, fact.packets, fact.bytes, fact.largest];
}

function coverageCells({ scope, hour: at, state }: CoverageFact): readonly Cell[] {
  return [scope, at, state];
}

async function fill(engine: Engine, table: string, rows: readonly (readonly Cell[])[]): Promise<void> {
  for (let at = 0; at < rows.length; at += 500) {
    const values = rows
      .slice(at, at + 500)
      .map((cells, index) => `(${[at + index, ...cells].map(literalOf).join(', ')})`);
    await engine.run(`INSERT INTO ${table} VALUES ${values.join(', ')}`);
  }
}

/** With an exponent, or DuckDB reads a fraction as a decimal of fewer digits. */
function literalOf(cell: Cell): string {
  if (cell === undefined) return 'NULL';
  if (typeof cell === 'number') return Number.isInteger(cell) ? String(cell) : `${cell}e0`;
  return `'${cell.replaceAll("'", "''")}'`;
}
