import pg from 'pg';
import { defaultProblems, mappingProblems, type Becoming } from './postgres-defaults.ts';
import { fix, fixAsSuperuser, inDatabase, listed, q, shown, type Problem } from './postgres-fixes.ts';
import {
  inherited,
  memberOfAny,
  reachOf,
  widest,
  covers,
  type Membership,
  type Reach,
} from './postgres-memberships.ts';
import { policyProblems } from './postgres-policies.ts';
import { isHeld, rightProblems } from './postgres-right-problems.ts';
import type { RightSeen } from './postgres-rights.ts';
import type { DatabaseSeen, RoleSeen } from './postgres-roles.ts';
import { effective, isSetHere, listItems, settingTo } from './postgres-settings.ts';

/** What the statements so far lead to; each problem is looked for in what those above it leave. */
export interface Planned {
  readonly version: number;
  readonly database: string;
  readonly owner: RoleSeen;
  readonly users: readonly RoleSeen[];
  /** With those that are to be granted. */
  memberships: readonly Membership[];
}

/** True where a session of the user begins as the owner role. */
export function becomesOwner({ settings }: RoleSeen, owner: string): boolean {
  const role = effective(settings, 'role');
  return role === owner || role === q(owner);
}

/** The user can become the owner role, and has its rights before it does so and after SET ROLE NONE. */
export function membershipProblems(user: RoleSeen, planned: Planned): readonly Problem[] {
  const { owner, version } = planned;
  const found: Problem[] = [];
  if (memberOfAny(owner.name, planned.memberships).has(user.name)) found.push(upsideDown(user, planned));
  const reach = reachOf(user.name, owner.name, planned.memberships);
  const isMember = memberOfAny(user.name, planned.memberships).has(owner.name);
  if (!reach.becomes || (version >= 160_000 && !reach.inherits)) {
    const how = !isMember
      ? 'is not a member of'
      : reach.becomes
        ? 'has no rights (INHERIT) of'
        : 'may not become (SET)';
    const options = version >= 160_000 ? ' WITH INHERIT TRUE, SET TRUE' : '';
    found.push(fix(`${user.name} ${how} ${owner.name}`, `GRANT ${q(owner.name)} TO ${q(user.name)}${options}`));
  }
  if (version < 160_000 && !user.inherits)
    found.push(
      fix(
        `${user.name} has none of the rights of ${owner.name} before it becomes it`,
        `ALTER ROLE ${q(user.name)} INHERIT`,
      ),
    );
  const granted = { member: user.name, name: owner.name, admin: false, becomes: true, inherits: true };
  planned.memberships = [...planned.memberships, granted].map((one) =>
    version < 160_000 && one.member === user.name ? { ...one, inherits: true } : one,
  );
  return found;
}

function upsideDown(user: RoleSeen, planned: Planned): Problem {
  const { owner } = planned;
  const isOverIt = (one: Membership) => one.member === owner.name && one.name === user.name;
  const what = `the owner role ${owner.name} is a member of ${user.name}, which must be the other way round`;
  if (!planned.memberships.some(isOverIt)) return { text: `${what}. Take that membership away.` };
  planned.memberships = planned.memberships.filter((one) => !isOverIt(one));
  return fixAsSuperuser(what, `REVOKE ${q(user.name)} FROM ${q(owner.name)}`);
}

/** Attributes are asked of who a session is, and no member has them of its group. */
export function attributeProblems(user: RoleSeen, { owner }: Planned): readonly Problem[] {
  if (becomesOwner(user, owner.name)) return [];
  return user.attributes
    .filter((name) => !owner.attributes.includes(name))
    .map((name) =>
      fixAsSuperuser(`${user.name} has ${name}, and would not as ${owner.name}`, `ALTER ROLE ${q(owner.name)} ${name}`),
    );
}

/** A user that becomes the owner role has no more the rights of the groups that it is in itself. */
export function groupProblems(user: RoleSeen, planned: Planned): readonly Problem[] {
  if (becomesOwner(user, planned.owner.name)) return [];
  return groupsOf(user.name, planned)
    .filter((group) => (group.inherits || group.admin) && !isAbove(group.name, planned))
    .flatMap((group) => grantGroup(planned.owner, group, planned));
}

/** The groups of a user that are neither the owner role nor the other user. */
export function groupsOf(user: string, { memberships, owner, users }: Planned): readonly Membership[] {
  const others = [owner.name, ...users.map(({ name }) => name)];
  return memberships.filter(({ member, name }) => member === user && !others.includes(name));
}

/** `to` gets what it lacks of the membership, and keeps what it has. */
export function grantGroup(to: RoleSeen, group: Membership, planned: Planned): readonly Problem[] {
  const has = reachOf(to.name, group.name, planned.memberships);
  if (covers(has, group)) return [];
  const merged = widest(has, group);
  const what = `only ${group.member} has all its rights as a member of ${shown(group.name)}, and ${to.name} has not`;
  const sql = `GRANT ${q(group.name)} TO ${q(to.name)}${optionsOf(merged, planned.version)}`;
  planned.memberships = [...planned.memberships, { ...merged, member: to.name, name: group.name }];
  const grant = fixAsSuperuser(what, sql);
  if (planned.version >= 160_000 || to.inherits) return [grant];
  return [grant, fixAsSuperuser(`${to.name} has none of the rights of its groups`, `ALTER ROLE ${q(to.name)} INHERIT`)];
}

