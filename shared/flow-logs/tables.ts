import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { coverageOf, factsOf } from './aggregate.ts';
import { literal, type Engine } from './engine.ts';
import type { Table } from './contract.ts';

/**
 * Facts and coverage of everything that was read into the groups, each as one file. The same groups give the same
 * bytes.
 */
export async function tablesOf(engine: Engine, cap?: number): Promise<{ facts: Table; coverage: Table }> {
  return { facts: await tableOf(engine, factsOf(cap)), coverage: await tableOf(engine, coverageOf) };
}

/** The rows of a query as one zstd Parquet file, in the query's order. */
export async function tableOf(engine: Engine, query: string): Promise<Table> {
  const path = join(engine.scratch, 'table.parquet');
  await engine.run('SET preserve_insertion_order = true');
  await engine.run(`COPY (${query}) TO ${literal(path)} (FORMAT parquet, COMPRESSION zstd)`);
  await engine.run('SET preserve_insertion_order = false');
  const [counted] = await engine.rows(`SELECT count(*) FROM read_parquet(${literal(path)})`);
  return { parquet: await readFile(path), rows: Number(counted?.[0]) };
}
