import pg from 'pg';
import {
  capital,
  fix,
  fixAsSuperuser,
  listed,
  q,
  settingsOf,
  settingTo,
  shown,
  type Problem,
} from './postgres-fixes.ts';
import { attributes, type AdminSeen, type Membership, type RoleSeen, type RolesWanted } from './postgres-roles.ts';

/** Whatever one user has and the other has not, consumers would lose at the next turn. */
export function pairProblems(
  { version }: AdminSeen,
  [a, b]: readonly RoleSeen[],
  { ownerRole, database }: RolesWanted,
): readonly Problem[] {
  if (!a || !b) return [];
  const found = [...limitProblems(a, b)];
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const) {
    found.push(...attributeProblems(one, other));
    for (const group of one.memberOf)
      if (group.name !== ownerRole) found.push(...groupProblem(one, other, { group, version }));
    // Where both have the setting with different values, the first user's is proposed.
    const settled = one === a ? new Map<string, string>() : settingsOf(other);
    for (const [name, value] of settingsOf(one))
      if (name !== 'role' && !settled.has(name) && settingsOf(other).get(name) !== value)
        found.push(settingProblem(one.name, other, { name, value, database }));
    const granted = one.granted.filter((thing) => !other.granted.includes(thing));
    if (granted.length > 0)
      found.push({
        text: `Only ${one.name} was granted rights on ${listed(granted)} directly. Grant them to the owner role instead, so that both users have them, and revoke them from ${one.name}.`,
      });
  }
  return found;
}

function limitProblems(a: RoleSeen, b: RoleSeen): readonly Problem[] {
  const names = `${a.name} and ${b.name}`;
  const found: Problem[] = [];
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
  return found;
}

function attributeProblems(one: RoleSeen, other: RoleSeen): readonly Problem[] {
  return attributes
    .filter((name) => one.attributes.includes(name) && !other.attributes.includes(name))
    .map((name) => fixAsSuperuser(`only ${one.name} has ${name}`, `ALTER ROLE ${q(other.name)} ${name}`));
}

/** The other user gets what it lacks of the membership, and keeps what it has. */
function groupProblem(
  one: RoleSeen,
  other: RoleSeen,
  { group, version }: { readonly group: Membership; readonly version: number },
): readonly Problem[] {
  const has = other.memberOf.find(({ name }) => name === group.name);
  const more = {
    admin: group.admin && !has?.admin,
    becomes: group.becomes && !has?.becomes,
    inherits: group.inherits && !has?.inherits,
  };
  if (has && !more.admin && !more.becomes && !more.inherits) return [];
  const merged = has
    ? {
        admin: group.admin || has.admin,
        becomes: group.becomes || has.becomes,
        inherits: group.inherits || has.inherits,
      }
    : group;
  const what = has ? `only ${one.name} has all its rights as a member of` : `only ${one.name} is a member of`;
  const sql = `GRANT ${q(group.name)} TO ${q(other.name)}${optionsOf(merged, version)}`;
  return [fixAsSuperuser(`${what} ${shown(group.name)}`, sql)];
}

function optionsOf({ admin, becomes, inherits }: Omit<Membership, 'name'>, version: number): string {
  if (version < 160_000) return admin ? ' WITH ADMIN OPTION' : '';
  return ` WITH ADMIN ${word(admin)}, INHERIT ${word(inherits)}, SET ${word(becomes)}`;
}

function word(is: boolean): string {
  return is ? 'TRUE' : 'FALSE';
}

interface Setting {
  readonly name: string;
  readonly value: string;
  readonly database: string;
}

function settingProblem(one: string, other: RoleSeen, { name, value, database }: Setting): Problem {
  const what = `only ${one} has the setting ${shown(`${name}=${value}`)}`;
  const literals = literalsOf(name, value);
  if (literals === undefined) return { text: `${capital(what)}. Set it for ${other.name} by hand, or reset it.` };
  // Most settings are for any administrator of the role to make; a few need a superuser.
  return fixAsSuperuser(what, `${settingTo(other, name, database)} = ${literals}`);
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
 * The names in a list setting. A consumer can store any text that the server takes for a list (`SET … FROM CURRENT`
 * keeps it as it was typed), statements included, so it never becomes SQL as it is.
 */
function listItems(value: string): readonly string[] | undefined {
  const item = '(?:[a-z_$][a-z0-9_$]*|"(?:[^"]|"")+"|"")';
  if (!new RegExp(`^${item}(?:, ?${item})*$`).test(value)) return undefined;
  const items = value.match(new RegExp(item, 'g')) ?? [];
  return items.map((one) => (one.startsWith('"') ? one.slice(1, -1).replaceAll('""', '"') : one));
}
