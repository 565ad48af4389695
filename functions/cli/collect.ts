import { collectAll } from '../local/jobs.ts';
import type { LocalDeps } from '../local/deps-wire.ts';
import type { LockkeeperError } from '../../shared/base/error.ts';
import type { CollectReport } from '../../shared/usage/collect.ts';
import { visibleStart } from '../../shared/base/visible.ts';
import { exitCode, type ExitCode, type Terminal } from './io.ts';

/**
 * `lockkeeper collect`: reads the new objects of every configured flow log, each exactly once. Prints a line a log, or
 * with
 * --output json one object `{logs: […]}`. Objects that could not be read lower coverage and are
 * counted. Exit code 1 where a whole log could not be read; the others were.
 */
export async function collectVerb(deps: LocalDeps, terminal: Terminal): Promise<ExitCode> {
  const { done, problems } = await collectAll(deps);
  if (terminal.json) terminal.out(JSON.stringify({ logs: done.map(({ name, report }) => ({ log: name, ...report })) }));
  else for (const { name, report } of done) terminal.out(collectLine(name, report));
  for (const { name, report } of done)
    for (const { key, why } of report.named) terminal.err(`${name}: ${visibleStart(key)}: ${visibleStart(why)}`);
  for (const problem of problems) terminal.err(problemText(problem));
  return problems.length === 0 ? exitCode.done : exitCode.failed;
}

/** What went wrong and what to do, for stderr. */
export function problemText({ message, hint }: LockkeeperError): string {
  return hint === undefined ? message : `${message}. ${hint}`;
}

/** One line of text about one log. */
export function collectLine(
  name: string,
  { objects, records, malformed, unreadable, left, young }: CollectReport,
): string {
  const damage =
    malformed + unreadable === 0 ? 'none damaged' : `${malformed} rows malformed, ${unreadable} objects unreadable`;
  const later = [...(left > 0 ? [`${left} left for the next run`] : []), ...(young > 0 ? [`${young} too young`] : [])];
  return [`${name}: ${objects} new objects`, `${records} rows`, damage, ...later].join(', ');
}
