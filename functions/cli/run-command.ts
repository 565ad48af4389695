import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { Sealed } from '../../shared/base/sealed.ts';
import { systemCode } from '../local/system-code.ts';

/** A command of somebody else, and what it is given. */
export interface CommandRun {
  /** The program and its arguments; no shell comes between. */
  readonly command: readonly [string, ...string[]];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Put over the environment; undefined: taken away. */
  readonly variables: ReadonlyMap<string, Sealed | undefined>;
  /** Told where it cannot be run. */
  readonly tell: (text: string) => void;
}

/** What of this process it touches. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  removeAllListeners(signal: NodeJS.Signals): unknown;
  readonly stdin: { readonly isTTY?: boolean };
}

/**
 * Runs the command on this process's own stdin, stdout and stderr, passes signals on, and answers its exit code: 128
 * and the signal's number where a signal ended it, 127 where there is no such program, 126 where it cannot be run.
 * Values are in its environment alone: its own account and root can see them there, nobody else.
 */
export async function runCommand(run: CommandRun, own: SignalSource = process): Promise<number> {
  const [program, ...args] = run.command;
  const environment = { ...run.environment };
  for (const [name, value] of run.variables) {
    if (value === undefined) delete environment[name];
    else environment[name] = value.open();
  }
  const child = spawn(program, args, { stdio: 'inherit', env: environment });
  passSignals(child, own);
  return await ended(child, (code) => run.tell(`${program} cannot be run: ${reasons[code] ?? code}`));
}

const signals = ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;

/**
 * From now on this process does nothing of its own about signals: it ends when the command does. What is pressed at a terminal reaches the
 * command without help, as it is in the same process group: passed on it would come twice.
 */
function passSignals(child: ChildProcess, own: SignalSource): void {
  const isTerminal = own.stdin.isTTY === true;
  const pass = (signal: NodeJS.Signals) => {
    if (!(isTerminal && (signal === 'SIGINT' || signal === 'SIGQUIT'))) child.kill(signal);
  };
  for (const signal of signals) {
    own.removeAllListeners(signal);
    own.on(signal, pass);
  }
}

const reasons: Readonly<Record<string, string | undefined>> = {
  ENOENT: 'there is no such program',
  EACCES: 'it is no program, or this account may not run it',
};

/** The environment is in the options of an error of spawn, so nothing but its code is told. */
async function ended(child: ChildProcess, failed: (code: string) => void): Promise<number> {
  return await new Promise((resolve) => {
    child.once('error', (error) => {
      const code = systemCode(error) ?? 'unknown';
      failed(code);
      resolve(code === 'ENOENT' ? 127 : 126);
    });
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}
