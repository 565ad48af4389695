import { checkConfig } from '../../shared/config/check.ts';
import type { Config } from '../../shared/config/schema.ts';

/** What is found wrong with `text`, as path, line:column and what. */
export function mistakes(text: string): readonly string[] {
  return checkConfig(text, '/etc/lockkeeper').mistakes.map(
    ({ line, column, path, what }) => `${line}:${column} ${path} ${what}`,
  );
}

/** A configuration of stores alone, as flow maps, and whatever `more` says; the log is at 4:8. */
export function withStores(state: string, log: string, more = ''): string {
  return `version: 1\nstores:\n  state: ${state}\n  log: ${log}\n${more}`;
}

/** The configuration that `text` is; throws where it is wrong. */
export function right(text: string): Config {
  const { config, mistakes: wrong } = checkConfig(text, '/etc/lockkeeper');
  if (config) return config;
  throw new Error(JSON.stringify(wrong));
}
