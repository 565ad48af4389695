import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DuckDBInstance, type DuckDBConnection, type Json } from '@duckdb/node-api';

/** How much of the machine one read may take. */
export interface EngineLimits {
  /** Default: all cores. */
  readonly threads?: number | undefined;
  /** As DuckDB writes it; default 320MB, which keeps the whole process under 600 MB. */
  readonly memory?: string | undefined;
}

/** One embedded DuckDB and a scratch directory, both gone when the work is done. */
export interface Engine {
  readonly connection: DuckDBConnection;
  readonly scratch: string;
  /** Runs one statement. */
  run(sql: string): Promise<void>;
  /** Runs one query and gives its rows; 64-bit integers are texts, lists and structs their JSON. */
  rows(sql: string): Promise<readonly (readonly Cell[])[]>;
  /** The same, some rows at a time. */
  rowsInParts(sql: string): AsyncIterable<readonly (readonly Cell[])[]>;
  /**
   * Another name of the file, in the scratch directory, for use in SQL: DuckDB takes `*`, `?`, `[` and `=` in a path for
   * more than letters.
   */
  link(path: string): Promise<string>;
}

/** One value of a row. */
export type Cell = string | number | boolean | null;

/** Opens an engine, does `work`, closes everything, also where the work fails. */
export async function withEngine<T>(limits: EngineLimits, work: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = await openEngine(limits);
  try {
    return await work(engine);
  } finally {
    await engine.close();
  }
}

/** Opens an engine; whoever does has to close it. */
export async function openEngine(limits: EngineLimits): Promise<Engine & { close(): Promise<void> }> {
  const scratch = await mkdtemp(join(tmpdir(), 'lockkeeper-flows-'));
  const instance = await DuckDBInstance.create(':memory:', settings(limits, scratch));
  const connection = await instance.connect();
  let links = 0;
  return {
    connection,
    scratch,
    run: async (sql) => {
      await connection.run(sql);
    },
    rows: async (sql) => (await connection.runAndReadAll(sql)).getRowsJson().map((row) => row.map(cellOf)),
    async *rowsInParts(sql) {
      const result = await connection.stream(sql);
      for await (const rows of result.yieldRowsJson()) yield rows.map((row) => row.map(cellOf));
    },
    async link(path) {
      links += 1;
      const link = join(scratch, `${links}.link`);
      await symlink(resolve(path), link);
      return link;
    },
    async close() {
      connection.closeSync();
      instance.closeSync();
      await rm(scratch, { recursive: true, force: true });
    },
  };
}

function cellOf(value: Json): Cell {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
}

/** A text as an SQL literal. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A name as an SQL identifier. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function settings({ threads, memory = '320MB' }: EngineLimits, scratch: string): Record<string, string> {
  return {
    ...(threads === undefined ? {} : { threads: String(threads) }),
    memory_limit: memory,
    temp_directory: join(scratch, 'spill'),
    max_temp_directory_size: '8GB',
    preserve_insertion_order: 'false',
    ieee_floating_point_ops: 'false',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  };
}
