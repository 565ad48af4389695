/**
 * What went wrong, as a closed set; whether to retry follows from it.
 * `uncertain` means the effect may have happened: read before trying again.
 */
export type ErrorCode =
  | 'not-found'
  | 'conflict'
  | 'denied'
  | 'throttled'
  | 'unreachable'
  | 'uncertain'
  | 'rejected'
  | 'invalid'
  | 'unsupported'
  | 'bug';

export interface ErrorDetails {
  /** What a person can do about it, as one sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/**
 * The one error class. The message says what was tried, on what and what came back; `hint` says what to do.
 * Neither ever holds a secret.
 */
export class LockkeeperError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.name = 'LockkeeperError';
    this.code = code;
    this.hint = details.hint;
  }
}

/** True where running the same step again later may succeed without a person. */
export function isTransient(code: ErrorCode): boolean {
  return code === 'throttled' || code === 'unreachable' || code === 'uncertain';
}

/** Any thrown value as a LockkeeperError; what nobody foresaw is a `bug`, with its cause kept. */
export function asLockkeeperError(thrown: unknown): LockkeeperError {
  if (thrown instanceof LockkeeperError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new LockkeeperError('bug', message, {
    cause: thrown,
    hint: 'This is a defect in lockkeeper: please report it.',
  });
}

/** True for a LockkeeperError with this code. */
export function hasCode(thrown: unknown, code: ErrorCode): thrown is LockkeeperError {
  return thrown instanceof LockkeeperError && thrown.code === code;
}
