import type { Command } from 'commander';
import type { ExitCode, Terminal } from './io.ts';
import type { Frame } from './program.ts';

/** Adds every verb. Each loads its own file, and what that needs, only when it is called. */
export function addVerbs(program: Command, frame: Frame): void {
  addConfig(program, frame);
}

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
    const { host, terminal } = frame;
    const configFile = async () => {
      const { findConfig } = await import('../../shared/config/load.ts');
      return findConfig({ asked: config, environment: host.env['LOCKKEEPER_CONFIG'], from: host.cwd() });
    };
    frame.finish(await verb({ terminal, words: command.args, configFile }));
  });
}

function addConfig(program: Command, frame: Frame): void {
  const config = program.command('config').description('the configuration: check it, or print its schema');
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
