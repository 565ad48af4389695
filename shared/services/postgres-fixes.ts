import pg from 'pg';

/** One thing in the way. The SQL stands apart, for the text has names in it that consumers chose. */
export interface Problem {
  readonly text: string;
  readonly sql?: string;
}

/** A problem whose SQL a role with CREATEROLE that administers the users may run. */
export function fix(what: string, sql: string): Problem {
  return { text: `${capital(what)}. Run: ${sql};`, sql: `${sql};` };
}

/** A problem whose SQL needs a superuser, or what a cloud gives its customers instead of one. */
export function fixAsSuperuser(what: string, sql: string): Problem {
  return { text: `${capital(what)}. Run as a superuser: ${sql};`, sql: `${sql};` };
}

/** A name in SQL. */
export function q(name: string): string {
  return pg.escapeIdentifier(name);
}

/**
 * The problem in another database of the cluster: its statement ends with a comment that names the database, so that it
 * stays one line, and does no harm where somebody overlooks that.
 */
export function inDatabase({ text, sql }: Problem, database: string): Problem {
  const name = JSON.stringify(database);
  const place = `-- in the database ${name}`;
  const told = `In the database ${name}: ${text}`;
  return sql === undefined ? { text: told } : { text: `${told} ${place}`, sql: `${sql} ${place}` };
}

/** The first three of them. */
export function listed(things: readonly string[]): string {
  return things.slice(0, 3).map(shown).join(', ') + (things.length > 3 ? ` and ${things.length - 3} more` : '');
}

/** A name that others chose, so that it reads as one: in quotes where it holds more than names do. */
export function shown(name: string): string {
  return /^[\p{L}\p{N} _$.,=@/-]{1,80}$/u.test(name) ? name : JSON.stringify(name.slice(0, 200));
}

/** With a capital letter at its beginning, unless that is a name: `a` and `A` are two users. */
export function capital(text: string): string {
  return /^(the|only|role|rights|default|lockkeeper's|in the|on the|it works) /.test(text)
    ? text.charAt(0).toUpperCase() + text.slice(1)
    : text;
}
