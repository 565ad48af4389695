import pg from 'pg';
import { capital, fixAsSuperuser, q, shown, type Problem } from './postgres-fixes.ts';

/** Settings as `name=value`, for one role and for everybody, nearest first: what comes first holds. */
export interface SettingsSeen {
  /** Of the role in this database only. */
  readonly here: readonly string[];
  /** Of the role everywhere. */
  readonly everywhere: readonly string[];
  /** Of this database, for every role. */
  readonly database: readonly string[];
  /** Of every role in every database (ALTER ROLE ALL). */
  readonly all: readonly string[];
}

/** The value that a session of the role begins with; undefined where none of the four says one. */
export function effective({ here, everywhere, database, all }: SettingsSeen, name: string): string | undefined {
  for (const settings of [here, everywhere, database, all]) {
    const value = valueIn(settings, name);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** `ALTER ROLE … SET name` so that it takes effect in this database, even where another value is set for it alone. */
export function settingTo(role: string, name: string, { isHere, database }: SettingPlace): string {
  return `${alterText(role, isHere ? database : undefined)} SET ${nameInSql(name)}`;
}

/** Where a setting is to be made: in this database only, or everywhere. */
export interface SettingPlace {
  readonly isHere: boolean;
  readonly database: string;
}

/** True where the role has a value of its own in this database, which one for everywhere would not change. */
export function isSetHere({ here }: Pick<SettingsSeen, 'here'>, name: string): boolean {
  return valueIn(here, name) !== undefined;
}

/**
 * The second user's sessions must begin as the first one's, whoever of role, database and server says so. `except`: names
 * that are told elsewhere.
 */
export function settingProblems(
  first: { readonly name: string; readonly settings: SettingsSeen },
  second: { readonly name: string; readonly settings: SettingsSeen },
  { database, except }: { readonly database: string; readonly except: readonly string[] },
): readonly Problem[] {
  const all = [first, second].flatMap(({ settings }) => [...settings.here, ...settings.everywhere]);
  const names = [...new Set(all.map((one) => one.slice(0, one.indexOf('='))))].toSorted();
  return names
    .filter((name) => !except.includes(name))
    .flatMap((name) => {
      const wanted = effective(first.settings, name);
      const has = effective(second.settings, name);
      if (wanted === has) return [];
      const what = `${first.name} and ${second.name} begin with different settings (${valueText(name, wanted)}, ${valueText(name, has)})`;
      const statements = statementsTo(wanted, { first, second, name, database });
      if (statements === undefined)
        return [{ text: `${capital(what)}. Set it for ${second.name} by hand, or reset it for ${first.name}.` }];
      return statements.map((sql) => fixAsSuperuser(what, sql));
    });
}

interface Differing {
  readonly first: { readonly settings: SettingsSeen };
  readonly second: { readonly name: string; readonly settings: SettingsSeen };
  readonly name: string;
  readonly database: string;
}

/** Undefined where the value cannot be said in SQL. */
function statementsTo(
  wanted: string | undefined,
  { first, second, name, database }: Differing,
): readonly string[] | undefined {
  const { settings } = second;
  const resetHere = isSetHere(settings, name) ? [`${alterText(second.name, database)} RESET ${nameInSql(name)}`] : [];
  if (effective({ ...settings, here: [] }, name) === wanted) return resetHere;
  if (effective({ ...settings, here: [], everywhere: [] }, name) === wanted)
    return [...resetHere, `${alterText(second.name, undefined)} RESET ${nameInSql(name)}`];
  const literals = wanted === undefined ? undefined : literalsOf(name, wanted);
  if (literals === undefined) return undefined;
  const isHere = isSetHere(settings, name) || isSetHere(first.settings, name);
  return [`${settingTo(second.name, name, { isHere, database })} = ${literals}`];
}

function alterText(role: string, database: string | undefined): string {
  return `ALTER ROLE ${q(role)}${database === undefined ? '' : ` IN DATABASE ${q(database)}`}`;
}

function valueIn(settings: readonly string[], name: string): string | undefined {
  return settings.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1);
}

function valueText(name: string, value: string | undefined): string {
  return value === undefined ? `no ${shown(name)}` : shown(`${name}=${value}`);
}

/** Settings of extensions are two names with a dot between. */
function nameInSql(name: string): string {
  return name.split('.').map(q).join('.');
}

/** Undefined where the value cannot be said in SQL that surely does nothing else. */
function literalsOf(name: string, value: string): string | undefined {
  if (!lists.has(name) || value === '') return pg.escapeLiteral(value);
  return listItems(value)
    ?.map((one) => pg.escapeLiteral(one))
    .join(', ');
}

/** Settings that are lists of names: as one literal they would be one name. */
const lists = new Set(['search_path', 'temp_tablespaces', 'session_preload_libraries', 'local_preload_libraries']);

/**
 * The names in a list setting; undefined where it is none. A consumer can store any text that the server takes for a list
 * (`SET … FROM CURRENT` keeps it as it was typed), statements included, so it never becomes SQL as it is.
 */
export function listItems(value: string): readonly string[] | undefined {
  const item = '(?:[a-z_$][a-z0-9_$]*|"(?:[^"]|"")+"|"")';
  if (!new RegExp(`^${item}(?:, ?${item})*$`).test(value)) return undefined;
  const items = value.match(new RegExp(item, 'g')) ?? [];
  return items.map((one) => (one.startsWith('"') ? one.slice(1, -1).replaceAll('""', '"') : one));
}
