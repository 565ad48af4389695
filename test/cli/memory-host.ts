import type { Host } from '../../functions/cli/terminal.ts';

/** A process without a machine: what was written is kept, signals are given by the test. */
export interface MemoryHost extends Host {
  readonly out: () => string;
  readonly err: () => string;
  readonly exits: readonly number[];
  readonly signal: (name: 'SIGINT' | 'SIGTERM') => void;
  /** How many wait for signals: none before the terminal is there. */
  readonly listeners: () => number;
  /** The reader of stdout goes away. */
  readonly closeOut: () => void;
}

/** A host whose command line is `words`. */
export function memoryHost(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd = '/',
): MemoryHost {
  const written = { out: '', err: '' };
  const exits: number[] = [];
  const signals: { name: string; listener: () => void }[] = [];
  const outErrors: ((error: Error) => void)[] = [];
  return {
    argv: ['node', 'lockkeeper', ...words],
    env,
    cwd: () => cwd,
    stdout: { write: (text) => (written.out += text), on: (_, listener) => outErrors.push(listener) },
    stderr: { write: (text) => (written.err += text), on: () => undefined },
    on: (name, listener) => signals.push({ name, listener }),
    exit: (code) => exits.push(code),
    out: () => written.out,
    err: () => written.err,
    exits,
    signal: (name) => {
      for (const one of signals) if (one.name === name) one.listener();
    },
    listeners: () => signals.length,
    closeOut: () => {
      for (const listener of outErrors) listener(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    },
  };
}
