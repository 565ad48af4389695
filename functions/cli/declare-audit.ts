import type { Command } from 'commander';
import type { AuditPlace } from './audit.ts';
import type { AuditShowOptions } from './audit-show.ts';
import type { AuditVerifyOptions } from './audit-verify.ts';
import { runs } from './call.ts';
import type { Frame } from './frame.ts';

/** Which log is meant, the same words for every verb. */
const places = {
  dir: ['--dir <directory>', 'a log in files, instead of the configured one'],
  store: ['--store <url>', 'a log in a cloud: s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, https://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX'],
  state: ['--state <url>', 'the state store that belongs to --store'],
} as const;

/** `lockkeeper audit verify | show | fingerprint | recompute`. */
export function declareAudit(audit: Command, frame: Frame): void {
  const verify = audit
    .command('verify')
    .description('prove that nobody changed the log; exit 1 where somebody did')
    .option(...places.dir)
    .option(...places.store)
    .option(...places.state)
    .option('--since <file>', 'a checkpoint you saved: the log must go on from it, and what was before is not read again')
    .option('--key <key>', 'the public key of the log, NAME+ID+KEY, instead of the one that came with it');
  runs(verify, frame, async ({ configFile, terminal }) => {
    const { auditVerifyVerb } = await import('./audit-verify.ts');
    const { auditRooms } = await import('./audit-wire.ts');
    return auditVerifyVerb(verify.opts<AuditVerifyOptions>(), auditRooms(configFile), terminal);
  });
  const show = audit
    .command('show')
    .description('print entries, oldest first')
    .option(...places.dir)
    .option(...places.store)
    .option(...places.state)
    .option('--service <name>', 'only what is about this service')
    .option('--opening <id>', 'only what is about this opening')
    .option('--person <name>', 'only what this person did; lockkeeper itself is "lockkeeper"')
    .option('--action <name>', 'only this action, such as rotation.set, or all that begin so, such as rotation')
    .option('--since <time>', 'from this time on, as 2026-11-22T00:00:00Z')
    .option('--until <time>', 'before this time');
  runs(show, frame, async ({ configFile, terminal }) => {
    const { auditShowVerb } = await import('./audit-show.ts');
    const { auditRooms } = await import('./audit-wire.ts');
    return auditShowVerb(show.opts<AuditShowOptions>(), auditRooms(configFile), terminal);
  });
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
    const { fingerprintRooms } = await import('./audit-fingerprint-wire.ts');
    return auditFingerprintVerb(fingerprintRooms(fingerprint.opts<{ key?: string }>().key, configFile), terminal);
  });
  const recompute = audit
    .command('recompute')
    .description('judge an opening again from the facts that a proposal rests on; exit 1 where the verdict is another')
    .argument('<hash>', 'of the proposal, or of an entry about it; the first digits are enough')
    .option(...places.dir)
    .option(...places.store)
    .option(...places.state);
  runs(recompute, frame, async ({ configFile, terminal, words: [hash = ''] }) => {
    const { auditRecomputeVerb } = await import('./audit-recompute.ts');
    const { auditRooms } = await import('./audit-wire.ts');
    return auditRecomputeVerb({ hash, place: recompute.opts<AuditPlace>() }, auditRooms(configFile), terminal);
  });
}
