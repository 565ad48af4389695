import { LockkeeperError } from '../../base/error.ts';
import type { ObjectStore } from '../../objects/contract.ts';
import type { SignedCheckpoint } from '../sealing/checkpoints.ts';
import { verifierKeyKey } from '../layout.ts';
import { tilesCheckpoint, type TiledLog } from './tiled-log.ts';
import { csvTable } from './csv.ts';
import { earlierExport } from './earlier.ts';
import type { ExportFolder } from './folder.ts';
import { ocsfTables } from './ocsf-parquet.ts';
import { writeTables, type LeftOut, type Table } from './tables.ts';
import { exportTiles, sweepTiles } from './tiles.ts';

/** What an export can hold: plain tlog-tiles, OCSF events as Parquet, one CSV file for a spreadsheet. */
export const exportFormats = ['tiles', 'parquet', 'csv'] as const;
export type ExportFormat = (typeof exportFormats)[number];

export interface ExportOptions {
  readonly tiles: TiledLog;
  /** Where the evidence of the log lies. */
  readonly log: ObjectStore;
  readonly folder: ExportFolder;
  readonly formats: readonly ExportFormat[];
  /** How many threads verify. */
  readonly threads?: number;
}

/** What was exported. */
export interface ExportReport {
  /** How many entries the export holds. */
  readonly size: number;
  /** How many of them were there as tiles before. */
  readonly earlier: number;
  /** Its files, folders with a "/" at their end. */
  readonly files: readonly string[];
  /** Entries that no table has, as this version cannot read them; the tiles have all. */
  readonly leftOut: LeftOut;
}

/**
 * Writes what the newest checkpoint covers to a directory:
 *
 *     log.vkey        first; it says whose export this is
 *     tile/           the tiles and entry bundles of exactly that size
 *     evidence/       facts that verdicts rest on
 *     ocsf/, entries.csv
 *     checkpoint      last, once all of the above was verified against it
 *
 * It goes on from an export of an earlier checkpoint, and from one that died; repeating it changes nothing. Tables are
 * made anew each time, tiles are only added to. Before the checkpoint is there the directory is an export of the
 * earlier one, or none. Errors: those of the stores, `invalid` for a directory that is no export of this log,
 * `conflict` where what was to be exported is not what was signed, and where another export to the same directory began
 * meanwhile: the last one to begin goes on.
 */
export async function exportLog(options: ExportOptions): Promise<ExportReport> {
  const { tiles, folder } = options;
  // Looked at before anything is touched there, and again once nobody else writes there.
  await earlierExport(tiles, folder);
  try {
    await folder.begin();
    const earlier = await earlierExport(tiles, folder);
    await folder.put(verifierKeyKey, Buffer.from(`${tiles.verifierKey}\n`));
    return options.formats.includes('tiles') ? await exportAll(options, earlier) : await exportTables(tiles, options);
  } finally {
    await folder.end();
  }
}

async function exportAll(options: ExportOptions, earlier: SignedCheckpoint | undefined): Promise<ExportReport> {
  const { tiles, folder } = options;
  const folders = await exportTiles({ ...options, earlier });
  const tables = await exportTables({ ...tiles, tile: (path) => exported(folder, path) }, options);
  await folder.put(tilesCheckpoint, Buffer.from(tiles.checkpoint.note));
  await folder.settle();
  await sweepTiles(folder, tiles.checkpoint.size);
  return {
    ...tables,
    earlier: earlier?.size ?? 0,
    files: [tilesCheckpoint, verifierKeyKey, ...folders, ...tables.files],
  };
}

/** The tables alone, all of which are durable on return. */
async function exportTables(tiles: TiledLog, { folder, formats }: ExportOptions): Promise<ExportReport> {
  const tables: Table[] = [];
  if (formats.includes('csv')) tables.push(await csvTable(folder));
  if (formats.includes('parquet')) tables.push(ocsfTables(folder));
  const nothing = { files: [], leftOut: { count: 0, first: [] } };
  const written = tables.length === 0 ? nothing : await writeTables(tiles, tables);
  await folder.settle();
  return { size: tiles.checkpoint.size, earlier: 0, ...written };
}

async function exported(folder: ExportFolder, path: string): Promise<Uint8Array> {
  const stored = await folder.objects.get(path);
  if (stored) return stored.bytes;
  throw new LockkeeperError('conflict', `${path} went away from ${folder.where} while it was exported`, {
    hint: 'Let nobody else write there, and run it again.',
  });
}
