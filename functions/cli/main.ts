import type { ExitCode } from './io.ts';
import type { Frame } from './frame.ts';
import { buildProgram, usageFault } from './program.ts';
import type { Host } from './terminal.ts';

/**
 * Runs one command line to its end and sets the exit code. Never throws: what goes wrong is told on stderr. A verb that
 * leaves something open may not keep the process alive.
 */
export async function main(host: Host & { exitCode?: number | string | null | undefined }): Promise<void> {
  const code = await run(host);
  host.exitCode = code;
  setTimeout(() => host.exit(code), 2_000).unref();
}

/** The exit code of one command line. Loads only what its verb uses; `--help` loads the words alone. */
export async function run(host: Host): Promise<number> {
  const json = saysJson(host.argv);
  const terminal = onceOnly(async () => (await import('./terminal.ts')).hostTerminal(host, json));
  let code: ExitCode = 0;
  try {
    await buildProgram({ host, json, terminal, finish: (how) => (code = how) }).parseAsync([...host.argv]);
  } catch (thrown) {
    code = await failed(thrown, json, terminal);
  }
  return code;
}

async function failed(thrown: unknown, json: boolean, terminal: Frame['terminal']): Promise<ExitCode> {
  const usage = usageFault(thrown);
  if (usage?.exitCode === 0) return 0;
  if (usage && !json) return 1;
  const { printError, usageError } = await import('./print-error.ts');
  return printError(usage ? usageError(usage.message) : thrown, await terminal());
}

/** Read from the words themselves: an error may come before the options were understood. */
function saysJson(argv: readonly string[]): boolean {
  return argv.some((word, at) => word === '--output=json' || (word === '--output' && argv[at + 1] === 'json'));
}

function onceOnly<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
