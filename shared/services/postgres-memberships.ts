/** One role's membership in another, all its grants together: of several grantors' the widest counts, option by option. */
export interface Membership {
  readonly member: string;
  /** The role that it is a member of. */
  readonly name: string;
  /** It may hand the membership on, and from 16 on administer the role. */
  readonly admin: boolean;
  /** It may become the role: SET, an option from 16 on. */
  readonly becomes: boolean;
  /** It has the role's rights without becoming it: INHERIT, the member's own attribute before 16. */
  readonly inherits: boolean;
}

/** What one role can do with another, through whatever roles are between. */
export type Reach = Pick<Membership, 'admin' | 'becomes' | 'inherits'>;

/**
 * Every membership of the roles named in `$1`, and of the roles that they reach. The options came with 16 and are read
 * as JSON, so that older servers take the statement.
 */
export const membershipsText = `
  WITH RECURSIVE reached AS (
    SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = ANY($1::pg_catalog.name[])
    UNION SELECT m.roleid FROM reached x JOIN pg_catalog.pg_auth_members m ON m.member = x.oid)
  SELECT r.rolname AS member, g.rolname AS name, pg_catalog.bool_or(m.admin_option) AS admin,
    pg_catalog.bool_or(coalesce((pg_catalog.to_jsonb(m) ->> 'set_option')::pg_catalog.bool, true)) AS becomes,
    pg_catalog.bool_or(coalesce((pg_catalog.to_jsonb(m) ->> 'inherit_option')::pg_catalog.bool, r.rolinherit)) AS inherits
  FROM reached x JOIN pg_catalog.pg_auth_members m ON m.member = x.oid
    JOIN pg_catalog.pg_roles r ON r.oid = m.member JOIN pg_catalog.pg_roles g ON g.oid = m.roleid
  GROUP BY r.rolname, g.rolname ORDER BY r.rolname, g.rolname`;

/** The roles whose rights `name` has without becoming anybody, itself among them. */
export function inherited(name: string, all: readonly Membership[]): ReadonlySet<string> {
  return walked(name, all, ({ inherits }) => inherits);
}

/** The roles that `name` is a member of in any way, itself among them. */
export function memberOfAny(name: string, all: readonly Membership[]): ReadonlySet<string> {
  return walked(name, all, () => true);
}

/** What `name` can do with `role`. Nothing at all is every field false. */
export function reachOf(name: string, role: string, all: readonly Membership[]): Reach {
  const acting = inherited(name, all);
  return {
    admin: all.some((one) => one.name === role && one.admin && acting.has(one.member)),
    becomes: walked(name, all, ({ becomes }) => becomes).has(role),
    inherits: acting.has(role),
  };
}

/** The union of the two; what a grant of `more` makes of `has`. */
export function widest(has: Reach, more: Reach): Reach {
  return {
    admin: has.admin || more.admin,
    becomes: has.becomes || more.becomes,
    inherits: has.inherits || more.inherits,
  };
}

/** True where `has` is all that `wanted` is. */
export function covers(has: Reach, wanted: Reach): boolean {
  return (has.admin || !wanted.admin) && (has.becomes || !wanted.becomes) && (has.inherits || !wanted.inherits);
}

function walked(from: string, all: readonly Membership[], along: (one: Membership) => boolean): ReadonlySet<string> {
  const found = new Set([from]);
  // A set is walked in the order of insertion, what is added meanwhile included.
  for (const name of found) for (const one of all) if (one.member === name && along(one)) found.add(one.name);
  return found;
}
