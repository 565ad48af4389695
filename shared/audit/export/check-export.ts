import { hasCode } from '../../base/error.ts';
import { verifierKeyKey } from '../layout.ts';
import { tampered } from '../tampered.ts';
import type { VerifyReport } from '../verify/report.ts';
import type { TrustOptions } from '../verify/trust.ts';
import { verifyTiles, type VerifiedTiles } from '../verify/verify.ts';
import type { ObjectStore } from '../../objects/contract.ts';
import { csvTable } from './csv.ts';
import { checkExportFiles, csvPath } from './export-files.ts';
import type { ExportFolder } from './folder.ts';
import type { TiledLog } from './tiled-log.ts';
import { writeTables, type Table } from './tables.ts';

/** The tables of an export, to be compared with those that are derived again. */
export interface TablesPlace {
  /** An empty directory for tables that are derived again; nobody else writes there. */
  readonly scratch: ExportFolder;
  /** The first byte at which the file of the export differs from the derived one; undefined where they are the same. */
  firstDifference(path: string): Promise<number | undefined>;
  /** How many lines of the derived file end before this byte. */
  linesBefore(path: string, byte: number): Promise<number>;
}

/** What verifying an export came to. */
export interface ExportVerifyReport extends VerifyReport {
  /** Tables that were compared with the entries, and those that were not, for they do not lie in a directory. */
  readonly tables: { readonly compared: readonly string[]; readonly left: readonly string[] };
}

/**
 * Verifies a directory that `audit export` or another log made: its tiles, as verifyTiles does; that no file lies there
 * which no export writes; and each table, byte by byte, against the one that is derived from the signed entries again.
 * Whatever differs is a finding, whoever wrote it: nothing in a table tells who did.
 */
export async function verifyExport({
  place,
  ...options
}: TrustOptions & {
  readonly store: ObjectStore;
  /** Undefined where the files are not in a directory: then tables are not compared, which is told. */
  readonly place: TablesPlace | undefined;
}): Promise<ExportVerifyReport> {
  let tables: readonly string[] = [];
  const report = await verifyTiles({
    ...options,
    alsoCheck: async (verified) => {
      tables = await checkExportFiles(verified);
      if (place && tables.length > 0) await checkTables(verified, { place, tables });
    },
  });
  return { ...report, tables: place ? { compared: tables, left: [] } : { compared: [], left: tables } };
}

interface Tables {
  readonly place: TablesPlace;
  readonly tables: readonly string[];
}

async function checkTables(verified: VerifiedTiles, { place, tables }: Tables): Promise<void> {
  const { note } = verified;
  const derived = await derive(verified, { place, tables });
  if ('why' in derived) {
    for (const key of tables)
      note({ key, kind: 'changed', what: `cannot be compared with the signed entries: ${derived.why}` });
    return;
  }
  for (const key of derived.paths.filter((path) => !tables.includes(path)))
    note({ key, kind: 'missing', what: 'is missing: other tables of these entries are there' });
  for (const key of tables)
    if (derived.paths.includes(key)) await compare(verified, place, key);
    else note({ key, kind: 'foreign', what: 'is a table of which the log has no entry' });
}

async function compare({ note, size }: VerifiedTiles, place: TablesPlace, key: string): Promise<void> {
  const what = 'was changed: it is not what this version of lockkeeper derives from the signed entries';
  try {
    const byte = await place.firstDifference(key);
    if (byte === undefined) return;
    const line = key === csvPath ? await place.linesBefore(key, byte) : 0;
    // The first line names the columns.
    note({ key, kind: 'changed', what, ...(line > 0 && line <= size ? { index: line - 1 } : {}) });
  } catch (thrown) {
    if (!hasCode(thrown, 'conflict') && !hasCode(thrown, 'denied')) throw thrown;
    note({ key, kind: 'unreadable', what: `cannot be read: ${thrown.message}` });
  }
}

/** The tables of those formats that are there, made anew in the scratch directory; why not, where that cannot be. */
async function derive(
  { store, checkpoint, verifierKey }: VerifiedTiles,
  { place: { scratch }, tables }: Tables,
): Promise<{ readonly paths: readonly string[] } | { readonly why: string }> {
  if (!checkpoint || verifierKey === undefined) return { why: 'no checkpoint counts' };
  const tile = async (path: string) => {
    const stored = await store.get(path);
    if (stored) return stored.bytes;
    throw tampered(`${path} is gone`);
  };
  const tiles: TiledLog = { verifierKey, checkpoint, tile };
  try {
    await scratch.begin();
    await writeTables(tiles, await wanted(scratch, tables));
  } catch (thrown) {
    if (hasCode(thrown, 'conflict') || hasCode(thrown, 'unsupported') || hasCode(thrown, 'invalid'))
      return { why: thrown.message };
    throw thrown;
  } finally {
    await scratch.end();
  }
  const paths: string[] = [];
  for await (const { key } of scratch.objects.list('')) if (key !== verifierKeyKey) paths.push(key);
  return { paths };
}

async function wanted(scratch: ExportFolder, tables: readonly string[]): Promise<readonly Table[]> {
  const made: Table[] = [];
  if (tables.includes(csvPath)) made.push(await csvTable(scratch));
  if (tables.some((path) => path !== csvPath)) made.push((await import('./ocsf-parquet.ts')).ocsfTables(scratch));
  return made;
}
