import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { hasErrno } from '../base/errno.ts';
import { LockkeeperError, type ErrorCode } from '../base/error.ts';
import { minute } from '../base/time.ts';
import { visible, visibleStart } from '../base/visible.ts';
import type { World } from '../base/world.ts';
import type { Refresh, RefreshNews } from './contract.ts';
import { noAnswerInTime, timeLimit } from './time-limit.ts';

/** What is run on this machine. */
export interface CommandRefreshOptions {
  /** The receiver's name. */
  readonly name: string;
  /** The program, by its path or as PATH finds it, and its words. No shell reads them. */
  readonly run: readonly [program: string, ...words: readonly string[]];
  /** The environment of this process, of which a few variables are handed on; see `handedOn`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly world: World;
  /** How long it may run; 1 minute if left out. */
  readonly answerMs?: number;
}

/**
 * Runs one command in `/`, without a shell and without input. It is told the credential and the rotation by
 * LOCKKEEPER_CREDENTIAL and LOCKKEEPER_ROTATION and inherits `handedOn`, nothing else: a login of lockkeeper may be in
 * its own environment. Exit code 0 acknowledges. After the time limit its process group is killed.
 *
 * | came back                       | code                                        |
 * |---------------------------------|---------------------------------------------|
 * | another exit code               | `rejected`                                  |
 * | it ran into the time limit      | `unreachable`                               |
 * | ended by a signal               | `uncertain`                                 |
 * | it did not start                | `not-found`, `denied`, else `unreachable`   |
 */
export function commandRefresh(options: CommandRefreshOptions): Refresh {
  const { name, run, world, answerMs = minute } = options;
  const tried = `tell ${name} by running ${visibleStart(run[0])}`;
  return {
    async poke(news) {
      const limitMs = timeLimit(tried, { world, answerMs });
      const child = started(options, news, tried);
      const output = tailOf(child);
      const over = new AbortController();
      try {
        const end = await Promise.race([ended(child, tried), pause(limitMs, 'late' as const, { signal: over.signal })]);
        if (end === 'late') throw noAnswerInTime(tried, limitMs);
        if (end.code !== 0) throw failed(tried, end, await output());
      } finally {
        over.abort();
        letGo(child);
      }
    },
  };
}

/** The variables that a command inherits. Where it needs others, `run` can begin with env NAME=VALUE. */
export const handedOn = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'LANG',
  'LC_ALL',
  'TZ',
  'TMPDIR',
  'XDG_RUNTIME_DIR',
] as const;

/** How a program ended: by itself with an exit code, or by a signal. */
interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

function started({ run, environment }: CommandRefreshOptions, news: RefreshNews, tried: string): ChildProcess {
  const inherited = handedOn.flatMap((variable) => {
    const value = environment[variable];
    return value === undefined ? [] : [[variable, value] as const];
  });
  const env = {
    ...Object.fromEntries(inherited),
    LOCKKEEPER_CREDENTIAL: news.credential,
    LOCKKEEPER_ROTATION: news.rotation,
  };
  const [program, ...words] = run;
  try {
    // A group of its own, so that everything it starts can be ended with it.
    return spawn(program, words, { cwd: '/', env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (thrown) {
    throw startError(tried, thrown);
  }
}

/** Its end. Fails where it did not start. */
function ended(child: ChildProcess, tried: string): Promise<End> {
  return new Promise((resolve, reject) => {
    child.once('error', (thrown) => reject(startError(tried, thrown)));
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
}

/** Reads on to the end, so that no full pipe stops the command, and keeps the last of it. */
function tailOf(child: ChildProcess): () => Promise<string> {
  let tail = '';
  const keep = (text: string) => {
    tail = (tail + text).slice(-longestOutput);
  };
  for (const stream of [child.stdout, child.stderr])
    stream
      ?.setEncoding('utf8')
      .on('data', keep)
      .on('error', (thrown) => keep(` (the rest was not read: ${thrown.message})`));
  const closed = new Promise((resolve) => child.once('close', resolve));
  return async () => {
    // What it left running may hold its output open for good.
    await Promise.race([closed, pause(200, undefined, { ref: false })]);
    return tail.trim();
  };
}

const longestOutput = 300;

/** Ends what did not end by itself, and stops listening. A program that ended well may have left others running. */
function letGo(child: ChildProcess): void {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) endGroup(child.pid);
  child.stdout?.destroy();
  child.stderr?.destroy();
  child.unref();
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (thrown) {
    // It ended meanwhile, or became another user's: nobody waits for it.
    if (!hasErrno(thrown, 'ESRCH', 'EPERM')) throw thrown;
  }
}

function failed(tried: string, { code, signal }: End, output: string): LockkeeperError {
  const said = output === '' ? '' : `: ${shownEnd(output)}`;
  if (code === null)
    return new LockkeeperError('uncertain', `${tried}: ended by ${signal ?? 'a signal'}${said}`, {
      hint: 'It may have done its work: the next run runs it again.',
    });
  return new LockkeeperError('rejected', `${tried}: exit code ${code}${said}`, {
    hint: 'Run the command by hand and correct what it complains about; 0 is success.',
  });
}

/** What explains a failure stands at the end. */
function shownEnd(output: string): string {
  const shown = visible(output.replaceAll(/\s*\n\s*/g, '; '));
  return shown.length > longestOutput ? `…${shown.slice(-longestOutput)}` : shown;
}

/** Without the cause itself, which has every word of the command. */
function startError(tried: string, thrown: unknown): LockkeeperError {
  const said = visibleStart(thrown instanceof Error ? thrown.message : String(thrown));
  const [, code, hint] = startErrors.find(([names]) => hasErrno(thrown, ...names)) ?? otherStartError;
  return new LockkeeperError(code, `${tried}: ${said}`, { hint, cause: new Error(said) });
}

const otherStartError = [[], 'unreachable', 'The machine could not start it: look at its memory and limits.'] as const;

const startErrors: readonly (readonly [names: readonly string[], code: ErrorCode, hint: string])[] = [
  [['ENOENT', 'ENOTDIR'], 'not-found', 'Name a program that is there, by its whole path.'],
  [['EACCES', 'EPERM'], 'denied', 'Let the user that runs lockkeeper execute it.'],
  [['ENOEXEC'], 'invalid', 'A script has to begin with #! and its interpreter.'],
  [['E2BIG', 'ERR_INVALID_ARG_VALUE'], 'invalid', 'Correct the words of the command.'],
];
