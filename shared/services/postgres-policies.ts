import type { Becoming } from './postgres-defaults.ts';
import { fixAsSuperuser, listed, q, shown, type Problem } from './postgres-fixes.ts';

/** One policy of row security in this database. */
export interface PolicySeen {
  readonly name: string;
  /** In SQL. */
  readonly table: string;
  /** Null: PUBLIC. */
  readonly roles: readonly (string | null)[];
  /** False for AS RESTRICTIVE. */
  readonly permissive: boolean;
  /** Its expressions as the server writes them. */
  readonly expressions: string;
  /** It calls functions that did not come with the server, so its expressions do not say all. */
  readonly callsOthers: boolean;
}

/** Every policy of this database. */
export const policiesText = `
  SELECT p.polname AS name, pg_catalog.format('%I.%I', n.nspname, c.relname) AS table,
    ARRAY(SELECT CASE WHEN x <> 0::pg_catalog.oid THEN pg_catalog.pg_get_userbyid(x)::pg_catalog.text END
      FROM pg_catalog.unnest(p.polroles) x) AS roles,
    p.polpermissive AS permissive,
    pg_catalog.concat_ws(' ', pg_catalog.pg_get_expr(p.polqual, p.polrelid), pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid))
      AS expressions,
    EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass
      AND d.objid = p.oid AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass) AS "callsOthers"
  FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class c ON c.oid = p.polrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace ORDER BY n.nspname, c.relname, p.polname`;

/**
 * A policy TO a role holds for whoever has the rights of that role at the moment. A user that becomes the owner role has
 * its own no more, so its policies must be TO the owner role as well.
 */
export function policyProblems(
  { user, sources, owner, holders }: Becoming,
  policies: readonly PolicySeen[],
): readonly Problem[] {
  return policies
    .filter(({ roles }) => roles.some((role) => role !== null && sources.has(role)))
    .filter(({ roles }) => !roles.some((role) => role === null || holders.has(role)))
    .map(({ name, table, roles, permissive }) => {
      const what = permissive
        ? `the row security policy ${shown(name)} on ${table} is for ${user}, which would not see these rows as ${owner}`
        : `the row security policy ${shown(name)} on ${table} restricts ${user}, which it would not do to ${owner}`;
      const all = [...roles.flatMap((role) => (role === null ? [] : q(role))), q(owner)];
      return fixAsSuperuser(what, `ALTER POLICY ${q(name)} ON ${table} TO ${all.join(', ')}`);
    });
}

/**
 * What a policy makes of the name of who asks, nobody can know but who wrote it. `becoming`: a user is to become the owner
 * role, so that current_user changes; session_user differs between two users always.
 */
export function policyRisks(
  policies: readonly PolicySeen[],
  { users, ownerRole, becoming }: { readonly users: string; readonly ownerRole: string; readonly becoming: boolean },
): readonly string[] {
  const bySession = policies.filter(({ expressions }) => /\bSESSION_USER\b/i.test(expressions));
  const byCurrent = policies.filter(
    ({ expressions, callsOthers }) =>
      callsOthers || /\b(CURRENT_USER|CURRENT_ROLE|USER|pg_has_role|has_\w+_privilege)\b/i.test(expressions),
  );
  const names = (all: readonly PolicySeen[]) => listed(all.map(({ name, table }) => `${name} on ${table}`));
  const found: string[] = [];
  if (bySession.length > 0)
    found.push(
      `Row security asks who logged in (session_user), which is now one and now the other of ${users}: ${names(bySession)}. Let it ask for the role ${ownerRole} (current_user), or consumers see other rows after a rotation.`,
    );
  if (becoming && byCurrent.length > 0)
    found.push(
      `Row security may ask for the user's name, which is ${ownerRole} once ${users} become it: ${names(byCurrent)}. Read these policies, and let them ask for ${ownerRole}.`,
    );
  return found;
}
