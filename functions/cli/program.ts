import { Command, Option } from 'commander';
import type { ExitCode, Terminal } from './io.ts';
import type { Host } from './terminal.ts';
import { addVerbs } from './verbs.ts';

/** What the commands are built on. */
export interface Frame {
  readonly host: Host;
  /** With `--output json`: what the words were wrong about is told by the caller, not here. */
  readonly json: boolean;
  readonly terminal: Terminal;
  /** Called once by the verb that ran, with how it ended. */
  readonly finish: (code: ExitCode) => void;
}

/** The whole command line. Parsing throws CommanderError for what it does not know, after saying so on stderr. */
export function buildProgram(frame: Frame): Command {
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
    .showSuggestionAfterError()
    .showHelpAfterError('Run it with --help to see what there is.')
    .helpCommand(false)
    .addHelpText('after', examples);
  addVerbs(program, frame);
  for (const command of [program, ...descendants(program)]) command.exitOverride();
  return program;
}

const examples = `
Examples:
  lockkeeper demo                                   see the whole of it on this machine, without any cloud
  lockkeeper config check                           list every mistake of lockkeeper.yaml at once
  lockkeeper rotate orders-db --rehearse            say what a rotation would do; change nothing
  lockkeeper scan --snapshot DIR --output json      judge an AWS account from files, without credentials
  lockkeeper audit verify                           prove that nobody changed the log

Exit codes: 0 done, 1 failed, 2 changes are waiting (with --detailed-exitcode), 3 denied, 4 expired, 5 drifted, 6 frozen,
130 interrupted.`;

function descendants(command: Command): readonly Command[] {
  return command.commands.flatMap((child) => [child, ...descendants(child)]);
}
