import type { Command } from 'commander';
import type { AuditPlace } from './audit.ts';
import type { AuditShowOptions } from './audit-show.ts';
import type { AuditVerifyOptions } from './audit-verify.ts';
import { runs } from './call.ts';
import { declareExport, declareProof, declareSeal } from './declare-audit-files.ts';
import { logKeyOption, takesPlace } from './declare-place.ts';
import type { Frame } from './frame.ts';

/** `lockkeeper audit verify | show | export | prove | check | seal | fingerprint | recompute`. */
export function declareAudit(audit: Command, frame: Frame): void {
  const verify = takesPlace(audit.command('verify'))
    .description('prove that nobody changed the log; exit 1 where somebody did')
    .option(
      '--since <file>',
      'a checkpoint or a notice with one that you saved: the log must go on from it, and what was before is not read again',
    )
    .option(...logKeyOption)
    .option('--witness <keys...>', 'public keys of witnesses that must have cosigned, instead of the configured ones');
  runs(verify, frame, async ({ configFile, terminal }) => {
    const { auditVerifyVerb } = await import('./audit-verify.ts');
    const { auditDeps } = await import('./audit-wire.ts');
    return auditVerifyVerb(verify.opts<AuditVerifyOptions>(), auditDeps(configFile, terminal.signal), terminal);
  });
  const show = takesPlace(audit.command('show'))
    .description('print entries, oldest first')
    .option('--service <name>', 'only what is about this service')
    .option('--opening <id>', 'only what is about this opening')
    .option('--person <name>', 'only what this person did; lockkeeper itself is "lockkeeper"')
    .option('--action <name>', 'only this action, such as rotation.set, or all that begin so, such as rotation')
    .option('--run <name>', 'only what this run wrote, or runs whose names begin so')
    .option(
      '--correlation <id>',
      'only what belongs to this rotation or closing: its id or hash, or the beginning of it',
    )
    .option('--since <time>', 'from this time on, as 2026-11-22T00:00:00Z')
    .option('--until <time>', 'before this time')
    .option(...logKeyOption)
    .option('--unverified', 'print what lies there, whether or not it is what was signed');
  runs(show, frame, async ({ configFile, terminal }) => {
    const { auditShowVerb } = await import('./audit-show.ts');
    const { auditDeps } = await import('./audit-wire.ts');
    return auditShowVerb(show.opts<AuditShowOptions>(), auditDeps(configFile, terminal.signal), terminal);
  });
  declareExport(audit, frame);
  declareProof(audit, frame);
  declareSeal(audit, frame);
  declareEvidence(audit, frame);
}

/** What helps an auditor to test what entries say. */
function declareEvidence(audit: Command, frame: Frame): void {
  const fingerprint = audit
    .command('fingerprint')
    .description('print under which fingerprint the value on stdin would be in the log')
    .option('--key <file>', 'the key of the fingerprints, instead of the configured one');
  runs(fingerprint, frame, async ({ configFile, terminal }) => {
    const { auditFingerprintVerb } = await import('./audit-fingerprint.ts');
    const { fingerprintDeps } = await import('./audit-fingerprint-wire.ts');
    return auditFingerprintVerb(fingerprintDeps(fingerprint.opts<{ key?: string }>().key, configFile), terminal);
  });
  const recompute = takesPlace(audit.command('recompute'))
    .description('judge an opening again from the facts that a proposal rests on; exit 1 where the verdict is another')
    .argument('<hash>', 'of the proposal, or of an entry about it; the first digits are enough');
  runs(recompute, frame, async ({ configFile, terminal, words: [hash = ''] }) => {
    const { auditRecomputeVerb } = await import('./audit-recompute.ts');
    const { auditDeps } = await import('./audit-wire.ts');
    return auditRecomputeVerb(
      { hash, place: recompute.opts<AuditPlace>() },
      auditDeps(configFile, terminal.signal),
      terminal,
    );
  });
}
