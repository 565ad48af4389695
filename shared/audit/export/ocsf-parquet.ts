import { DuckDBInstance } from '@duckdb/node-api';
import { canonicalJson, type Plain } from '../../base/canonical.ts';
import { LockkeeperError } from '../../base/error.ts';
import type { Draft, ExportFolder } from './folder.ts';
import type { Row, Table } from './tables.ts';

/**
 * `ocsf/class_uid=N/entries.parquet`: the events of one OCSF class a file, as Amazon Security Lake takes them, with
 * OCSF's names and nested structs, `time` in milliseconds, and `unmapped` as JSON text; `index` besides. Rows are
 * gathered in files: nothing stays in memory.
 */
export function ocsfTables(folder: ExportFolder): Table {
  const classes = new Map<number, Draft>();
  return {
    async add(rows) {
      for (const [uid, some] of Map.groupBy(rows.map(ocsfRow), ({ class_uid }) => class_uid)) {
        const draft = classes.get(uid) ?? (await folder.draft());
        classes.set(uid, draft);
        await draft.append(some.map(({ line }) => line).join(''));
      }
    },
    async end() {
      for (const [uid, rows] of [...classes].toSorted(([a], [b]) => a - b)) {
        const parquet = await folder.draft();
        await writeParquet(rows.file, { file: parquet.file, columns: columnsOf(uid) });
        await parquet.keep(`ocsf/class_uid=${uid}/entries.parquet`);
        await rows.drop();
      }
      return 'ocsf/';
    },
  };
}

interface OcsfRow {
  readonly class_uid: number;
  /** One line of JSON. */
  readonly line: string;
}

/** The stored entry is an OCSF event already. */
function ocsfRow({ index, bytes }: Row): OcsfRow {
  const event: unknown = JSON.parse(Buffer.from(bytes).toString());
  if (!isEvent(event))
    throw new LockkeeperError('unsupported', `no table is made of this log: entry ${index} has no OCSF class`, {
      hint: 'Export --format tiles.',
    });
  return {
    class_uid: event.class_uid,
    line: `${JSON.stringify({ ...event, unmapped: canonicalJson(event.unmapped), index }, wellFormed)}\n`,
  };
}

/** Half a character, which JSON can hold and a table cannot, becomes U+FFFD, as in the CSV file. */
function wellFormed(_: string, value: unknown): unknown {
  return typeof value === 'string' ? value.toWellFormed() : value;
}

/** Enough to file it; the codec has looked at the rest. */
function isEvent(value: unknown): value is { readonly class_uid: number; readonly unmapped: Plain } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'class_uid' in value &&
    typeof value.class_uid === 'number' &&
    'unmapped' in value
  );
}

const product = 'STRUCT("name" VARCHAR, vendor_name VARCHAR)';

/** What every entry has; see ocsf.ts and codec.ts. */
const everyClass = {
  index: 'BIGINT',
  time: 'BIGINT',
  category_uid: 'INTEGER',
  class_uid: 'INTEGER',
  activity_id: 'INTEGER',
  activity_name: 'VARCHAR',
  type_uid: 'BIGINT',
  severity_id: 'INTEGER',
  status_id: 'INTEGER',
  status: 'VARCHAR',
  status_detail: 'VARCHAR',
  message: 'VARCHAR',
  actor: 'STRUCT("user" STRUCT("name" VARCHAR))',
  metadata: `STRUCT(uid VARCHAR, "sequence" BIGINT, correlation_uid VARCHAR, log_name VARCHAR, product ${product}, profiles VARCHAR[], "version" VARCHAR)`,
};

/** What a class has besides. */
const byClass: Readonly<Record<number, Readonly<Record<string, string>> | undefined>> = {
  3004: { entity: 'STRUCT("type" VARCHAR, uid VARCHAR)' },
  6002: { app: product },
  7004: { command_uid: 'VARCHAR', connection_info: 'STRUCT(direction_id INTEGER)' },
};

function columnsOf(uid: number): string {
  const columns = Object.entries({ ...everyClass, ...byClass[uid], unmapped: 'VARCHAR' });
  return columns.map(([name, type]) => `"${name}": '${type}'`).join(', ');
}

async function writeParquet(
  rows: string,
  { file, columns }: { readonly file: string; readonly columns: string },
): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', settings);
  const connection = await instance.connect();
  try {
    await connection.run(
      `COPY (FROM read_json(${literal(rows)}, format = 'newline_delimited', columns = {${columns}})) TO ${literal(file)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480)`,
    );
  } catch (cause) {
    throw new LockkeeperError('unreachable', `${file} could not be written as Parquet`, {
      cause,
      hint: 'Look at the space on its disk, and that no other export writes there; then run it again.',
    });
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/**
 * One thread streams rows in their order; several would hold back what comes too early, and need more the longer the
 * log is.
 */
const settings = {
  memory_limit: '256MB',
  threads: '1',
  temp_directory: '',
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
};

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
