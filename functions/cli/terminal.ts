import { exitCode, type Stream, type Style, type Terminal } from './io.ts';
import pc from 'picocolors';
import { StatusLine } from './status-line.ts';
import { visibleLines } from '../../shared/base/visible.ts';

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

/** What may still happen to a terminal. */
export interface HostTerminal extends Terminal {
  /** How the command ends that would end with `code`: Ctrl-C makes it 130. */
  readonly ends: (code: number) => number;
}

/**
 * A terminal on the host's streams. Ctrl-C and SIGTERM ask for a stop at the next safe place; a second Ctrl-C ends the
 * process at once. A reader that goes away (`lockkeeper … | head`) is no error: nothing more is written, and work stops
 * at the next safe place.
 */
export function hostTerminal(host: Host, json: boolean): HostTerminal {
  const stop = new AbortController();
  const status = new StatusLine(host.stderr);
  let isInterrupted = false;
  host.on('SIGINT', () => {
    if (isInterrupted) host.exit(exitCode.interrupted);
    isInterrupted = true;
    stop.abort();
  });
  host.on('SIGTERM', () => stop.abort());
  return {
    json,
    signal: stop.signal,
    out: status.above(lines(host.stdout, () => stop.abort())),
    err: status.above(lines(host.stderr, () => undefined)),
    status: (line) => status.show(json ? undefined : line),
    ends: (code) => (isInterrupted ? exitCode.interrupted : code),
  };
}

/** Writes a text of several lines that a person asked for: for a script as it is, on a screen with what would hide shown. */
export function whole(stream: Stream, isScreen: boolean): (text: string) => void {
  return (text) => void stream.write(isScreen ? visibleLines(text) : text);
}

const paints: Readonly<Record<Style, (line: string) => string>> = {
  strong: pc.bold,
  faint: pc.dim,
  good: pc.green,
  bad: pc.red,
};

/**
 * The one way to the streams. Names and texts of others are in every line, errors too: none of them may steer a terminal
 * or hide what it says. A line of JSON stays equal JSON.
 */
function lines(stream: Stream, closed: () => void): Terminal['out'] {
  let isOpen = true;
  stream.on('error', (error) => {
    if (!('code' in error) || error.code !== 'EPIPE') throw error;
    isOpen = false;
    closed();
  });
  return (line, style) => {
    const shown = visibleLines(line);
    if (isOpen) stream.write(`${style === undefined ? shown : paints[style](shown)}\n`);
  };
}
