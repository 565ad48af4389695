import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makePrivateFolder, writePrivateFile } from '../base/private-files.ts';
import { DuckDBInstance, type Json } from '@duckdb/node-api';
import { toldText } from '../audit/entries/withhold.ts';
import { asPlain, canonicalJson, sha256 } from '../base/canonical.ts';
import { LockkeeperError } from '../base/error.ts';
import { instant } from '../base/time.ts';
import type { World } from '../base/world.ts';
import type { FactKind } from '../flow-logs/contract.ts';
import type { ObjectStore } from '../objects/contract.ts';
import type { ScopeCoverage, UsageEvidence, UsageRow, Window } from './evidence.ts';
import { coverageSql, rowsSql } from './evidence-sql.ts';
import { readLedger, usageKeys, type Ledger } from './ledger.ts';

export interface EvidenceQuestion {
  readonly state: ObjectStore;
  /** Names of the flow logs whose facts count together. */
  readonly logs: readonly string[];
  readonly window: Window;
  /** Only facts of these interfaces; coverage is of all. */
  readonly interfaces?: readonly string[] | undefined;
  readonly world: World;
}

/**
 * Everything that the collected facts say, in one order: the same facts and window give the same evidence and digest.
 * Reads facts only, never a flow log. A log that was never collected has no coverage. Errors: what the store throws;
 * conflict where a collector keeps replacing batches.
 */
export async function readEvidence(question: EvidenceQuestion): Promise<UsageEvidence> {
  const { state, logs, window } = question;
  const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-evidence-'));
  try {
    const ledgers: Ledger[] = [];
    for (const log of logs) ledgers.push(await fetchTables(state, log, directory));
    const { rows, coverage } = await ask(question, {
      directory,
      isEmpty: ledgers.every(({ batches }) => batches.length === 0),
    });
    const damaged = ledgers
      .flatMap((ledger) => ledger.damaged.filter((object) => mayBeIn(object, window)).map(told))
      .toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    const sampled = ledgers.some((ledger) => ledger.sampled);
    return { window, rows, coverage, damaged, sampled, digest: sha256(canonicalJson(asPlain({ rows, coverage }))) };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Rows of a damaged object are of no later time than its name says, or than it was read. */
function mayBeIn({ until }: Ledger['damaged'][number], { from }: Window): boolean {
  return until === undefined || until >= from;
}

/** A driver's words may have bytes of the object in them, and evidence is kept as long as the log. */
function told({ key, malformed, unreadable }: Ledger['damaged'][number]): UsageEvidence['damaged'][number] {
  return { key, malformed, unreadable: unreadable === undefined ? undefined : toldText(unreadable) };
}

/** A batch may be replaced while its tables are fetched: then the ledger says so, and the fetching begins again. */
async function fetchTables(state: ObjectStore, log: string, directory: string): Promise<Ledger> {
  const place = join(directory, sha256(log).slice(0, 16));
  for (let attempt = 0; attempt < 8; attempt += 1) {
    const ledger = await readLedger(state, log);
    await rm(place, { recursive: true, force: true });
    await makePrivateFolder(place);
    if (await fetchAll(state, { log, place, ledger })) return ledger;
  }
  throw new LockkeeperError('conflict', `the usage of ${log} changed 8 times while it was read`, {
    hint: 'Run again when no collector is busy; if none is, a table of a batch is missing from the store.',
  });
}

async function fetchAll(
  state: ObjectStore,
  { log, place, ledger }: { log: string; place: string; ledger: Ledger },
): Promise<boolean> {
  const keys = usageKeys(log);
  for (const batch of ledger.batches) {
    const [facts, coverage] = await Promise.all([state.get(keys.facts(batch)), state.get(keys.coverage(batch))]);
    if (!facts || !coverage) return false;
    await writePrivateFile(join(place, `${batch}.facts.parquet`), facts.bytes, { over: 'create' });
    await writePrivateFile(join(place, `${batch}.coverage.parquet`), coverage.bytes, { over: 'create' });
  }
  return true;
}

async function ask(
  { window, interfaces }: EvidenceQuestion,
  { directory, isEmpty }: { directory: string; isEmpty: boolean },
) {
  if (isEmpty) return { rows: [], coverage: [] };
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: '320MB',
    temp_directory: join(directory, 'spill'),
  });
  const connection = await instance.connect();
  try {
    const read = async (sql: string) => (await connection.runAndReadAll(sql)).getRowsJson();
    const from = (table: string) => `read_parquet(${literal(join(directory, '*', `*.${table}.parquet`))})`;
    const rows = await read(
      rowsSql(from('facts'), window, interfaces && ["''", ...interfaces.map(literal)].join(', ')),
    );
    const coverage = await read(coverageSql(from('coverage'), window));
    return { rows: rows.map(usageRow), coverage: coverage.map(scopeCoverage) };
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

const kinds: Readonly<Record<string, FactKind>> = {
  'opened-in': 'opened-in',
  answered: 'answered',
  refused: 'refused',
  rejected: 'rejected',
  'opened-out': 'opened-out',
  in: 'in',
  out: 'out',
};

function usageRow(cells: readonly Json[]): UsageRow {
  const [place, local, protocol, port, kindName, peer, portLow, portHigh, peerPortLow, peerPortHigh, ...rest] = cells;
  const [first, last, firstInWindow, lastInWindow, days, records, packets, bytes, largest] = rest;
  const kind = kinds[textOf(kindName)];
  if (!kind)
    throw new LockkeeperError('invalid', `a fact has the kind ${JSON.stringify(kindName)}`, {
      hint: 'A newer lockkeeper wrote these facts: use that one.',
    });
  return {
    interface: textOf(place),
    local: textOf(local),
    protocol: Number(protocol),
    port: Number(port),
    kind,
    peer: peer === null || peer === undefined ? undefined : textOf(peer),
    portLow: Number(portLow),
    portHigh: Number(portHigh),
    peerPortLow: Number(peerPortLow),
    peerPortHigh: Number(peerPortHigh),
    first: instant(Number(first)),
    last: instant(Number(last)),
    firstInWindow: timeOf(firstInWindow),
    lastInWindow: timeOf(lastInWindow),
    days: textsOf(days),
    records: Number(records),
    packets: Number(packets),
    bytes: Number(bytes),
    largest: Number(largest),
  };
}

function scopeCoverage([scope, hours, lost, days, aDay, first, last, gaps]: readonly Json[]): ScopeCoverage {
  const pairs = Array.isArray(gaps) ? gaps.filter((gap) => Array.isArray(gap)) : [];
  return {
    scope: textOf(scope),
    seenHours: Number(hours),
    lostHours: Number(lost),
    seenDays: textsOf(days),
    hoursADay: Number(aDay),
    firstSeen: instant(Number(first)),
    lastSeen: instant(Number(last)),
    gaps: pairs.map(([from, to]) => ({ from: instant(Number(from)), to: instant(Number(to)) })),
  };
}

function textOf(cell: Json | undefined): string {
  if (typeof cell === 'string') return cell;
  throw new LockkeeperError('invalid', `a fact has ${JSON.stringify(cell)} where a text belongs`, {
    hint: 'A newer lockkeeper wrote these facts: use that one.',
  });
}

function timeOf(cell: Json | undefined) {
  return cell === null || cell === undefined ? undefined : instant(Number(cell));
}

function textsOf(cell: Json | undefined): readonly string[] {
  return Array.isArray(cell) ? cell.map(textOf) : [];
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
