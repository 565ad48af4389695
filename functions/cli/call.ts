import type { Command } from 'commander';
import type { World } from '../../shared/base/world.ts';
import type { Frame } from './frame.ts';
import { exitCode, type Terminal } from './io.ts';
import type { ConfigFile } from '../../shared/config/read-text.ts';

/** Declares the options of one verb, or its verbs below, and what they do. */
export type Declare = (verb: Command, frame: Frame) => void;

/** What every verb is given besides its own options. */
export interface Call {
  readonly terminal: Terminal;
  /** The words that are no options. */
  readonly words: readonly string[];
  /** The file that --config or LOCKKEEPER_CONFIG name, or that was found upward. Errors: not-found. */
  readonly configFile: () => Promise<ConfigFile>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The machine's own clock and randomness. */
  readonly world: () => Promise<World>;
}

/**
 * Makes `command` run `verb`, and end as it ends: with an ExitCode, or that of a command it ran; 130 where a person pressed
 * Ctrl-C meanwhile.
 */
export function runs(command: Command, frame: Frame, verb: (call: Call) => Promise<number>): void {
  command.action(async () => {
    const { config } = command.optsWithGlobals<{ config?: string }>();
    const { env: environment } = frame.host;
    const from = frame.host.cwd();
    const terminal = await frame.terminal();
    const call: Call = {
      terminal,
      words: command.args,
      environment,
      configFile: async () => {
        const { findConfig } = await import('../../shared/config/load.ts');
        return findConfig({ asked: config, environment: environment['LOCKKEEPER_CONFIG'], from });
      },
      world: async () => (await import('../../shared/base/world.ts')).systemWorld(),
    };
    frame.finish(terminal.ends(await untilInterrupted(() => verb(call), terminal)));
  });
}

/** A verb that only reads may stop by throwing the reason of its terminal's signal. */
async function untilInterrupted(verb: () => Promise<number>, { signal }: Terminal): Promise<number> {
  try {
    return await verb();
  } catch (thrown) {
    if (signal.aborted && thrown === signal.reason) return exitCode.interrupted;
    throw thrown;
  }
}
