import pg from 'pg';
import type { Slot } from './contract.ts';

/** What the checks need of the driver's options. */
export interface RolesWanted {
  readonly strategy: 'alternating' | 'single';
  readonly users: readonly Slot[];
  readonly ownerRole?: string;
  readonly database: string;
}

/** One role as the catalog shows it. */
export interface RoleSeen {
  readonly name: string;
  readonly login: boolean;
  readonly superuser: boolean;
  readonly inherits: boolean;
  /** -1: no limit. */
  readonly connections: number;
  /** RFC 3339 or null. */
  readonly validUntil: string | null;
  /** `name=value`, sorted; of this role everywhere and in this database. */
  readonly settings: readonly string[];
  /** Names of the roles it is a direct member of, sorted. */
  readonly memberOf: readonly string[];
  /** What it owns itself in this database, sorted. */
  readonly owns: readonly string[];
  /** What it was granted itself in this database, sorted. */
  readonly granted: readonly string[];
  /** True where lockkeeper's own login may change its password. */
  readonly administered: boolean;
}

/** Reads the users and the owner role; a role that does not exist is missing from the answer. */
export async function readRoles(client: pg.Client, wanted: RolesWanted): Promise<readonly RoleSeen[]> {
  const names = [...wanted.users, ...(wanted.ownerRole === undefined ? [] : [wanted.ownerRole])];
  const { rows } = await client.query<RoleSeen>(rolesText, [names]);
  return rows;
}

/** The right to change a password: a superuser; before 16 CREATEROLE alone; from 16 on CREATEROLE and ADMIN OPTION. */
const rolesText = `
  SELECT r.rolname AS name, r.rolcanlogin AS login, r.rolsuper AS superuser, r.rolinherit AS inherits,
    r.rolconnlimit AS connections,
    pg_catalog.to_json(nullif(r.rolvaliduntil, 'infinity'::pg_catalog.timestamptz)) #>> '{}'::pg_catalog.text[] AS "validUntil",
    ARRAY(SELECT pg_catalog.unnest(s.setconfig) FROM pg_catalog.pg_db_role_setting s
      WHERE s.setrole = r.oid AND s.setdatabase IN (0::pg_catalog.oid, d.oid) ORDER BY 1) AS settings,
    ARRAY(SELECT g.rolname::pg_catalog.text FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles g ON g.oid = m.roleid
      WHERE m.member = r.oid ORDER BY 1) AS "memberOf",
    ARRAY(${dependent('o')}) AS owns,
    ARRAY(${dependent('a')}) AS granted,
    me.rolsuper OR (me.rolcreaterole AND NOT r.rolsuper
      AND (pg_catalog.current_setting('server_version_num')::pg_catalog.int4 < 160000
        OR pg_catalog.pg_has_role(me.oid, r.oid, 'MEMBER WITH ADMIN OPTION'))) AS administered
  FROM pg_catalog.pg_roles r, pg_catalog.pg_database d, pg_catalog.pg_roles me
  WHERE r.rolname = ANY($1::pg_catalog.name[]) AND d.datname = pg_catalog.current_database() AND me.rolname = current_user`;

/** What hangs on a role in this database: `o`, what it owns; `a`, what it was granted. */
function dependent(kind: 'o' | 'a'): string {
  return `SELECT pg_catalog.pg_describe_object(o.classid, o.objid, o.objsubid) FROM pg_catalog.pg_shdepend o
      WHERE o.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND o.refobjid = r.oid
        AND o.deptype = '${kind}'::pg_catalog."char" AND o.dbid IN (0::pg_catalog.oid, d.oid) ORDER BY 1`;
}

/** What must be fixed, each with the SQL that does it, in an order that can be run from top to bottom. */
export interface RoleProblems {
  readonly problems: readonly Problem[];
  /** True where both users see the same objects and rights. */
  readonly equal: boolean;
}

/** One thing in the way. The SQL stands apart, for the text has names in it that consumers chose. */
export interface Problem {
  readonly text: string;
  readonly sql?: string;
}

