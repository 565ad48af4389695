import { brokenFile, openedFile } from './content.ts';
import { identifier, literal, openEngine, type Cell, type Engine } from './engine.ts';
import { awsRowOf, headerTrouble } from './formats/aws-vpc-lines.ts';
import { most, mostRows, mostUnpacked } from './limits.ts';
import { LockkeeperError } from '../base/error.ts';
import type { AwsShape } from './formats/aws-vpc.ts';
import type { ParsedRow } from './contract.ts';

/** Bytes of the description at the end of a Parquet file. */
const mostFooter = 4_194_304;

/**
 * The columns of a Parquet file, from what it says of itself. Errors: `invalid` where it is none, or says that it holds
 * more than any flow log.
 */
export async function parquetShape(engine: Engine, path: string, name = path): Promise<AwsShape> {
  const { size, tail } = openedFile(name);
  const footer = tail.length === 8 && tail.subarray(4).toString('latin1') === 'PAR1' ? tail.readUInt32LE(0) : undefined;
  if (footer === undefined || footer > Math.min(size, mostFooter))
    throw brokenFile(name, 'it is no whole Parquet file');
  const [rows, unpacked] = await aboutFile(engine, path, name);
  if (!(rows >= 0 && rows <= mostRows(size))) throw brokenFile(name, `it says that it holds ${rows} rows`);
  if (!(unpacked >= 0 && unpacked <= mostUnpacked(size)))
    throw brokenFile(name, `it says that it unpacks to ${unpacked} bytes`);
  const described = await asInvalid(name, () =>
    engine.rows(`DESCRIBE SELECT * FROM read_parquet(${literal(path)}, hive_partitioning = false)`),
  );
  const columns = described.map(([column]) => String(column));
  const fields = columns.map((column) => column.replaceAll('_', '-'));
  const odd = columns.find((column) => column.length > most.nameChars || column.includes('\0'));
  const trouble = odd === undefined ? headerTrouble(fields) : 'a column has a name that no cloud writes';
  if (trouble !== undefined) throw brokenFile(name, trouble);
  return { fields, columns, encoding: 'parquet' };
}

async function aboutFile(engine: Engine, path: string, name: string): Promise<readonly [number, number]> {
  return asInvalid(name, async () => {
    const [file] = await engine.rows(`SELECT num_rows FROM parquet_file_metadata(${literal(path)})`);
    const [chunks] = await engine.rows(
      `SELECT coalesce(sum(total_uncompressed_size)::DOUBLE, 0) FROM parquet_metadata(${literal(path)})`,
    );
    return [Number(file?.[0]), Number(chunks?.[0])] as const;
  });
}

/** DuckDB's errors about a Parquet file are about the file, unless the engine is broken or the machine is short. */
async function asInvalid<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    throw parquetError(path, cause);
  }
}

/** What DuckDB says about a Parquet file, in our words. */
export function parquetError(path: string, cause: unknown): LockkeeperError {
  const said = String(cause).split('\n', 1)[0]?.slice(0, 200);
  return new LockkeeperError('invalid', `${path} cannot be read as Parquet: ${said}`, {
    cause,
    hint: 'Fetch the object again.',
  });
}

/** Every row of a Parquet file, in order. Errors: `invalid`. */
export async function* parquetRows(path: string): AsyncGenerator<ParsedRow> {
  const engine = await openEngine({ threads: 1 });
  let line = 0;
  try {
    const link = await engine.link(path);
    const { fields, columns } = await parquetShape(engine, link, path);
    const places = new Map(fields.map((field, index) => [field, index]));
    await engine.run('SET preserve_insertion_order = true');
    for await (const rows of engine.rowsInParts(textsOf(columns, link))) {
      for (const row of rows) {
        line += 1;
        yield awsRowOf((field) => valueOf(row[places.get(field) ?? -1]), fields, line);
      }
    }
  } catch (cause) {
    throw cause instanceof LockkeeperError ? cause : parquetError(path, cause);
  } finally {
    await engine.close();
  }
}

/** A value that is longer than any is cut, and then no name or number. */
function textsOf(columns: readonly string[], path: string): string {
  const texts = columns.map((column) => `left(${identifier(column)}::VARCHAR, ${most.nameChars + 1})`);
  return `SELECT ${texts.join(', ')} FROM read_parquet(${literal(path)}, hive_partitioning = false)`;
}

function valueOf(value: Cell | undefined): string | undefined {
  return value === null || value === undefined || value === '-' ? undefined : String(value);
}
