import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { literal, withEngine } from '../../shared/flow-logs/engine.ts';
import { dailyCoverage, dailyFacts } from '../../shared/flow-logs/daily.ts';
import type { ParsedRow, Table, UsageBatch } from '../../shared/flow-logs/contract.ts';
import type { KnownInterface } from '../../shared/flow-logs/own-addresses.ts';

/** The rows of a table as lists of plain values, in its order. */
export async function cellsOf(table: Table): Promise<readonly unknown[]> {
  return withEngine({ threads: 1 }, async (engine) => {
    const path = join(engine.scratch, 'read.parquet');
    await writeFile(path, table.parquet);
    const rows = await engine.rows(`SELECT * FROM read_parquet(${literal(path)})`);
    return rows.map((row) =>
      row.map((cell) => (typeof cell === 'string' && /^-?\d+$/.test(cell) ? Number(cell) : cell)),
    );
  });
}

/** Facts and coverage of a batch as plain values. */
export async function cellsOfBatch(batch: UsageBatch) {
  return { facts: await cellsOf(batch.facts), coverage: await cellsOf(batch.coverage) };
}

/** What the batch must hold, by the aggregation in TypeScript. */
export function expectedCells(rows: readonly ParsedRow[], inventory?: readonly KnownInterface[], cap?: number) {
  const facts = dailyFacts(rows, inventory, cap).map((fact) => {
    const key = [fact.day, fact.interface, fact.local, fact.protocol, fact.port, fact.kind, fact.peer ?? null];
    const ports = [fact.portLow, fact.portHigh, fact.peerPortLow, fact.peerPortHigh];
    return [...key, ...ports, fact.first, fact.last, fact.records, fact.packets, fact.bytes, fact.largest];
  });
  return { facts, coverage: dailyCoverage(rows).map(({ scope, hour, state }) => [scope, hour, state]) };
}
