import type { Command } from 'commander';

/** Which log is meant, the same words for every verb that reads one: the options of AuditPlace. */
export function takesPlace(command: Command): Command {
  return command
    .option('--dir <directory>', 'a log in files, instead of the configured one')
    .option(
      '--store <url>',
      'a log in a cloud: s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, https://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX',
    )
    .option('--state <url>', 'the state store that belongs to --store')
    .option(
      '--writer-key <file>',
      'the key that proves who wrote what is not signed yet, instead of the configured one',
    );
}

/** The option that says whose signature counts. */
export const logKeyOption = [
  '--key <key>',
  'the public key of the log, NAME+ID+KEY, instead of the one that came with it',
] as const;
