import type { Terminal } from './io.ts';

/** The part of a process that the command line touches; tests give their own. */
export interface Host {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  cwd(): string;
  readonly stdout: Stream;
  readonly stderr: Stream;
  on(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
  /** Ends the process at once. */
  exit(code: number): void;
}

export interface Stream {
  write(text: string): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** A terminal on the host's streams, and what may still happen to it. */
export interface HostTerminal {
  readonly terminal: (json: boolean) => Terminal;
  /** True once a person pressed Ctrl-C. */
  readonly interrupted: () => boolean;
}

/**
 * Ctrl-C and SIGTERM ask for a stop at the next safe place; a second Ctrl-C ends the process at once. A reader that goes
 * away (`lockkeeper … | head`) is no error: nothing more is written, and work stops at the next safe place.
 */
export function hostTerminal(host: Host): HostTerminal {
  const stop = new AbortController();
  let isInterrupted = false;
  const open = { out: true, err: true };
  host.on('SIGINT', () => {
    if (isInterrupted) host.exit(130);
    isInterrupted = true;
    stop.abort();
  });
  host.on('SIGTERM', () => stop.abort());
  const close = (name: 'out' | 'err') => (error: Error) => {
    if (!('code' in error) || error.code !== 'EPIPE') throw error;
    open[name] = false;
    if (name === 'out') stop.abort();
  };
  host.stdout.on('error', close('out'));
  host.stderr.on('error', close('err'));
  return {
    terminal: (json) => ({
      json,
      signal: stop.signal,
      out: (line) => void (open.out && host.stdout.write(`${line}\n`)),
      err: (line) => void (open.err && host.stderr.write(`${line}\n`)),
    }),
    interrupted: () => isInterrupted,
  };
}
