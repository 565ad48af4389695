import type { Command } from 'commander';
import type { AuditShowOptions, AuditVerifyOptions } from './audit.ts';
import { runs } from './call.ts';
import type { Frame } from './frame.ts';

/** Which log is meant, the same words for every verb. */
const places = {
  dir: ['--dir <directory>', 'a log in files, instead of the configured one'],
  store: ['--store <url>', 'a log in a cloud: s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, https://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX'],
  state: ['--state <url>', 'the state store that belongs to --store'],
} as const;

/** `lockkeeper audit verify | show`. */
export function declareAudit(audit: Command, frame: Frame): void {
  const verify = audit
    .command('verify')
    .description('prove that nobody changed the log; exit 1 where somebody did')
    .option(...places.dir)
    .option(...places.store)
    .option(...places.state);
  runs(verify, frame, async ({ configFile, terminal }) => {
    const { auditVerifyVerb } = await import('./audit.ts');
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
    .option('--actor <name>', 'only what this person did; lockkeeper itself is "lockkeeper"')
    .option('--action <name>', 'only this action, such as rotation.set, or all that begin so, such as rotation')
    .option('--since <time>', 'from this time on, as 2026-11-22T00:00:00Z')
    .option('--until <time>', 'before this time');
  runs(show, frame, async ({ configFile, terminal }) => {
    const { auditShowVerb } = await import('./audit.ts');
    const { auditRooms } = await import('./audit-wire.ts');
    return auditShowVerb(show.opts<AuditShowOptions>(), auditRooms(configFile), terminal);
  });
}
