import { q } from './postgres-fixes.ts';
import { becomesOwner } from './postgres-owner-problems.ts';
import type { PasswordsSeen } from './postgres-passwords.ts';
import { policyRisks } from './postgres-policies.ts';
import type { RoleSeen, RolesSeen, RolesWanted } from './postgres-roles.ts';
import { effective } from './postgres-settings.ts';

/** Why consumers may be refused although nothing is in the way of a change, each with what to do. Pure. */
export function roleRisks(seen: RolesSeen, { strategy, users, ownerRole = '' }: RolesWanted): readonly string[] {
  const roles = seen.roles.filter(({ name }) => users.includes(name));
  const policies =
    strategy === 'single'
      ? []
      : policyRisks(seen.database.policies, {
          users: users.join(' and '),
          ownerRole,
          becoming: roles.some((role) => !becomesOwner(role, ownerRole)),
        });
  return [...roles.flatMap(expiryRisks), ...roles.flatMap(limitRisks), ...md5Risks(roles, seen.passwords), ...policies];
}

/** An expiry is told whenever it comes: how often a value changes is not known here. */
function expiryRisks({ name, validUntil, expired, expiresSoon }: RoleSeen): readonly string[] {
  if (expired || !expiresSoon || validUntil === null) return [];
  return [
    `${name} expires at ${validUntil}: from then on every login as it is refused, whatever the password. Run before that: ALTER ROLE ${q(name)} VALID UNTIL 'infinity';`,
  ];
}

/** Every value is tried by a login of lockkeeper's own, which takes one of these connections for a moment. */
function limitRisks({ name, connections, sessions }: RoleSeen): readonly string[] {
  if (connections < 1 || (connections > 1 && sessions < connections)) return [];
  return [
    `${name} may hold ${connections} ${connections === 1 ? 'connection' : 'connections'} at once, and ${sessions} are open: lockkeeper's own login to check a value needs one more, and may take it from a consumer for a moment. Allow more, like: ALTER ROLE ${q(name)} CONNECTION LIMIT ${connections + 2};`,
  ];
}

/**
 * lockkeeper stores SCRAM verifiers only: an md5 hash in a log would be as good as the password to who shows it. Where the
 * password is stored as md5 until now, the server asks for md5, and a client may know nothing else.
 */
function md5Risks(roles: readonly RoleSeen[], { encryption, stored, methods }: PasswordsSeen): readonly string[] {
  // Who is not asked for md5 by any line has shown already that it knows more.
  if (methods !== undefined && !methods.includes('md5')) return [];
  const names = roles.map(({ name }) => name);
  if (stored) {
    const md5 = stored.filter(({ kind }) => kind === 'md5').map(({ role }) => role);
    return md5.length === 0 ? [] : [`The password of ${md5.join(' and ')} is stored as md5. ${oldClients}`];
  }
  const asked = [encryption, ...roles.flatMap(({ settings }) => effective(settings, 'password_encryption') ?? [])];
  if (asked.every((value) => value === 'scram-sha-256') && methods === undefined) return [];
  const sign =
    methods === undefined
      ? `password_encryption is ${asked.find((value) => value !== 'scram-sha-256')}`
      : 'pg_hba.conf says md5';
  return [
    `The passwords of ${names.join(' and ')} may be stored as md5, for ${sign}. ${oldClients} Where every client knows SCRAM already, say so: set password_encryption to scram-sha-256 (it holds for new passwords only)${methods === undefined ? '' : ', and scram-sha-256 instead of md5 in pg_hba.conf'}.`,
  ];
}

const oldClients =
  'lockkeeper stores SCRAM verifiers, so that no log can hold what logs in, and the server then asks for SCRAM: clients that know md5 only are refused. Expect that of libpq before 10 (psql, psycopg2, PHP, Ruby and ODBC built with it), JDBC before 42.2.0, Npgsql before 3.2.7, lib/pq before 1.1.0, Postgrex before 0.14.0 and node-postgres before 7.9.0. Update these first, or leave this credential to be changed by hand until they are.';
