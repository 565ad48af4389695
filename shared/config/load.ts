import { stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { hasErrno } from '../base/errno.ts';
import { LockkeeperError } from '../base/error.ts';
import { withoutLogins } from '../base/without-logins.ts';
import { checkConfig, mistakeText, type PlacedMistake } from './check.ts';
import { readText, type ConfigFile } from './read-text.ts';
import type { Config } from './schema.ts';

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
 * one. Whether one that was found may be used is judged when it is read: a nearer one is never skipped for a farther.
 */
export async function findConfig({ asked, environment, from }: ConfigPlaces): Promise<ConfigFile> {
  const named = asked ?? (environment === '' ? undefined : environment);
  if (named !== undefined) return { path: resolve(from, named), foundFrom: undefined };
  for (let directory = resolve(from); ; directory = dirname(directory)) {
    const path = join(directory, 'lockkeeper.yaml');
    if (await isThere(path)) return { path, foundFrom: resolve(from) };
    if (directory === dirname(directory)) break;
  }
  throw new LockkeeperError('not-found', `no lockkeeper.yaml in ${resolve(from)} or above it`, {
    hint: 'Name one with --config FILE or LOCKKEEPER_CONFIG. `lockkeeper demo` needs none.',
  });
}

/**
 * Reads and checks the file; a bare path is one that a person named. `not-found` and `denied` where it cannot or may
 * not be read; `invalid` lists every mistake at once, each with its line, column and a hint. Nothing that stands in
 * the file is in the message.
 */
export async function loadConfig(file: ConfigFile | string): Promise<LoadedConfig> {
  const from = typeof file === 'string' ? { path: resolve(file), foundFrom: undefined } : file;
  const checked = checkConfig(await readText(from), dirname(from.path));
  if (checked.config) return { file: from.path, config: checked.config };
  throw new LockkeeperError('invalid', listed(withoutLogins(from.path), checked.mistakes), {
    hint: 'Fix these and check with `lockkeeper config check`.',
  });
}

function listed(file: string, mistakes: readonly PlacedMistake[]): string {
  const count = mistakes.length === 1 ? 'one mistake' : `${mistakes.length} mistakes`;
  return [`${file} has ${count}:`, ...mistakes.map((mistake) => `  ${mistakeText(file, mistake)}`)].join('\n');
}

async function isThere(file: string): Promise<boolean> {
  try {
    return (await stat(file)).isFile();
  } catch (cause) {
    if (hasErrno(cause, 'ENOENT', 'ENOTDIR')) return false;
    throw new LockkeeperError('denied', `cannot look for ${file}`, {
      cause,
      hint: 'Name the file with --config FILE.',
    });
  }
}
