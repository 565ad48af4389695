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

/** The exit code of one command line. Loads only what its verb uses; a bare `--help` loads the text alone. */
export async function run(host: Host): Promise<number> {
  host.stdout.on('error', ignoreClosedReader);
  const [word, ...others] = host.argv.slice(2);
  if ((word === '--help' || word === '-h') && others.length === 0) {
    host.stdout.write((await import('./help.ts')).helpText());
    return 0;
  }
  return await runVerb(host, saysJson(host.argv));
}

async function runVerb(host: Host, json: boolean): Promise<number> {
  const { buildProgram, usageFault } = await import('./program.ts');
  const terminal = onceOnly(async () => (await import('./terminal.ts')).hostTerminal(host, json));
  let code = 0;
  try {
    await buildProgram({ host, json, terminal, finish: (how) => (code = how) }).parseAsync([...host.argv]);
    return code;
  } catch (thrown) {
    const usage = usageFault(thrown);
    if (usage?.exitCode === 0) return 0;
    if (usage && !json) return 1;
    const { printError, usageError } = await import('./print-error.ts');
    return printError(usage ? usageError(usage.message) : thrown, await terminal());
  }
}

/**
 * Read from the words themselves: an error may come before the options were understood. What comes after `--` is another
 * command's.
 */
function saysJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  const own = end < 0 ? argv : argv.slice(0, end);
  return own.some((word, at) => word === '--output=json' || (word === '--output' && own[at + 1] === 'json'));
}

function onceOnly<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

/** `lockkeeper --help | head` is no error. */
function ignoreClosedReader(error: Error): void {
  if (!('code' in error) || error.code !== 'EPIPE') throw error;
}
