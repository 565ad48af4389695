import { fixAsSuperuser, q, type Problem } from './postgres-fixes.ts';
import type { AdminSeen, RoleSeen } from './postgres-roles.ts';

/**
 * What lockkeeper's own login lacks. It gets no more than it needs: from 16 on it administers the users without having
 * their rights, and sees and ends sessions by the roles that the server has for that.
 *
 * | to | 10 to 15 | from 16 |
 * |---|---|---|
 * | change a user's password | CREATEROLE | CREATEROLE, and ADMIN OPTION on the user |
 * | end a user's sessions | pg_signal_backend, or the user's rights | the same |
 * | see when and from where they began | pg_read_all_stats, or the user's rights | the same |
 * | where rds.restrict_password_commands is on: change any password | rds_password | the same |
 */
export function adminProblems(admin: AdminSeen, users: readonly RoleSeen[]): readonly Problem[] {
  if (!admin.restricted) return rightsLacking(admin, users);
  const what = `lockkeeper's own login ${admin.name} may change no password, not even its own: rds.restrict_password_commands is on`;
  return [fixAsSuperuser(what, `GRANT rds_password TO ${q(admin.name)}`), ...rightsLacking(admin, users)];
}

function rightsLacking(admin: AdminSeen, users: readonly RoleSeen[]): readonly Problem[] {
  // Every role may change its own password, and see and end its own sessions.
  const others = users.filter(({ name }) => name !== admin.name);
  if (admin.superuser || others.length === 0) return [];
  const me = `lockkeeper's own login ${admin.name}`;
  const found: Problem[] = [];
  if (!admin.createsRoles)
    found.push(fixAsSuperuser(`${me} may change no other role's password`, `ALTER ROLE ${q(admin.name)} CREATEROLE`));
  if (admin.version >= 160_000)
    found.push(...others.filter(({ administered }) => !administered).map((role) => administer(admin, role)));
  const strangers = others.filter(({ ours }) => !ours).map(({ name }) => name);
  if (strangers.length === 0) return found;
  const missing = [
    ...(admin.endsSessions ? [] : [['end the sessions', 'pg_signal_backend'] as const]),
    ...(admin.seesSessions ? [] : [['see when and from where the sessions began', 'pg_read_all_stats'] as const]),
  ];
  if (missing.length > 0 && admin.version < 160_000 && !admin.inherits)
    found.push(
      fixAsSuperuser(`${me} has none of the rights that are granted to it`, `ALTER ROLE ${q(admin.name)} INHERIT`),
    );
  for (const [what, role] of missing)
    found.push(fixAsSuperuser(`${me} may not ${what} of ${strangers.join(' and ')}`, `GRANT ${granted(admin, role)}`));
  return found;
}

function granted(admin: AdminSeen, role: string): string {
  // From 16 on a membership says itself whether it hands its rights on.
  return `${q(role)} TO ${q(admin.name)}${admin.version >= 160_000 ? ' WITH INHERIT TRUE' : ''}`;
}

function administer(admin: AdminSeen, { name, aboveUs, ours }: RoleSeen): Problem {
  const what = `lockkeeper's own login ${admin.name} may not change the password of ${name}`;
  if (aboveUs)
    return {
      text: `${what}, and as ${name} is a member of ${admin.name} it cannot be allowed to. Take that membership away, or give lockkeeper another login for this credential.`,
    };
  // A membership that is there already keeps the rights that it has.
  const options = ours ? 'WITH ADMIN OPTION' : 'WITH ADMIN OPTION, INHERIT FALSE, SET FALSE';
  return fixAsSuperuser(what, `GRANT ${q(name)} TO ${q(admin.name)} ${options}`);
}