/** Judges the roles as the catalog shows them. Pure. */
export function roleProblems(roles: readonly RoleSeen[], wanted: RolesWanted): RoleProblems {
  const users = wanted.users.map((name) => ({ name, role: roles.find((role) => role.name === name) }));
  const each = users.flatMap(({ name, role }) =>
    role ? loginProblems(role) : [fix(`role ${name} does not exist`, `CREATE ROLE ${q(name)} LOGIN`)],
  );
  const count = wanted.strategy === 'alternating' ? 2 : 1;
  const counted =
    new Set(wanted.users).size === count && wanted.users.length === count
      ? []
      : [
          {
            text: `${wanted.strategy} needs ${count} different users, not ${wanted.users.length}. Name them in the configuration.`,
          },
        ];
  if (wanted.strategy === 'single') return { problems: [...counted, ...each], equal: false };
  const shared = ownerProblems(roles, wanted);
  const unequal = pairProblems(
    users.flatMap(({ role }) => role ?? []),
    wanted,
  );
  return {
    problems: [...counted, ...each, ...shared, ...unequal],
    equal: counted.length + each.length + shared.length + unequal.length === 0,
  };
}

function loginProblems(role: RoleSeen): readonly Problem[] {
  const found: Problem[] = [];
  if (role.superuser)
    found.push(
      fix(`${role.name} is a superuser, which no consumer should be`, `ALTER ROLE ${q(role.name)} NOSUPERUSER`),
    );
  if (!role.login) found.push(fix(`${role.name} cannot log in`, `ALTER ROLE ${q(role.name)} LOGIN`));
  if (!role.administered) {
    found.push(
      fix(
        `lockkeeper's own login may not change the password of ${role.name}`,
        `ALTER ROLE <lockkeeper> CREATEROLE; GRANT ${q(role.name)} TO <lockkeeper> WITH ADMIN OPTION`,
      ),
    );
  }
  return found;
}

function ownerProblems(roles: readonly RoleSeen[], wanted: RolesWanted): readonly Problem[] {
  const { ownerRole, users } = wanted;
  if (ownerRole === undefined)
    return [
      {
        text: 'No owner role is named. Name the NOLOGIN role that both users share: without it each user owns what it makes, and the other cannot change it.',
      },
    ];
  const owner = roles.find((role) => role.name === ownerRole);
  if (!owner) {
    const grants = users
      .map(
        (user) =>
          `GRANT ${q(ownerRole)} TO ${q(user)}; ALTER ROLE ${q(user)} SET role = ${pg.escapeLiteral(ownerRole)}`,
      )
      .join('; ');
    return [fix(`the owner role ${ownerRole} does not exist`, `CREATE ROLE ${q(ownerRole)} NOLOGIN; ${grants}`)];
  }
  const found = owner.login
    ? [fix(`the owner role ${ownerRole} can log in by itself`, `ALTER ROLE ${q(ownerRole)} NOLOGIN`)]
    : [];
  return [
    ...found,
    ...roles.filter((role) => users.includes(role.name)).flatMap((role) => memberProblems(role, ownerRole)),
  ];
}

function memberProblems(role: RoleSeen, ownerRole: string): readonly Problem[] {
  const found: Problem[] = [];
  if (!role.memberOf.includes(ownerRole))
    found.push(fix(`${role.name} is not a member of ${ownerRole}`, `GRANT ${q(ownerRole)} TO ${q(role.name)}`));
  if (!role.settings.some((setting) => setting === `role=${ownerRole}` || setting === `role=${q(ownerRole)}`)) {
    found.push(
      fix(
        `${role.name} does not become ${ownerRole} when it logs in`,
        `ALTER ROLE ${q(role.name)} SET role = ${pg.escapeLiteral(ownerRole)}`,
      ),
    );
  }
  if (role.owns.length > 0) {
    found.push(
      fix(`${role.name} owns ${listed(role.owns)} itself`, `REASSIGN OWNED BY ${q(role.name)} TO ${q(ownerRole)}`),
    );
  }
  return found;
}

