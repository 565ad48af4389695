import { LockkeeperError } from '../../shared/base/error.ts';

/** Everything an error could print, its causes included: what a search for secrets must look at. */
export function inspectAll(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const hint = thrown instanceof LockkeeperError ? (thrown.hint ?? '') : '';
  return `${thrown.message} ${hint} ${thrown.stack ?? ''} ${JSON.stringify(thrown)} ${thrown.cause === undefined ? '' : inspectAll(thrown.cause)}`;
}

/** The SQL that a text tells people to run; throws where it tells none. */
export function printedIn(text: string | undefined): string {
  const sql = /Run(?: as a superuser)?: ([^]*;)/.exec(text ?? '')?.[1];
  if (sql === undefined) throw new Error(`no SQL in: ${text}`);
  return sql;
}
