import { exitCode, type ExitCode, type Terminal } from './io.ts';
import { printable } from './printable.ts';

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

/** What may still happen to a terminal. */
export interface HostTerminal extends Terminal {
  /** How the command ends that would end with `code`: Ctrl-C makes it 130. */
  readonly ends: (code: ExitCode) => ExitCode;
}

/**
 * A terminal on the host's streams. Ctrl-C and SIGTERM ask for a stop at the next safe place; a second Ctrl-C ends the
 * process at once. A reader that goes away (`lockkeeper … | head`) is no error: nothing more is written, and work stops
 * at the next safe place.
 */
export function hostTerminal(host: Host, json: boolean): HostTerminal {
  const stop = new AbortController();
  let isInterrupted = false;
  host.on('SIGINT', () => {
    if (isInterrupted) host.exit(exitCode.interrupted);
    isInterrupted = true;
    stop.abort();
  });
  host.on('SIGTERM', () => stop.abort());
  const shown = json ? (line: string) => line : steady;
  return {
    json,
    signal: stop.signal,
    out: lines(host.stdout, shown, () => stop.abort()),
    err: lines(host.stderr, shown, () => undefined),
    ends: (code) => (isInterrupted ? exitCode.interrupted : code),
  };
}

/** Names and texts of others are in every line, errors too: none of them may steer the terminal. */
function steady(line: string): string {
  return line.split('\n').map(printable).join('\n');
}

function lines(stream: Stream, shown: (line: string) => string, closed: () => void): (line: string) => void {
  let isOpen = true;
  stream.on('error', (error) => {
    if (!('code' in error) || error.code !== 'EPIPE') throw error;
    isOpen = false;
    closed();
  });
  return (line) => {
    if (isOpen) stream.write(`${shown(line)}\n`);
  };
}
