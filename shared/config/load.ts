import { readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { hasErrno } from './errno.ts';
import { checkConfig, mistakeText, type PlacedMistake } from './check.ts';
import type { Config } from './schema.ts';
import { LockkeeperError } from '../base/error.ts';

/** Where a configuration may be named. */
export interface ConfigPlaces {
  /** What the person said with --config. */
  readonly asked: string | undefined;
  /** The value of LOCKKEEPER_CONFIG. */
  readonly environment: string | undefined;
  /** The directory from which lockkeeper.yaml is sought upward. */
  readonly from: string;
}

/** A configuration and where it was. */
export interface LoadedConfig {
  /** Absolute. */
  readonly file: string;
  readonly config: Config;
}

/**
 * The file that counts: --config, else LOCKKEEPER_CONFIG, else the nearest lockkeeper.yaml upward; `not-found` without
 * one.
 */
export async function findConfig({ asked, environment, from }: ConfigPlaces): Promise<string> {
  const named = asked ?? (environment === '' ? undefined : environment);
  if (named !== undefined) return resolve(from, named);
  for (let directory = resolve(from); ; directory = dirname(directory)) {
    const file = join(directory, 'lockkeeper.yaml');
    if (await isThere(file)) return file;
    if (directory === dirname(directory)) break;
  }
  throw new LockkeeperError('not-found', `no lockkeeper.yaml in ${resolve(from)} or above it`, {
    hint: 'Name one with --config FILE or LOCKKEEPER_CONFIG. `lockkeeper demo` needs none.',
  });
}

/**
 * Reads and checks the file. `not-found` and `denied` where it cannot be read; `invalid` lists every mistake at once,
 * each with its line, column and a hint. No password is ever in the message.
 */
export async function loadConfig(file: string): Promise<LoadedConfig> {
  const path = resolve(file);
  const checked = checkConfig(await readText(path), dirname(path));
  if (checked.config) return { file: path, config: checked.config };
  throw new LockkeeperError('invalid', listed(file, checked.mistakes), {
    hint: 'Fix these and check with `lockkeeper config check`.',
  });
}

/** The text of the configuration at `path`, with errors that say what to do. */
export async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (hasErrno(cause, 'ENOENT'))
      throw new LockkeeperError('not-found', `there is no configuration at ${path}`, {
        cause,
        hint: 'Check the path given by --config or LOCKKEEPER_CONFIG.',
      });
    if (hasErrno(cause, 'EACCES'))
      throw new LockkeeperError('denied', `the configuration at ${path} may not be read`, {
        cause,
        hint: 'Let the user that runs lockkeeper read it.',
      });
    throw new LockkeeperError('invalid', `the configuration at ${path} cannot be read`, {
      cause,
      hint: 'It has to be a file.',
    });
  }
}

function listed(file: string, mistakes: readonly PlacedMistake[]): string {
  const count = mistakes.length === 1 ? 'one mistake' : `${mistakes.length} mistakes`;
  return [`${file} has ${count}:`, ...mistakes.map((mistake) => `  ${mistakeText(file, mistake)}`)].join('\n');
}

async function isThere(file: string): Promise<boolean> {
  try {
    return (await stat(file)).isFile();
  } catch (cause) {
    if (hasErrno(cause, 'ENOENT') || hasErrno(cause, 'ENOTDIR')) return false;
    throw new LockkeeperError('denied', `cannot look for ${file}`, {
      cause,
      hint: 'Name the file with --config FILE.',
    });
  }
}
