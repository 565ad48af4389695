import { LockkeeperError } from '../base/error.ts';
import { adminProblems } from './postgres-admin-problems.ts';
import { fix, fixAsSuperuser, inDatabase, q, type Problem } from './postgres-fixes.ts';
import { inherited } from './postgres-memberships.ts';
import {
  attributeProblems,
  groupProblems,
  membershipProblems,
  namedProblems,
  ownedProblem,
  ownsProblems,
  pathProblems,
  sessionProblems,
  type Planned,
} from './postgres-owner-problems.ts';
import { pairProblems } from './postgres-pair-problems.ts';
import { connectProblems } from './postgres-right-problems.ts';
import type { RightSeen } from './postgres-rights.ts';
import type { DatabaseSeen, OtherDatabase, RoleSeen, RolesSeen, RolesWanted } from './postgres-roles.ts';

/** What must be fixed, each with the SQL that does it, in an order that can be run from top to bottom, in one go. */
export interface RoleProblems {
  readonly problems: readonly Problem[];
  /** True where both users see the same objects and rights. */
  readonly equal: boolean;
}

/**
 * Judges the roles as the catalog shows them. Each statement assumes that those above it were run, so that one round is
 * enough even where nothing is there yet. No statement takes a right from who has it today, but superuser from a consumer.
 * What the owner role is to have comes before users become it, so that no session is without it in between. Pure.
 */
export function roleProblems(seen: RolesSeen, wanted: RolesWanted): RoleProblems {
  const users = [...new Set(wanted.users)].map((name) => ({ name, role: roleOf(seen, name) }));
  const roles = users.map(({ name, role }) => role ?? fresh(name));
  const missing = users.flatMap(({ name, role }) =>
    role ? [] : [fix(`role ${name} does not exist`, `CREATE ROLE ${q(name)} LOGIN`)],
  );
  const admin = adminProblems(seen.admin, roles);
  const consumers = [...counted(wanted), ...missing, ...roles.flatMap((role) => loginProblems(role, seen))];
  const { ownerRole } = wanted;
  if (wanted.strategy === 'single' || ownerRole === undefined) {
    const connect = connects(seen, wanted, seen.database.rights);
    const unnamed = wanted.strategy === 'single' ? [] : [noOwner];
    return { problems: [...unnamed, ...consumers, ...connect, ...admin], equal: false };
  }
  const owner = ownerProblems(roleOf(seen, ownerRole), ownerRole);
  const planned: Planned = {
    version: seen.admin.version,
    database: wanted.database,
    owner: roleOf(seen, ownerRole) ?? fresh(ownerRole),
    users: roles,
    memberships: seen.memberships,
  };
  const shared = sharedProblems(planned, seen, wanted);
  return {
    problems: distinct([...owner, ...consumers, ...admin, ...shared]),
    equal: owner.length + consumers.length + shared.length === 0,
  };
}

/** What makes the two users one and the same to everything they do. */
function sharedProblems(planned: Planned, seen: RolesSeen, wanted: RolesWanted): readonly Problem[] {
  const { users } = planned;
  const memberships = users.flatMap((user) => membershipProblems(user, planned));
  const groups = users.flatMap((user) => [...attributeProblems(user, planned), ...groupProblems(user, planned)]);
  const here = { database: seen.database, rights: ofOthers(seen.database.rights, planned) };
  const named = users.flatMap((user) => namedProblems(user, planned, here));
  const elsewhere = seen.elsewhere.flatMap((other) => elsewhereProblems(planned, other, seen.admin.name));
  const paths = pathProblems(planned, seen.database.schemas);
  const pair = pairProblems(planned, ['role', ...(paths.length > 0 ? ['search_path'] : [])]);
  const connect = connects({ ...seen, memberships: planned.memberships }, wanted, seen.database.rights);
  return [
    ...memberships,
    ...groups,
    ...named,
    ...connect,
    ...paths,
    ...users.flatMap((user) => sessionProblems(user, planned)),
    ...users.flatMap((user) => ownsProblems(user, planned)),
    ...elsewhere,
    ...pair,
  ];
}

/** What users and owner role own is both users' own, or will be once it is reassigned: grants on it change nothing. */
function ofOthers(rights: readonly RightSeen[], { owner, users }: Planned): readonly RightSeen[] {
  const own = [owner, ...users].map(({ name }) => name);
  return rights.filter((right) => !own.includes(right.owner));
}

