/** What hangs on one user in another database of the cluster; its names cannot be read from here. */
export interface ElsewhereSeen {
  readonly database: string;
  readonly role: string;
  /** How many objects it owns that REASSIGN OWNED hands on. */
  readonly owns: number;
  /** How many rights, policies, default privileges and user mappings it has, which that database must be asked for. */
  readonly others: number;
}

/** What hangs on the users named in `$1` in other databases. */
export const elsewhereText = `
  SELECT d.datname AS database, r.rolname AS role,
    pg_catalog.count(*) FILTER (WHERE s.deptype = 'o'::pg_catalog."char" AND NOT ${unmoved('s')})::pg_catalog.int4 AS owns,
    pg_catalog.count(*) FILTER (WHERE s.deptype <> 'o'::pg_catalog."char" OR ${unmoved('s')})::pg_catalog.int4 AS others
  FROM pg_catalog.pg_shdepend s JOIN pg_catalog.pg_roles r ON r.oid = s.refobjid
    JOIN pg_catalog.pg_database d ON d.oid = s.dbid
  WHERE s.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND r.rolname = ANY($1::pg_catalog.name[])
    AND s.deptype IN ('o'::pg_catalog."char", 'a'::pg_catalog."char", 'r'::pg_catalog."char")
    AND d.datname <> pg_catalog.current_database()
  GROUP BY d.datname, r.rolname ORDER BY d.datname, r.rolname`;

/** REASSIGN OWNED leaves these where they are: default privileges and user mappings. */
export function unmoved(dependency: string): string {
  return `${dependency}.classid IN ('pg_catalog.pg_default_acl'::pg_catalog.regclass, 'pg_catalog.pg_user_mapping'::pg_catalog.regclass)`;
}
