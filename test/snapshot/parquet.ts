import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

/** Rewrites every gzip object below `directory` as Parquet, the way AWS names and types its columns. */
export async function asParquet(directory: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    for (const entry of await readdir(directory, { recursive: true })) {
      if (!entry.endsWith('.log.gz')) continue;
      const path = join(directory, entry);
      const read = `read_csv('${path}', delim = ' ', header = true, all_varchar = true, quote = '', escape = '')`;
      const columns = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${read}`);
      const names = (columns.getColumns()[0] ?? []).map(String);
      const select = names.map((name) => `${typed(name)} AS "${name.replaceAll('-', '_')}"`).join(', ');
      await connection.run(
        `COPY (SELECT ${select} FROM ${read}) TO '${path.replace(/\.log\.gz$/, '.log.parquet')}' (FORMAT parquet, COMPRESSION gzip)`,
      );
      await rm(path);
    }
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

const types = new Map([
  ['INTEGER', ['version', 'srcport', 'dstport', 'protocol', 'tcp-flags', 'traffic-path']],
  ['BIGINT', ['packets', 'bytes', 'start', 'end']],
]);

function typed(name: string): string {
  const type = [...types].find(([, names]) => names.includes(name))?.[0];
  return type === undefined ? `"${name}"` : `try_cast(nullif("${name}", '-') AS ${type})`;
}
