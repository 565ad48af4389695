import { CommanderError } from 'commander';
import { LockkeeperError } from '../../shared/base/error.ts';
import { exitCode, type ExitCode, type Terminal } from './io.ts';
import { buildProgram } from './program.ts';
import { hostTerminal, type Host } from './terminal.ts';

/**
 * Runs one command line to its end and sets the exit code. Never throws: what goes wrong is told on stderr. A verb that
 * leaves something open may not keep the process alive.
 */
export async function main(host: Host & { exitCode?: number | string | null | undefined }): Promise<void> {
  const code = await run(host);
  host.exitCode = code;
  setTimeout(() => host.exit(code), 2_000).unref();
}

/** The exit code of one command line. */
export async function run(host: Host): Promise<number> {
  const { terminal, interrupted } = hostTerminal(host);
  const json = saysJson(host.argv);
  let code: ExitCode = exitCode.done;
  const program = buildProgram({ host, json, terminal: terminal(json), finish: (how) => (code = how) });
  try {
    await program.parseAsync([...host.argv]);
  } catch (thrown) {
    code = await failed(thrown, terminal(json));
  }
  return interrupted() ? exitCode.interrupted : code;
}

async function failed(thrown: unknown, terminal: Terminal): Promise<ExitCode> {
  const isUsage = thrown instanceof CommanderError;
  if (isUsage && thrown.exitCode === 0) return exitCode.done;
  if (isUsage && !terminal.json) return exitCode.failed;
  const { printError } = await import('./print-error.ts');
  printError(isUsage ? usageError(thrown) : thrown, terminal);
  return exitCode.failed;
}

function usageError({ message }: CommanderError): LockkeeperError {
  const text = message.replace(/^error: /, '').replaceAll('\n', ' ');
  return new LockkeeperError('invalid', text, { hint: 'Run it with --help to see what there is.' });
}

/** Read from the words themselves: an error may come before the options were understood. */
function saysJson(argv: readonly string[]): boolean {
  return argv.some((word, at) => word === '--output=json' || (word === '--output' && argv[at + 1] === 'json'));
}