function optionsOf({ admin, becomes, inherits }: Reach, version: number): string {
  if (version < 160_000) return admin ? ' WITH ADMIN OPTION' : '';
  return ` WITH ADMIN ${word(admin)}, INHERIT ${word(inherits)}, SET ${word(becomes)}`;
}

function word(is: boolean): string {
  return is ? 'TRUE' : 'FALSE';
}

/** True where the group is a member of the owner role, which can be no member of it then. */
function isAbove(group: string, { memberships, owner }: Planned): boolean {
  return memberOfAny(group, memberships).has(owner.name);
}

/** Everything in one database that names the user and must name the owner role. `rights` grow by what is granted. */
export function namedProblems(
  user: RoleSeen,
  planned: Planned,
  seen: { readonly database: DatabaseSeen; rights: readonly RightSeen[] },
): readonly Problem[] {
  const becoming = becomingOf(user, planned);
  const other = planned.users.find(({ name }) => name !== user.name);
  const otherHas = inherited(other?.name ?? user.name, planned.memberships);
  // Where nobody is to become anybody any more, only a difference between the two matters.
  const isSettled = becomesOwner(user, planned.owner.name);
  const problems = rightProblems(becoming, seen.rights, (right) => isSettled && isHeld(right, otherHas, seen.rights));
  const granted = seen.rights.filter(({ grantee }) => grantee !== null && becoming.sources.has(grantee));
  seen.rights = [...seen.rights, ...granted.map((right) => ({ ...right, grantee: planned.owner.name }))];
  const { defaults, mappings, policies } = seen.database;
  return [
    ...problems,
    ...defaultProblems(becoming, defaults),
    ...mappingProblems(becoming, mappings),
    ...policyProblems(
      becoming,
      policies.filter(({ roles }) => !isSettled || !roles.some((role) => role !== null && otherHas.has(role))),
    ),
  ];
}

/** Whose rights the user has today that the owner role does not have as their member. */
function becomingOf(user: RoleSeen, planned: Planned): Becoming {
  const above = [...inherited(user.name, planned.memberships)].filter(
    (name) => name !== planned.owner.name && isAbove(name, planned),
  );
  return {
    user: user.name,
    sources: new Set([user.name, ...above]),
    owner: planned.owner.name,
    holders: inherited(planned.owner.name, planned.memberships),
  };
}

/** The session begins as the owner role. */
export function sessionProblems(user: RoleSeen, { owner, database }: Planned): readonly Problem[] {
  if (becomesOwner(user, owner.name)) return [];
  const place = { isHere: isSetHere(user.settings, 'role'), database };
  const sql = `${settingTo(user.name, 'role', place)} = ${pg.escapeLiteral(owner.name)}`;
  return [fix(`${user.name} does not become ${owner.name} when it logs in`, sql)];
}

/** "$user" in a search_path finds the schema that is named as who the session is: the owner role from now on. */
export function pathProblems({ users, owner, database }: Planned, schemas: readonly string[]): readonly Problem[] {
  const finding = users.filter(
    (user) => !becomesOwner(user, owner.name) && schemas.includes(user.name) && pathOf(user).includes('$user'),
  );
  const [first] = finding;
  if (!first) return [];
  const found = finding.map(({ name }) => name);
  const items = pathOf(first).flatMap((one) => (one === '$user' ? found : [one]));
  // For both users, or they would find different tables.
  return users.map((user) => {
    const place = { isHere: isSetHere(user.settings, 'search_path'), database };
    return fix(
      `${found.join(' and ')} ${found.length > 1 ? 'find' : 'finds'} the schema of its own name by "$user" in its search_path, and would not as ${owner.name}`,
      `${settingTo(user.name, 'search_path', place)} = ${items.map((one) => pg.escapeLiteral(one)).join(', ')}`,
    );
  });
}

function pathOf({ settings }: RoleSeen): readonly string[] {
  return listItems(effective(settings, 'search_path') ?? '"$user", public') ?? [];
}

/** What it owns goes to the owner role: `database` names another database where it is not this one. */
export function ownedProblem(
  user: RoleSeen,
  owner: string,
  { what, database }: { readonly what: string; readonly database?: string },
): Problem {
  const sql = `REASSIGN OWNED BY ${q(user.name)} TO ${q(owner)}`;
  const problem = fixAsSuperuser(`${user.name} owns ${what} itself, which the other user could not change`, sql);
  return database === undefined ? problem : inDatabase(problem, database);
}

/** What the user owns here. */
export function ownsProblems(user: RoleSeen, { owner }: Planned): readonly Problem[] {
  return user.owns.length === 0 ? [] : [ownedProblem(user, owner.name, { what: listed(user.owns) })];
}
