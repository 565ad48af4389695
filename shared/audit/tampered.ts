import { LockkeeperError } from '../base/error.ts';

/**
 * What stops a writer, and a reader: the stores were changed by somebody else. `what` continues "the audit log is not
 * as it was written: …".
 */
export function tampered(what: string, cause?: unknown): LockkeeperError {
  return new LockkeeperError('conflict', `the audit log is not as it was written: ${what}`, {
    cause,
    hint: 'Run `lockkeeper audit verify` and restore the log store. If it is lost, begin a new log in an empty place.',
  });
}
