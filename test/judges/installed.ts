import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { LockkeeperError } from '../../shared/base/error.ts';
import { minute } from '../../shared/base/time.ts';
import { root } from '../house/sources.ts';
import { judges, type JudgeName, type Step } from './judges.ts';

const place = join(root, '.judges');
const longestStepMs = 15 * minute;
const longestWaitMs = 40 * minute;

/**
 * The path of a judge's program, installed first where it is not there yet: into `.judges/<name>-<version>`, by the
 * ordinary clients of Go, Python and npm as this machine configures them. Takes seconds to minutes the first time,
 * nothing later. One process builds at a time; the others wait. `not-found` without the client, `unreachable` where an
 * installation failed.
 */
export async function installed(name: JudgeName): Promise<string> {
  const directory = directoryOf(name);
  if (!isInstalled(name)) {
    const turn = await takeTurn();
    try {
      // Somebody else may have built it while this one waited.
      if (!isInstalled(name)) await install(name, directory);
    } finally {
      turn.close();
    }
  }
  return join(directory, judges[name].program);
}

/** True where nothing has to be built. */
export function isInstalled(name: JudgeName): boolean {
  return existsSync(markerOf(directoryOf(name)));
}

function directoryOf(name: JudgeName): string {
  return join(place, `${name}-${judges[name].version}`);
}

/** Written last: an installation that died halfway has none, and is made again from nothing. */
function markerOf(directory: string): string {
  return join(directory, 'installed');
}

async function install(name: JudgeName, directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  for (const step of judges[name].steps(directory)) await carryOut(name, step);
  const program = join(directory, judges[name].program);
  if (!existsSync(program))
    throw new LockkeeperError('bug', `installing the judge ${name} went well, and there is no ${program}`);
  await writeFile(markerOf(directory), '');
}

/**
 * The turn is a transaction on a database file: the system ends it with the process that holds it, however that one
 * dies.
 */
async function takeTurn(): Promise<DatabaseSync> {
  await mkdir(place, { recursive: true });
  const lock = new DatabaseSync(join(place, 'turn.sqlite'));
  const ends = Date.now() + longestWaitMs;
  while (!isTaken(lock)) {
    if (Date.now() > ends) {
      lock.close();
      throw new LockkeeperError(
        'unreachable',
        `another process has been installing judges for ${longestWaitMs / minute} minutes`,
        { hint: 'End it, and start again.' },
      );
    }
    await pause(250);
  }
  return lock;
}

function isTaken(lock: DatabaseSync): boolean {
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return true;
  } catch (thrown) {
    const isBusy = typeof thrown === 'object' && thrown !== null && 'errcode' in thrown && thrown.errcode === 5;
    if (isBusy) return false;
    throw thrown;
  }
}

async function carryOut(name: JudgeName, { command, words, workDirectory, environment }: Step): Promise<void> {
  const said: string[] = [];
  const child = spawn(command, words, {
    cwd: workDirectory ?? root,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => void said.push(part));
  const limit = setTimeout(() => child.kill('SIGKILL'), longestStepMs);
  const ended = await new Promise<number | string>((resolve) => {
    child.on('close', (code, signal) => resolve(code ?? signal ?? 'no code'));
    child.on('error', ({ message }) => resolve(message));
  });
  clearTimeout(limit);
  if (ended !== 0) throw failure(name, `${basename(command)} ${words.join(' ')}`, { ended, said: said.join('') });
}

function failure(
  name: JudgeName,
  line: string,
  { ended, said }: { readonly ended: number | string; readonly said: string },
): LockkeeperError {
  const client = line.split(' ')[0] ?? '';
  if (typeof ended === 'string' && ended.includes('ENOENT')) {
    return new LockkeeperError(
      'not-found',
      `the judge ${name} is installed by \`${line}\`, and there is no ${client} on this machine`,
      {
        hint: `Install ${needs(client)}, or name the judges to run: npm run judges -- NAME.`,
      },
    );
  }
  const why = ended === 'SIGKILL' ? `was not done within ${longestStepMs / minute} minutes` : `ended with ${ended}`;
  return new LockkeeperError(
    'unreachable',
    `installing the judge ${name}: \`${line}\` ${why}: ${said.slice(-1_500).trim() || 'it said nothing'}`,
    {
      hint: 'It needs the package registry of its language; run it again, a half installation repeats.',
    },
  );
}

function needs(client: string): string {
  if (client === 'go') return 'Go 1.26 or later';
  return client === 'python3' || client === 'pip' ? 'Python 3.10 or later with venv' : client;
}