function elsewhereProblems(planned: Planned, other: OtherDatabase, admin: string): readonly Problem[] {
  const { owner, users } = planned;
  const owned = other.of.flatMap(({ role, owns }) => {
    const user = users.find(({ name }) => name === role);
    if (!user || owns === 0) return [];
    return [ownedProblem(user, owner.name, { what: `${owns} objects`, database: other.name })];
  });
  if (other.seen === undefined) return owned;
  if (other.seen instanceof LockkeeperError) return [...owned, unread(other, other.seen, admin)];
  const database: DatabaseSeen = other.seen;
  const rights = ofOthers(database.rights, planned).filter(({ kind }) => !clusterWide.has(kind));
  const there = { database, rights };
  return [
    ...users.flatMap((user) => namedProblems(user, planned, there)).map((problem) => inDatabase(problem, other.name)),
    ...owned,
  ];
}

/** These are the same in every database, and told by the one that is rotated. */
const clusterWide = new Set(['DATABASE', 'TABLESPACE', 'PARAMETER']);

function unread({ name, of }: OtherDatabase, error: LockkeeperError, admin: string): Problem {
  const who = of.filter(({ others }) => others > 0).map(({ role, others }) => `${role} (${others})`);
  const what = `rights in the database ${JSON.stringify(name)} hang on ${who.join(' and ')}, and lockkeeper's own login cannot read them: ${error.message}`;
  if (error.code === 'denied') return fixAsSuperuser(what, `GRANT CONNECT ON DATABASE ${q(name)} TO ${q(admin)}`);
  return { text: `${what}. ${error.hint ?? ''}`.trim() };
}

function connects(seen: RolesSeen, { users, database }: RolesWanted, rights: readonly RightSeen[]): readonly Problem[] {
  return connectProblems(users, (user) => inherited(user, seen.memberships), { rights, database });
}

/** Both users may lack the same, and what one statement does need not be done twice. */
function distinct(problems: readonly Problem[]): readonly Problem[] {
  return [...Map.groupBy(problems, ({ sql, text }) => sql ?? text).values()].flatMap(([first]) => first ?? []);
}

function roleOf({ roles }: RolesSeen, name: string): RoleSeen | undefined {
  return roles.find((role) => role.name === name);
}

/** A role as CREATE ROLE … LOGIN makes it. */
function fresh(name: string): RoleSeen {
  return {
    name,
    login: true,
    superuser: false,
    inherits: true,
    attributes: [],
    connections: -1,
    sessions: 0,
    validUntil: null,
    expired: false,
    expiresSoon: false,
    settings: { here: [], everywhere: [], database: [], all: [] },
    owns: [],
    administered: false,
    ours: false,
    aboveUs: false,
  };
}

function counted({ strategy, users }: RolesWanted): readonly Problem[] {
  const count = strategy === 'alternating' ? 2 : 1;
  if (new Set(users).size === count && users.length === count) return [];
  return [{ text: `${strategy} needs ${count} different users, not ${users.length}. Name them in the configuration.` }];
}

function loginProblems(role: RoleSeen, { admin }: RolesSeen): readonly Problem[] {
  const { name } = role;
  const alter = (what: string) => `ALTER ROLE ${q(name)} ${what}`;
  const found: Problem[] = [];
  // lockkeeper's own login that changes itself is no consumer.
  if (role.superuser && name !== admin.name)
    found.push(fixAsSuperuser(`${name} is a superuser, which no consumer should be`, alter('NOSUPERUSER')));
  if (!role.login) found.push(fix(`${name} cannot log in`, alter('LOGIN')));
  if (role.expired)
    found.push(
      fix(
        `${name} expired at ${role.validUntil ?? 'a time past'}: every login as it is refused, whatever the password`,
        alter("VALID UNTIL 'infinity'"),
      ),
    );
  if (role.connections === 0)
    found.push(fix(`${name} may hold no connection at all (CONNECTION LIMIT 0)`, alter('CONNECTION LIMIT -1')));
  return found;
}

const noOwner: Problem = {
  text: 'No owner role is named. Name the NOLOGIN role that both users share: without it each user owns what it makes, and the other cannot change it.',
};

function ownerProblems(owner: RoleSeen | undefined, name: string): readonly Problem[] {
  if (!owner) return [fix(`the owner role ${name} does not exist`, `CREATE ROLE ${q(name)} NOLOGIN`)];
  return owner.login ? [fix(`the owner role ${name} can log in by itself`, `ALTER ROLE ${q(name)} NOLOGIN`)] : [];
}