/** Whatever one user has and the other has not, consumers would lose at the next turn. */
function pairProblems([a, b]: readonly RoleSeen[], wanted: RolesWanted): readonly Problem[] {
  if (!a || !b) return [];
  const found: Problem[] = [];
  const names = `${a.name} and ${b.name}`;
  if (a.connections !== b.connections)
    found.push(
      fix(
        `${names} have different connection limits (${a.connections}, ${b.connections})`,
        `ALTER ROLE ${q(b.name)} CONNECTION LIMIT ${a.connections}`,
      ),
    );
  if (a.validUntil !== b.validUntil)
    found.push(
      fix(
        `${names} expire at different times (${a.validUntil ?? 'never'}, ${b.validUntil ?? 'never'})`,
        `ALTER ROLE ${q(b.name)} VALID UNTIL ${pg.escapeLiteral(a.validUntil ?? 'infinity')}`,
      ),
    );
  if (a.inherits !== b.inherits)
    found.push(fix(`${names} differ in INHERIT`, `ALTER ROLE ${q(b.name)} ${a.inherits ? 'INHERIT' : 'NOINHERIT'}`));
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const) {
    const isOwner = (name: string) => name === wanted.ownerRole || name.startsWith('role=');
    for (const group of missing(one.memberOf, other.memberOf))
      if (!isOwner(group))
        found.push(fix(`only ${one.name} is a member of ${shown(group)}`, `GRANT ${q(group)} TO ${q(other.name)}`));
    // Where both have the setting with different values, the first user's is proposed.
    const settled = one === a ? [] : other.settings.map(nameOf);
    for (const setting of missing(one.settings, other.settings))
      if (!isOwner(setting) && !settled.includes(nameOf(setting)))
        found.push(settingProblem(one.name, other.name, setting));
    const granted = missing(one.granted, other.granted);
    if (granted.length > 0)
      found.push({
        text: `Only ${one.name} was granted rights on ${listed(granted)} directly. Grant them to the owner role instead, so that both users have them.`,
      });
  }
  return found;
}

function settingProblem(one: string, other: string, setting: string): Problem {
  const what = `only ${one} has the setting ${shown(setting)}`;
  const sql = settingSql(other, setting);
  return sql === undefined ? { text: `${capital(what)}. Set it for ${other} by hand, or reset it.` } : fix(what, sql);
}

/** Settings that are lists of names: as one literal they would be one name. */
const lists = new Set(['search_path', 'temp_tablespaces', 'session_preload_libraries', 'local_preload_libraries']);

/** Undefined where the value cannot be said in SQL that surely does nothing else. */
function settingSql(role: string, setting: string): string | undefined {
  const name = nameOf(setting);
  const value = setting.slice(name.length + 1);
  const values = lists.has(name) && value !== '' ? listItems(value) : [value];
  return values && `ALTER ROLE ${q(role)} SET ${q(name)} = ${values.map((one) => pg.escapeLiteral(one)).join(', ')}`;
}

/**
 * The names in a list setting. A consumer can store any text that the server takes for a list (`SET … FROM CURRENT`
 * keeps it as it was typed), statements included, so it never becomes SQL as it is.
 */
function listItems(value: string): readonly string[] | undefined {
  const item = '(?:[a-z_$][a-z0-9_$]*|"(?:[^"]|"")+"|"")';
  if (!new RegExp(`^${item}(?:, ?${item})*$`).test(value)) return undefined;
  const items = value.match(new RegExp(item, 'g')) ?? [];
  return items.map((one) => (one.startsWith('"') ? one.slice(1, -1).replaceAll('""', '"') : one));
}

function nameOf(setting: string): string {
  return setting.slice(0, setting.indexOf('='));
}

function missing(here: readonly string[], there: readonly string[]): readonly string[] {
  return here.filter((one) => !there.includes(one));
}

function listed(things: readonly string[]): string {
  return things.slice(0, 3).map(shown).join(', ') + (things.length > 3 ? ` and ${things.length - 3} more` : '');
}

/** A name that others chose, so that it reads as one: in quotes where it holds more than names do. */
function shown(name: string): string {
  return /^[\p{L}\p{N} _$.,=@/-]{1,80}$/u.test(name) ? name : JSON.stringify(name.slice(0, 200));
}

function fix(what: string, sql: string): Problem {
  return { text: `${capital(what)}. Run: ${sql};`, sql: `${sql};` };
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function q(name: string): string {
  return pg.escapeIdentifier(name);
}
