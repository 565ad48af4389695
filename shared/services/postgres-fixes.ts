import pg from 'pg';
import type { RoleSeen } from './postgres-roles.ts';

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

/** The role's settings by name as they hold in this database. */
export function settingsOf(role: RoleSeen): ReadonlyMap<string, string> {
  const pairs = [...role.settingsEverywhere, ...role.settingsHere].map((setting) => {
    const at = setting.indexOf('=');
    return [setting.slice(0, at), setting.slice(at + 1)] as const;
  });
  return new Map(pairs.toSorted(([a], [b]) => (a < b ? -1 : Number(a > b))));
}

/** `ALTER ROLE … SET name` so that it takes effect in this database, even where another value is set for it alone. */
export function settingTo(role: RoleSeen, name: string, database: string): string {
  const isHere = role.settingsHere.some((setting) => setting.startsWith(`${name}=`));
  return `ALTER ROLE ${q(role.name)} ${isHere ? `IN DATABASE ${q(database)} ` : ''}SET ${nameInSql(name)}`;
}

/** Settings of extensions are two names with a dot between. */
function nameInSql(name: string): string {
  return name.split('.').map(q).join('.');
}

/** The first three of them. */
export function listed(things: readonly string[]): string {
  return things.slice(0, 3).map(shown).join(', ') + (things.length > 3 ? ` and ${things.length - 3} more` : '');
}

/** A name that others chose, so that it reads as one: in quotes where it holds more than names do. */
export function shown(name: string): string {
  return /^[\p{L}\p{N} _$.,=@/-]{1,80}$/u.test(name) ? name : JSON.stringify(name.slice(0, 200));
}

/** With a capital letter at its beginning. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
