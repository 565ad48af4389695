import pg from 'pg';
import { fixAsSuperuser, q, shown, type Problem } from './postgres-fixes.ts';

/** One entry of the default privileges of a role: what others get on an object that it makes. */
export interface DefaultSeen {
  readonly role: string;
  /** Null where the entry is for every schema. */
  readonly schema: string | null;
  /** As ALTER DEFAULT PRIVILEGES says it: `TABLES`. */
  readonly on: string;
  /** Empty where everything was revoked. */
  readonly grants: readonly DefaultGrant[];
}

/** What one grantee gets. */
export interface DefaultGrant {
  /** Null: PUBLIC. */
  readonly grantee: string | null;
  readonly privilege: string;
  readonly grantable: boolean;
}

/** A foreign server at which a role has a login of its own; its options are never read. */
export interface MappingSeen {
  readonly role: string;
  readonly server: string;
}

/** Default privileges of everybody. What a role gives itself is left out: who owns an object has every right on it. */
export const defaultsText = `
  SELECT r.rolname AS role, n.nspname AS schema,
    CASE d.defaclobjtype WHEN 'r'::pg_catalog."char" THEN 'TABLES' WHEN 'S'::pg_catalog."char" THEN 'SEQUENCES'
      WHEN 'f'::pg_catalog."char" THEN 'FUNCTIONS' WHEN 'T'::pg_catalog."char" THEN 'TYPES'
      WHEN 'n'::pg_catalog."char" THEN 'SCHEMAS' ELSE 'LARGE OBJECTS' END AS on,
    coalesce((SELECT pg_catalog.json_agg(pg_catalog.row_to_json(y)) FROM (
      SELECT CASE WHEN x.grantee <> 0::pg_catalog.oid THEN pg_catalog.pg_get_userbyid(x.grantee) END AS grantee,
        x.privilege_type AS privilege, x.is_grantable AS grantable
      FROM pg_catalog.aclexplode(d.defaclacl) x WHERE x.grantee <> r.oid) y), '[]'::pg_catalog.json) AS grants
  FROM pg_catalog.pg_default_acl d JOIN pg_catalog.pg_roles r ON r.oid = d.defaclrole
    LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace
  ORDER BY r.rolname, n.nspname, d.defaclobjtype`;

/** User mappings of the roles named in `$1`. */
export const mappingsText = `
  SELECT m.usename AS role, m.srvname AS server FROM pg_catalog.pg_user_mappings m
  WHERE m.usename = ANY($1::pg_catalog.name[]) ORDER BY m.usename, m.srvname`;

/** A user that becomes the owner role. */
export interface Becoming {
  readonly user: string;
  /** The user, and the roles whose rights it has and the owner role cannot have as their member. */
  readonly sources: ReadonlySet<string>;
  readonly owner: string;
  /** The owner role, and the roles whose rights it has. */
  readonly holders: ReadonlySet<string>;
}

/**
 * What a user makes from now on belongs to the owner role, so its default privileges must be the owner role's too, or
 * whoever reads its new tables today cannot read those to come. The user's own stay: a session that is open still makes
 * objects as the user. What others hand to the user by their default privileges must reach the owner role as well.
 */
export function defaultProblems(becoming: Becoming, all: readonly DefaultSeen[]): readonly Problem[] {
  const { user, owner, sources, holders } = becoming;
  const own = all
    .filter(({ role }) => role === user)
    .flatMap((entry) => statementsFor(entry, { owner, has: sameEntry(all, owner, entry) }));
  const fromOthers = all
    .filter(({ role }) => role !== user && !holders.has(role))
    .flatMap((entry) =>
      entry.grants
        .filter(({ grantee }) => grantee !== null && sources.has(grantee))
        .filter((one) => ![...holders, null].some((grantee) => grantsIt(entry, { ...one, grantee })))
        .map((one) => grantText(entry.role, entry, { ...one, grantee: owner })),
    );
  return [
    ...own.map((sql) => fixAsSuperuser(`default privileges of ${user} do not hold for what it makes as ${owner}`, sql)),
    ...fromOthers.map((sql) =>
      fixAsSuperuser(`default privileges give ${user} rights on what is yet to be made, and none to ${owner}`, sql),
    ),
  ];
}

