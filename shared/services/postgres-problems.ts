import pg from 'pg';
import { adminProblems } from './postgres-admin-problems.ts';
import { pairProblems } from './postgres-pair-problems.ts';
import { fix, fixAsSuperuser, listed, q, settingsOf, settingTo, type Problem } from './postgres-fixes.ts';
import type { RoleSeen, RolesSeen, RolesWanted } from './postgres-roles.ts';

/** What must be fixed, each with the SQL that does it, in an order that can be run from top to bottom, in one go. */
export interface RoleProblems {
  readonly problems: readonly Problem[];
  /** True where both users see the same objects and rights. */
  readonly equal: boolean;
}

/**
 * Judges the roles as the catalog shows them. Each statement assumes that those above it were run, so that one round is
 * enough even where nothing is there yet. Pure.
 */
export function roleProblems(seen: RolesSeen, wanted: RolesWanted): RoleProblems {
  const users = [...new Set(wanted.users)].map((name) => ({ name, role: roleOf(seen, name) }));
  const roles = users.map(({ name, role }) => role ?? fresh(name));
  const missing = users.flatMap(({ name, role }) =>
    role ? [] : [fix(`role ${name} does not exist`, `CREATE ROLE ${q(name)} LOGIN`)],
  );
  const admin = adminProblems(seen.admin, roles);
  const consumers = [...counted(wanted), ...missing, ...roles.flatMap((role) => loginProblems(role, seen))];
  if (wanted.strategy === 'single') return { problems: [...consumers, ...admin], equal: false };
  const owner = ownerProblems(seen, wanted);
  const becoming = wanted.ownerRole === undefined ? [] : roles.flatMap((role) => memberProblems(role, seen, wanted));
  const unequal = pairProblems(seen.admin, roles, wanted);
  return {
    problems: [...owner, ...consumers, ...admin, ...becoming, ...unequal],
    equal: owner.length + consumers.length + becoming.length + unequal.length === 0,
  };
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
    validUntil: null,
    settingsHere: [],
    settingsEverywhere: [],
    memberOf: [],
    owns: [],
    keeps: [],
    granted: [],
    administered: false,
    ours: false,
    aboveUs: false,
  };
}

function counted({ strategy, users }: RolesWanted): readonly Problem[] {
  const count = strategy === 'alternating' ? 2 : 1;
  if (new Set(users).size === count && users.length === count) return [];
  return [
    {
      text: `${strategy} needs ${count} different users, not ${users.length}. Name them in the configuration.`,
    },
  ];
}

function loginProblems(role: RoleSeen, { admin }: RolesSeen): readonly Problem[] {
  const found: Problem[] = [];
  // lockkeeper's own login that changes itself is no consumer.
  if (role.superuser && role.name !== admin.name)
    found.push(
      fixAsSuperuser(
        `${role.name} is a superuser, which no consumer should be`,
        `ALTER ROLE ${q(role.name)} NOSUPERUSER`,
      ),
    );
  if (!role.login) found.push(fix(`${role.name} cannot log in`, `ALTER ROLE ${q(role.name)} LOGIN`));
  return found;
}

function ownerProblems(seen: RolesSeen, { ownerRole }: RolesWanted): readonly Problem[] {
  if (ownerRole === undefined)
    return [
      {
        text: 'No owner role is named. Name the NOLOGIN role that both users share: without it each user owns what it makes, and the other cannot change it.',
      },
    ];
  const owner = roleOf(seen, ownerRole);
  if (!owner) return [fix(`the owner role ${ownerRole} does not exist`, `CREATE ROLE ${q(ownerRole)} NOLOGIN`)];
  return owner.login
    ? [fix(`the owner role ${ownerRole} can log in by itself`, `ALTER ROLE ${q(ownerRole)} NOLOGIN`)]
    : [];
}

function memberProblems(
  role: RoleSeen,
  { admin: { version } }: RolesSeen,
  { ownerRole = '', database }: RolesWanted,
): readonly Problem[] {
  const found: Problem[] = [];
  const membership = role.memberOf.find(({ name }) => name === ownerRole);
  if (!membership?.becomes)
    found.push(
      fix(
        `${role.name} is ${membership ? 'a member of but may not become' : 'not a member of'} ${ownerRole}`,
        `GRANT ${q(ownerRole)} TO ${q(role.name)}${version >= 160_000 ? ' WITH SET TRUE' : ''}`,
      ),
    );
  const becomes = settingsOf(role).get('role');
  if (becomes !== ownerRole && becomes !== q(ownerRole)) {
    found.push(
      fix(
        `${role.name} does not become ${ownerRole} when it logs in`,
        `${settingTo(role, 'role', database)} = ${pg.escapeLiteral(ownerRole)}`,
      ),
    );
  }
  if (role.owns.length > 0)
    found.push(
      fixAsSuperuser(
        `${role.name} owns ${listed(role.owns)} itself`,
        `REASSIGN OWNED BY ${q(role.name)} TO ${q(ownerRole)}`,
      ),
    );
  if (role.keeps.length > 0)
    found.push({
      text: `${role.name} has ${listed(role.keeps)}, which do not reach what it does as ${ownerRole}. Make the same for ${ownerRole} (ALTER DEFAULT PRIVILEGES FOR ROLE, CREATE USER MAPPING) and take these away.`,
    });
  return found;
}
