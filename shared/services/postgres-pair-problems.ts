import pg from 'pg';
import { fix, fixAsSuperuser, q, type Problem } from './postgres-fixes.ts';
import { grantGroup, groupsOf, type Planned } from './postgres-owner-problems.ts';
import { attributes, type RoleSeen } from './postgres-roles.ts';
import { settingProblems } from './postgres-settings.ts';

/** Whatever one user has and the other has not, consumers would lose at the next turn. */
export function pairProblems(planned: Planned, except: readonly string[]): readonly Problem[] {
  const [a, b] = planned.users;
  if (!a || !b) return [];
  return [
    ...limitProblems(a, b),
    ...expiryProblems(a, b),
    ...inheritProblems(a, b, planned.version),
    ...attributeDifferences(a, b),
    ...attributeDifferences(b, a),
    ...groupsOf(a.name, planned).flatMap((group) => grantGroup(b, group, planned)),
    ...groupsOf(b.name, planned).flatMap((group) => grantGroup(a, group, planned)),
    ...settingProblems(a, b, { database: planned.database, except }),
  ];
}

/** The wider limit for both: the narrower one might take from those who log in today. None at all is no limit. */
function limitProblems(a: RoleSeen, b: RoleSeen): readonly Problem[] {
  if (limitOf(a) === limitOf(b)) return [];
  const [less, more] = limitOf(a) < limitOf(b) ? [a, b] : [b, a];
  return [
    fix(
      `${a.name} and ${b.name} have different connection limits (${a.connections}, ${b.connections})`,
      `ALTER ROLE ${q(less.name)} CONNECTION LIMIT ${more.connections <= 0 ? -1 : more.connections}`,
    ),
  ];
}

function limitOf({ connections }: RoleSeen): number {
  return connections <= 0 ? Infinity : connections;
}

/** The later time for both. A user that has expired is told by itself, and expires no more then. */
function expiryProblems(a: RoleSeen, b: RoleSeen): readonly Problem[] {
  const [one, other] = [a, b].map(({ validUntil, expired }) => (expired ? null : validUntil));
  if (one === other) return [];
  const isLater = endOf(one) > endOf(other);
  const until = (isLater ? one : other) ?? 'infinity';
  return [
    fix(
      `${a.name} and ${b.name} expire at different times (${a.validUntil ?? 'never'}, ${b.validUntil ?? 'never'})`,
      `ALTER ROLE ${q(isLater ? b.name : a.name)} VALID UNTIL ${pg.escapeLiteral(until)}`,
    ),
  ];
}

function endOf(time: string | null | undefined): number {
  return time === null || time === undefined ? Infinity : Date.parse(time);
}

/** Before 16 both are to inherit anyway; from then on it decides what later grants hand on. */
function inheritProblems(a: RoleSeen, b: RoleSeen, version: number): readonly Problem[] {
  if (a.inherits === b.inherits || version < 160_000) return [];
  const less = a.inherits ? b : a;
  return [fix(`${a.name} and ${b.name} differ in INHERIT`, `ALTER ROLE ${q(less.name)} INHERIT`)];
}

function attributeDifferences(one: RoleSeen, other: RoleSeen): readonly Problem[] {
  return attributes
    .filter((name) => one.attributes.includes(name) && !other.attributes.includes(name))
    .map((name) => fixAsSuperuser(`only ${one.name} has ${name}`, `ALTER ROLE ${q(other.name)} ${name}`));
}
