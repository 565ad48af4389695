import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { resolve } from 'node:path';

/** How a command ended. */
export interface Ended {
  /** Undefined where it did not end in time, or was killed. */
  readonly code: number | undefined;
  readonly out: string;
  readonly err: string;
}

const main = resolve(import.meta.dirname, '../../../../functions/cli/lockkeeper.js');

export interface CommandOptions {
  /** Words before `node`, such as setpriv and its own. */
  readonly before?: readonly string[];
  /** How long it may take, in milliseconds; 60 s if left out, for machines are slow. */
  readonly limitMs?: number;
}

/** Runs the real command line in a process of its own, with little memory and a time limit. */
export async function lockkeeper(words: readonly string[], options: CommandOptions = {}): Promise<Ended> {
  const [program = '', ...rest] = [
    ...(options.before ?? []),
    process.execPath,
    '--no-warnings',
    '--max-old-space-size=400',
    main,
    ...words,
  ];
  const child = spawn(program, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: options.limitMs ?? 60_000,
    killSignal: 'SIGKILL',
  });
  const ended = once(child, 'close');
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const said: readonly unknown[] = await ended;
  return { code: typeof said[0] === 'number' ? said[0] : undefined, out, err };
}
