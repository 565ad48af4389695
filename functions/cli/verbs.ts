import type { Command } from 'commander';
import type { ExitCode, Terminal } from './io.ts';
import type { Frame } from './frame.ts';

/** Declares the words of one verb. What it does, and what that needs, is loaded when it runs. */
export function declareVerb(verb: Command, frame: Frame): void {
  const declare = declarations.get(verb.name());
  if (!declare) throw new TypeError(`the verb ${verb.name()} has no words`);
  declare(verb, frame);
}

const declarations: ReadonlyMap<string, (verb: Command, frame: Frame) => void> = new Map([['config', declareConfig]]);

/** What every verb is given besides its own options. */
interface Call {
  readonly terminal: Terminal;
  /** The words that are no options. */
  readonly words: readonly string[];
  /** The file that --config, LOCKKEEPER_CONFIG or the working directory name. Errors: not-found. */
  readonly configFile: () => Promise<string>;
}

/** Makes `command` run `verb`. */
function runs(command: Command, frame: Frame, verb: (call: Call) => Promise<ExitCode>): void {
  command.action(async () => {
    const { config } = command.optsWithGlobals<{ config?: string }>();
    const { host } = frame;
    const terminal = await frame.terminal();
    const configFile = async () => {
      const { findConfig } = await import('../../shared/config/load.ts');
      return findConfig({ asked: config, environment: host.env['LOCKKEEPER_CONFIG'], from: host.cwd() });
    };
    frame.finish(terminal.ends(await verb({ terminal, words: command.args, configFile })));
  });
}

function declareConfig(config: Command, frame: Frame): void {
  const check = config.command('check').description('list every mistake of the configuration at once');
  runs(check, frame, async ({ configFile, terminal }) => {
    const { configCheckVerb } = await import('./config.ts');
    return configCheckVerb(await configFile(), terminal);
  });
  const schema = config.command('schema').description('print the JSON Schema of lockkeeper.yaml');
  runs(schema, frame, async ({ terminal }) => {
    const { configSchemaVerb } = await import('./config.ts');
    return configSchemaVerb(terminal);
  });
}
