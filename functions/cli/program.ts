import { createRequire } from 'node:module';
import type * as Commander from 'commander';
import type { Frame } from './frame.ts';

// oxlint-disable-next-line typescript/no-unsafe-assignment -- the ESM wrapper would cost 3 ms more at every start
const { Command, CommanderError, Option }: typeof Commander = createRequire(import.meta.url)('commander');

/**
 * The whole command line. A verb's own words are declared when it is called, so help stays quick. Parsing throws for what
 * it does not know, after saying so on stderr; usageFault tells such a throw from others.
 */
export function buildProgram(frame: Frame): Commander.Command {
  const { host, json } = frame;
  const program = new Command('lockkeeper')
    .description(
      'Rotates the credentials of internal services without one failed login, and closes the ports nobody uses.',
    )
    .option(
      '--config <file>',
      'the configuration (default: LOCKKEEPER_CONFIG, else the nearest lockkeeper.yaml upward)',
    )
    .addOption(new Option('--output <format>', 'what stdout is for').choices(['text', 'json']).default('text'))
    .option('--no-color', 'no colours; NO_COLOR does the same')
    .configureOutput({
      writeOut: (text) => host.stdout.write(text),
      writeErr: (text) => json || host.stderr.write(text),
    })
    .showHelpAfterError('Run it with --help to see what there is.')
    .helpCommand(false)
    .exitOverride()
    .addHelpText('after', afterHelp);
  for (const [name, about] of verbs) program.command(name).description(about);
  program.hook('preSubcommand', async (_, verb) => (await import('./verbs.ts')).declareVerb(verb, frame));
  host.stdout.on('error', ignoreClosedReader);
  return program;
}

/** What was wrong with the words, where `thrown` says so; the code is 0 where they asked for help. */
export function usageFault(thrown: unknown): { readonly message: string; readonly exitCode: number } | undefined {
  return thrown instanceof CommanderError ? thrown : undefined;
}

/** Every verb, in the order in which a newcomer meets them. */
export const verbs: readonly (readonly [name: string, about: string])[] = [
  ['demo', 'see the whole of it on this machine, with real sockets and a real database'],
  ['serve', 'do everything at its time, with a page for those who approve'],
  ['rotate', 'change credentials so that nobody is ever locked out'],
  ['collect', 'read new flow logs, each once'],
  ['scan', 'find the openings that nobody uses, and ask about them'],
  ['approve', 'agree to close an opening'],
  ['deny', 'keep an opening: for good, for a while, or until a date'],
  ['reopen', 'put a closed opening back exactly as it was'],
  ['audit', 'the log of everything that was done: verify it, show it'],
  ['flows', 'print flow-log files of any cloud as JSON lines'],
  ['config', 'the configuration: check it, or print its schema'],
];

const afterHelp = `
Examples:
  lockkeeper demo                                   see the whole of it on this machine, without any cloud
  lockkeeper config check                           list every mistake of lockkeeper.yaml at once
  lockkeeper rotate orders-db --rehearse            say what a rotation would do; change nothing
  lockkeeper scan --snapshot DIR --output json      judge an AWS account from files, without credentials
  lockkeeper audit verify                           prove that nobody changed the log

Exit codes: 0 done, 1 failed, 2 changes are waiting (with --detailed-exitcode), 3 denied, 4 expired, 5 drifted, 6 frozen,
130 interrupted.`;

/** `lockkeeper --help | head` is no error. */
function ignoreClosedReader(error: Error): void {
  if (!('code' in error) || error.code !== 'EPIPE') throw error;
}