interface OwnerHas {
  readonly owner: string;
  readonly has: DefaultSeen | undefined;
}

function sameEntry(all: readonly DefaultSeen[], owner: string, { schema, on }: DefaultSeen): DefaultSeen | undefined {
  return all.find((one) => one.role === owner && one.schema === schema && one.on === on);
}

function statementsFor(entry: DefaultSeen, { owner, has }: OwnerHas): readonly string[] {
  const nature = byNature(entry);
  const grants = entry.grants
    .filter((one) => one.grantee !== owner && !grantsIt(has ?? nature, one))
    .map((one) => grantText(owner, entry, one));
  // An entry for every schema stands in place of what everybody has by nature; one for a schema only adds to it.
  const revokes = (has ? [] : nature.grants)
    .filter((one) => !grantsIt(entry, one))
    .map(({ privilege, grantee }) => `${headOf(owner, entry)} REVOKE ${privilege} ON ${entry.on} FROM ${who(grantee)}`);
  return [...revokes, ...grants];
}

function grantText(role: string, entry: DefaultSeen, { grantee, privilege, grantable }: DefaultGrant): string {
  return `${headOf(role, entry)} GRANT ${privilege} ON ${entry.on} TO ${who(grantee)}${grantable ? ' WITH GRANT OPTION' : ''}`;
}

function headOf(role: string, { schema }: DefaultSeen): string {
  return `ALTER DEFAULT PRIVILEGES FOR ROLE ${q(role)}${schema === null ? '' : ` IN SCHEMA ${q(schema)}`}`;
}

function who(grantee: string | null): string {
  return grantee === null ? 'PUBLIC' : q(grantee);
}

function grantsIt({ grants }: Pick<DefaultSeen, 'grants'>, wanted: DefaultGrant): boolean {
  return grants.some(
    (one) =>
      one.grantee === wanted.grantee && one.privilege === wanted.privilege && (one.grantable || !wanted.grantable),
  );
}

/** What PUBLIC has on a new object where nothing was said. */
function byNature({ on, schema }: DefaultSeen): Pick<DefaultSeen, 'grants'> {
  const privilege = schema === null ? { FUNCTIONS: 'EXECUTE', TYPES: 'USAGE' }[on] : undefined;
  return { grants: privilege === undefined ? [] : [{ grantee: null, privilege, grantable: false }] };
}

/**
 * A user mapping is found by who asks, which is the owner role from now on. Its options may hold a password that only a
 * superuser sees, so the statement copies them inside the server, and no error of it repeats them.
 */
export function mappingProblems({ user, owner }: Becoming, all: readonly MappingSeen[]): readonly Problem[] {
  const has = (role: string, server: string) => all.some((one) => one.role === role && one.server === server);
  return all
    .filter(({ role, server }) => role === user && !has(owner, server))
    .map(({ server }) =>
      fixAsSuperuser(
        `${user} has a user mapping at the foreign server ${shown(server)}, which does not hold for what it does as ${owner}; the statement copies its options without showing them`,
        copyText(user, owner, server),
      ),
    );
}

function copyText(user: string, owner: string, server: string): string {
  const [from, to, at] = [user, owner, server].map(pg.escapeLiteral);
  const lines = [
    'DECLARE options text; BEGIN',
    "PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);",
    "SELECT coalesce('OPTIONS (' || (SELECT string_agg(format('%I %L', o.option_name, o.option_value), ', ')",
    "FROM pg_options_to_table(m.umoptions) o) || ')', '') INTO STRICT options",
    'FROM pg_user_mapping m JOIN pg_foreign_server s ON s.oid = m.umserver JOIN pg_roles r ON r.oid = m.umuser',
    `WHERE r.rolname = ${from} AND s.srvname = ${at};`,
    `EXECUTE format('CREATE USER MAPPING FOR %I SERVER %I %s', ${to}, ${at}, options);`,
    `EXCEPTION WHEN OTHERS THEN RAISE EXCEPTION 'the user mapping was not copied (%)', SQLSTATE; END`,
  ];
  return `DO ${pg.escapeLiteral(lines.join(' '))}`;
}
