import { LockkeeperError } from '../base/error.ts';

/** What stops a writer: the stores were changed by somebody else. `what` continues "nothing is appended to the audit log: …". */
export function tampered(what: string, cause?: unknown): LockkeeperError {
  return new LockkeeperError('conflict', `nothing is appended to the audit log: ${what}`, {
    cause,
    hint: 'Run `lockkeeper audit verify` and restore the log store. If it is lost, begin a new log in an empty place.',
  });
}
