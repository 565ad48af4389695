/** How a line looks where colours are wanted. */
export type Style = 'strong' | 'faint' | 'good' | 'bad';

/** Where lines are written to. */
export interface Stream {
  write(text: string): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  /** It is a screen, of so many columns. */
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** What a verb may use of the terminal. Data goes to `out`, progress and diagnostics to `err`. */
export interface Terminal {
  /** Writes one line of data to stdout. */
  out(line: string, style?: Style): void;
  /** Writes one line to stderr. */
  err(line: string, style?: Style): void;
  /** Shows how far a long command is, in one line of stderr that the next one takes; undefined takes it away. */
  status?(line: string | undefined): void;
  /** True with `--output json`. */
  readonly json: boolean;
  /** Aborted on Ctrl-C and SIGTERM: stop at the next safe place. */
  readonly signal: AbortSignal;
}

/** How a verb ends. */
export const exitCode = {
  done: 0,
  failed: 1,
  /** Changes are waiting, or not everything could be judged. Only with --detailed-exitcode. */
  changes: 2,
  denied: 3,
  expired: 4,
  drifted: 5,
  frozen: 6,
  /** Nothing is configured, or nothing of it was adopted, so there was nothing to do. */
  nothing: 7,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];
