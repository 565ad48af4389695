import type { Command } from 'commander';
import type { AuditCheckOptions } from './audit-check.ts';
import type { AuditExportOptions } from './audit-export.ts';
import type { AuditProveOptions } from './audit-prove.ts';
import { runs } from './call.ts';
import { logKeyOption, takesPlace } from './declare-place.ts';
import type { Frame } from './frame.ts';

/** `lockkeeper audit export OUT`. */
export function declareExport(audit: Command, frame: Frame): void {
  const command = takesPlace(audit.command('export'))
    .description(
      'write the log to a directory for auditors: plain tlog-tiles, OCSF Parquet, CSV; verified before it is done',
    )
    .argument('<out>', 'an empty directory, or an export of this log, which is added to')
    .option('--format <format>', 'tiles, parquet, csv, or all (default: all)')
    .option(...logKeyOption);
  runs(command, frame, async ({ configFile, terminal, words: [out = ''] }) => {
    const { auditExportVerb } = await import('./audit-export.ts');
    const { exportDeps } = await import('./audit-export-wire.ts');
    return auditExportVerb(
      { ...command.opts<AuditExportOptions>(), out },
      exportDeps(configFile, terminal.signal),
      terminal,
    );
  });
}

/** `lockkeeper audit prove ENTRY`, and `lockkeeper audit check PROOF`, which needs no log. */
export function declareProof(audit: Command, frame: Frame): void {
  const prove = takesPlace(audit.command('prove'))
    .description(
      'write a proof that an entry is in the log (c2sp.org/tlog-proof), which can be checked without the log',
    )
    .argument('<entry>', 'its index, its id, RUN/N, or the first 6 digits of its hash')
    .option('--out <file>', 'where the proof goes (default: stdout)')
    .option('--entry <file>', 'where the exact bytes of the entry go, which the proof is about')
    .option(...logKeyOption);
  runs(prove, frame, async ({ configFile, terminal, words: [wanted = ''] }) => {
    const { auditProveVerb } = await import('./audit-prove.ts');
    const { auditDeps } = await import('./audit-wire.ts');
    const { auditFiles } = await import('./audit-files.ts');
    return auditProveVerb(
      { ...prove.opts<Omit<AuditProveOptions, 'wanted'>>(), wanted },
      { ...auditDeps(configFile, terminal.signal), ...auditFiles },
      terminal,
    );
  });
  const check = audit
    .command('check')
    .description('check a proof from two files and a key alone: no log, no network; exit 1 where it proves nothing')
    .argument('<proof>', 'a file that `audit prove` wrote')
    .requiredOption('--entry <file>', 'the exact bytes of the entry')
    .option(
      '--key <key>',
      'the public key of the log, NAME+ID+KEY; once more for each witness that must have cosigned (default: audit.verifyWith of the configuration)',
      collected,
    );
  runs(check, frame, async ({ configFile, terminal, words: [proof = ''] }) => {
    const { auditCheckVerb } = await import('./audit-check.ts');
    const { auditFiles, configuredKey } = await import('./audit-files.ts');
    const { entry, key: keys = [] } = check.opts<
      Pick<AuditCheckOptions, 'entry'> & { readonly key?: AuditCheckOptions['keys'] }
    >();
    return auditCheckVerb(
      { proof, entry, keys },
      { ...auditFiles, configuredKey: () => configuredKey(configFile) },
      terminal,
    );
  });
}

/** Not as a list of words: it would take the proof for a key. */
function collected(key: string, before: readonly string[] = []): readonly string[] {
  return [...before, key];
}

/** `lockkeeper audit seal`. */
export function declareSeal(audit: Command, frame: Frame): void {
  const seal = audit
    .command('seal')
    .description(
      'put what waits into the signed tree now, as every run does at its end; exit 1 where a witness or an anchor did not take it',
    )
    .option(
      '--admit <keys...>',
      'take in batches that have no valid proof of their writer, or all of the folder of a run: you vouch for them, and the log says so',
    );
  runs(seal, frame, async ({ configFile, terminal }) => {
    const { auditSealVerb } = await import('./audit-seal.ts');
    const { accountAtTerminal } = await import('./account.ts');
    const { withDeps } = await import('./wire.ts');
    return withDeps(await configFile(), terminal, (deps) =>
      auditSealVerb(
        { ...deps, account: accountAtTerminal(), names: seal.opts<{ admit?: string[] }>().admit },
        terminal,
      ),
    );
  });
}
