import { asLockkeeperError, LockkeeperError } from '../../shared/base/error.ts';
import { exitCode } from './io.ts';
import type { HostTerminal } from './terminal.ts';

/**
 * Tells what happened, why, what to do and the code: lines for people, one JSON object with `--output json`. Of errors
 * that are not lockkeeper's own only what the operating system says is told: their texts may quote what they failed to
 * read.
 */
export function printError(thrown: unknown, terminal: HostTerminal): number {
  const error = asLockkeeperError(thrown);
  const message = error.code === 'bug' ? 'something nobody foresaw happened' : error.message;
  const why = reasons(error);
  if (terminal.json) {
    terminal.err(JSON.stringify({ error: { code: error.code, message, why, hint: error.hint ?? null } }));
  } else {
    terminal.err(`lockkeeper: ${message}`);
    for (const line of why) terminal.err(`  why:  ${line}`);
    if (error.hint !== undefined) terminal.err(`  do:   ${error.hint}`);
    terminal.err(`  code: ${error.code}`);
  }
  return terminal.ends(exitCode.failed);
}

/** What was wrong with the words of the command line, as an error of lockkeeper's own. */
export function usageError(message: string): LockkeeperError {
  const text = message.replace(/^error: /, '').replaceAll('\n', ' ');
  return new LockkeeperError('invalid', text, { hint: 'Run it with --help to see what there is.' });
}

/** One line a cause, outermost first. */
function reasons(error: LockkeeperError): readonly string[] {
  const lines: string[] = [];
  const seen = new Set<unknown>([error]);
  for (let cause = error.cause; cause !== undefined && cause !== null && !seen.has(cause); cause = causeOf(cause)) {
    seen.add(cause);
    lines.push(...reason(cause), ...(error.code === 'bug' ? framesOf(cause) : []));
  }
  return lines;
}

function reason(cause: unknown): readonly string[] {
  if (cause instanceof LockkeeperError) return [`${cause.message} (${cause.code})`];
  if (typeof cause !== 'object' || cause === null) return [];
  const name = textOf(cause, 'name') ?? 'Error';
  const code = textOf(cause, 'code');
  const isSystem = textOf(cause, 'syscall') !== undefined;
  const told = isSystem ? textOf(cause, 'message') : [name, code].filter((part) => part !== undefined).join(' ');
  // That it was an error is no news.
  return told === 'Error' ? [] : [told ?? name];
}

/** Where in lockkeeper it was thrown, for those who fix it. Frames hold names and lines, never values. */
function framesOf(cause: unknown): readonly string[] {
  if (typeof cause !== 'object' || cause === null) return [];
  const frames = (textOf(cause, 'stack') ?? '')
    .split('\n')
    .filter((line) => /^\s+at .*\/(functions|shared)\//.test(line));
  return frames.slice(0, 3).map((line) => line.trim());
}

function causeOf(cause: unknown): unknown {
  return typeof cause === 'object' && cause !== null && 'cause' in cause ? cause.cause : undefined;
}

function textOf(holder: object, key: string): string | undefined {
  const value: unknown = Reflect.get(holder, key);
  return typeof value === 'string' ? value : undefined;
}
