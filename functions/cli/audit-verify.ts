import { availableParallelism } from 'node:os';
import type { VerifyReport } from '../../shared/audit/verify/report.ts';
import type { ExportVerifyReport, TablesPlace } from '../../shared/audit/export/check-export.ts';
import type { TrustOptions } from '../../shared/audit/verify/trust.ts';
import { verifyLog } from '../../shared/audit/verify/verify.ts';
import type { AuditPlace, AuditDeps, AuditStores } from './audit.ts';
import { exitCode, type ExitCode, type Terminal } from './io.ts';
import { visible } from '../../shared/base/visible.ts';

/** What the wiring provides besides. */
export interface VerifyDeps extends AuditDeps {
  /** Where the tables of an export are compared; undefined where it lies in no directory. To be removed afterwards. */
  tables(stores: AuditStores): Promise<(TablesPlace & { remove(): Promise<void> }) | undefined>;
}

export interface AuditVerifyOptions extends AuditPlace {
  /**
   * A file with a checkpoint of this log that was saved earlier, with words around it or none: the log must go on from
   * it.
   */
  readonly since?: string | undefined;
  /** The verifier key to trust, NAME+ID+KEY. */
  readonly key?: string | undefined;
  /** Verifier keys of witnesses, instead of the configured ones: each must have cosigned. */
  readonly witness?: readonly string[] | undefined;
}

/**
 * Proves that nobody changed the log: one line a finding, or one object {entries, ok, findings, …} as JSON. Exit code 1
 * if anything was changed, or too few witnesses cosigned. Reads every byte; needs no network for a log in files.
 */
export async function auditVerifyVerb(
  options: AuditVerifyOptions,
  deps: VerifyDeps,
  terminal: Terminal,
): Promise<ExitCode> {
  const stores = await deps.stores(options);
  const since = options.since === undefined ? undefined : await deps.text(options.since);
  const trustedWitnesses =
    options.witness === undefined
      ? stores.trustedWitnesses
      : { keys: options.witness, needed: new Set(options.witness).size };
  const trust = {
    verifierKey: options.key ?? stores.verifyWith,
    since,
    trustedWitnesses,
    threads: availableParallelism(),
  };
  const { writer, ...places } = stores;
  const writerKey = writer && (async () => writer.key);
  const report =
    stores.kind === 'tiles' ? await ofExport(stores, trust, deps) : await verifyLog({ ...places, ...trust, writerKey });
  if (terminal.json) terminal.out(jsonOf(report));
  else for (const line of told(report, stores)) terminal.out(line);
  return report.ok ? exitCode.done : exitCode.failed;
}

async function ofExport(stores: AuditStores, trust: TrustOptions, deps: VerifyDeps): Promise<ExportVerifyReport> {
  const { verifyExport } = await import('../../shared/audit/export/check-export.ts');
  const place = await deps.tables(stores);
  try {
    return await verifyExport({ store: stores.log, ...trust, place });
  } finally {
    await place?.remove();
  }
}

function jsonOf({ checkpoint, ...report }: VerifyReport): string {
  return JSON.stringify({
    ...report,
    checkpoint: checkpoint?.note ?? null,
    verifierKey: report.verifierKey ?? null,
    witnesses: report.witnesses ?? null,
  });
}

function told(report: VerifyReport | ExportVerifyReport, stores: AuditStores): readonly string[] {
  const { findings, found, entries } = report;
  const lines = findings.map(
    ({ key, index, what }) => `${visible(key)}${index === undefined ? '' : ` (entry ${index})`} ${visible(what)}`,
  );
  if (found > findings.length) lines.push(`and ${found - findings.length} more`);
  const read = `${stores.where}: ${entries} ${entries === 1 ? 'entry' : 'entries'}`;
  if (found > 0) return [...lines, `${read}, ${wrong(report)}`];
  const whole = `${read}, none changed${endOf(report, stores)}`;
  const standing = open(report, stores.writer !== undefined);
  return [whole, ...vouched(report), ...cosigned(report), ...standing, ...compared(report)];
}

/** What waits without a proof changed nothing that was written. */
function wrong({ findings, found }: VerifyReport | ExportVerifyReport): string {
  const unproven = findings.filter(({ kind }) => kind === 'unproven').length;
  if (unproven < found) return `${found === 1 ? 'one thing was' : `${found} things were`} changed`;
  return `none changed; ${unproven === 1 ? 'one object that nobody is known to have written stays' : `${unproven} objects that nobody is known to have written stay`} outside`;
}

function compared(report: VerifyReport | ExportVerifyReport): readonly string[] {
  if (!('tables' in report)) return [];
  const { compared: same, left } = report.tables;
  return [
    ...(same.length > 0 ? [`${same.join(', ')}: as the entries say`] : []),
    ...(left.length > 0
      ? [`${left.join(', ')}: not compared with the entries; copy the export to a directory, and give --dir`]
      : []),
  ];
}

/** What can be said about entries that were cut off the end. */
function endOf({ size, entries, published }: VerifyReport, { kind, state }: AuditStores): string {
  if (kind === 'tiles') return `, all ${size} that were signed`;
  if (!state) return '; whether any were cut off the end cannot be told without the state store';
  if (published !== undefined || entries === 0) return ', none cut off';
  return '; the state store knows of no published checkpoint, so whether any were cut off the end cannot be told';
}

function vouched({ verifierKey, isKeyGiven, checkpoint }: VerifyReport): readonly string[] {
  if (!checkpoint || verifierKey === undefined) return [];
  const trusted = isKeyGiven ? '' : ', a key that came with the log: compare it with the one you were given';
  return [`signed up to entry ${checkpoint.size - 1} by ${visible(verifierKey)}${trusted}`];
}

function cosigned({ witnesses }: VerifyReport): readonly string[] {
  if (!witnesses) return [];
  const { size, cosigned: names, missing, needed, isEnough } = witnesses;
  const wanted = isEnough ? '' : `, and ${needed} must`;
  if (size === 0) return [`nothing is signed that witnesses could have cosigned${wanted}`];
  const without = missing.length === 0 ? '' : `; not by ${visible(missing.join(', '))}`;
  return [
    `cosigned up to entry ${size - 1} by ${names.length} of ${names.length + missing.length} witnesses${wanted}${without}`,
  ];
}

function open({ waiting, runs, size, entries }: VerifyReport, hasWriter: boolean): readonly string[] {
  const unsigned = Math.max(0, entries - size);
  return [
    ...(unsigned > 0 ? [`${unsigned} entries have their place and are not signed yet`] : []),
    ...(waiting.batches > 0
      ? [
          `${waiting.batches} ${waiting.batches === 1 ? 'object waits' : 'objects wait'} in the inbox since ${waiting.since}; the next run puts them into the tree`,
          ...(hasWriter ? [] : ['who wrote what waits was not checked: that takes the writer key (--writer-key FILE)']),
        ]
      : []),
    ...(runs.open > 0 ? [`${runs.open} of ${runs.began} runs have no end: they go on, or were killed`] : []),
  ];
}
