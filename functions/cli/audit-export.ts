import { availableParallelism } from 'node:os';
import { exportFormats, exportLog, type ExportFormat, type ExportReport } from '../../shared/audit/export/export.ts';
import type { ExportFolder } from '../../shared/audit/export/folder.ts';
import type { TiledLog } from '../../shared/audit/export/tiled-log.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { tilesOf, unsealed, type AuditPlace, type AuditDeps, type AuditStores } from './audit.ts';
import { exitCode, type ExitCode, type Terminal } from './io.ts';
import { visible } from '../../shared/base/visible.ts';

/** What the wiring provides besides. */
export interface ExportDeps extends AuditDeps {
  /** The directory to export to; `invalid` where it lies within the log or its state store, by whatever links. */
  folder(out: string, log: Pick<AuditStores, 'where' | 'stateWhere'>): Promise<ExportFolder>;
}

export interface AuditExportOptions extends AuditPlace {
  /** One of exportFormats; all of them where it is left out. */
  readonly format?: string | undefined;
  /** The verifier key to trust, NAME+ID+KEY. */
  readonly key?: string | undefined;
}

/**
 * `lockkeeper audit export OUT`: everything the newest checkpoint covers, as files for auditors, verified before it
 * says so. OUT is empty, or an export of the same log, which is added to. JSON: {out, origin, size, earlier, files,
 * waiting, verifierKey}. Repeatable.
 */
export async function auditExportVerb(
  { out, ...options }: AuditExportOptions & { readonly out: string },
  deps: ExportDeps,
  terminal: Terminal,
): Promise<ExitCode> {
  const formats = formatsOf(options.format);
  const stores = await deps.stores(options);
  const tiles = await tilesOf(stores, options.key);
  const folder = await deps.folder(out, stores);
  const report = await exportLog({ tiles, log: stores.log, folder, formats, threads: availableParallelism() });
  const waiting = await unsealed(stores, report.size);
  const { verifierKey, checkpoint } = tiles;
  if (terminal.json)
    terminal.out(JSON.stringify({ out: folder.where, origin: checkpoint.origin, ...report, waiting, verifierKey }));
  else
    for (const line of told(report, tiles, {
      where: folder.where,
      isTrusted: (options.key ?? stores.verifyWith) !== undefined,
    }))
      terminal.out(visible(line));
  const { count, first } = report.leftOut;
  if (count > 0)
    terminal.err(
      `${counted(count)} of the log ${count === 1 ? 'is' : 'are'} in no table, for this version cannot read ${count === 1 ? 'it' : 'them'}: ${first.join(', ')}${count > first.length ? ', …' : ''}`,
    );
  if (waiting > 0)
    terminal.err(
      `${waiting} more ${waiting === 1 ? 'entry waits' : 'entries wait'} for a place in the tree: run \`lockkeeper audit seal\`, and export again.`,
    );
  return exitCode.done;
}

function formatsOf(format: string | undefined): readonly ExportFormat[] {
  const formats = exportFormats.filter((one) => format === undefined || format === 'all' || format === one);
  if (formats.length > 0) return formats;
  throw new LockkeeperError('invalid', `${JSON.stringify(format)} is no format of an export`, {
    hint: `Give --format ${exportFormats.join(', ')} or all.`,
  });
}

function told(
  { size, earlier, files }: ExportReport,
  { checkpoint, verifierKey }: TiledLog,
  { where, isTrusted }: { readonly where: string; readonly isTrusted: boolean },
): readonly string[] {
  const added = earlier === 0 ? '' : earlier === size ? ', nothing new' : `, ${size - earlier} of them new`;
  const trusted = isTrusted ? '' : ', a key that came with the log: compare it with the one you were given';
  return [
    `${where}: ${counted(size)} of ${checkpoint.origin}${added}, verified against the checkpoint`,
    `holds ${files.join(', ')}`,
    `signed by ${verifierKey}${trusted}`,
  ];
}

function counted(entries: number): string {
  return `${entries} ${entries === 1 ? 'entry' : 'entries'}`;
}
