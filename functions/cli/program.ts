import { withoutLogins } from '../../shared/base/without-logins.ts';
import { visibleLines } from '../../shared/base/visible.ts';
import { Command, CommanderError, Option } from 'commander';
import type { Frame } from './frame.ts';
import { globalOptions, helpText, purpose, verbs } from './help.ts';
import { declareVerb } from './verbs.ts';

/**
 * The whole command line. A verb's own words are declared when it is called. Parsing throws for what it does not know,
 * after saying so on stderr; usageFault tells such a throw from others.
 */
export function buildProgram(frame: Frame): Command {
  const { host, json } = frame;
  const { config, output, color, help } = globalOptions;
  const program = new Command('lockkeeper')
    .description(purpose)
    .option(...config)
    .addOption(new Option(...output).choices(['text', 'json']).default('text'))
    .option(...color)
    .helpOption(...help)
    .configureOutput({
      writeOut: (text) => host.stdout.write(visibleLines(text)),
      writeErr: (text) => json || host.stderr.write(visibleLines(withoutValues(text))),
    })
    .showHelpAfterError('Run it with --help to see what there is.')
    .helpCommand(false)
    .exitOverride();
  for (const [name, about] of verbs) program.command(name).description(about).helpCommand(false);
  // After the verbs, which would take it over from here.
  program.configureHelp({ formatHelp: helpText });
  return program.hook('preSubcommand', async (_, verb) => declareVerb(verb, frame));
}

/** The parser repeats a word that it does not know whole, with what was given to it: --pasword=… */
function withoutValues(text: string): string {
  return withoutLogins(text.replaceAll(/(--[\w-]+=)[^'\n]*/g, '$1…'));
}

/** What was wrong with the words, where `thrown` says so; the code is 0 where they asked for help. */
export function usageFault(thrown: unknown): { readonly message: string; readonly exitCode: number } | undefined {
  if (!(thrown instanceof CommanderError)) return undefined;
  return { message: withoutValues(thrown.message), exitCode: thrown.exitCode };
}
