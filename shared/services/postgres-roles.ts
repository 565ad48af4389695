import type pg from 'pg';
import type { Slot } from './contract.ts';

/** What the checks need of the driver's options. */
export interface RolesWanted {
  readonly strategy: 'alternating' | 'single';
  readonly users: readonly Slot[];
  readonly ownerRole?: string;
  readonly database: string;
}

/** A role that another one is a member of. Before 16 every member may become it and has its rights. */
export interface Membership {
  readonly name: string;
  /** It may hand the membership on, and from 16 on administer the role. */
  readonly admin: boolean;
  /** It may become the role. */
  readonly becomes: boolean;
  /** It has the role's rights without becoming it. */
  readonly inherits: boolean;
}

/** Rights that no role hands on to its members. */
export const attributes = ['CREATEDB', 'CREATEROLE', 'REPLICATION', 'BYPASSRLS'] as const;

/** One role as the catalog shows it. */
export interface RoleSeen {
  readonly name: string;
  readonly login: boolean;
  readonly superuser: boolean;
  readonly inherits: boolean;
  /** Those of `attributes` that it has. */
  readonly attributes: readonly string[];
  /** -1: no limit. */
  readonly connections: number;
  /** RFC 3339 or null. */
  readonly validUntil: string | null;
  /** `name=value`, sorted; of this role in this database only. They come before those of everywhere. */
  readonly settingsHere: readonly string[];
  /** `name=value`, sorted; of this role everywhere. */
  readonly settingsEverywhere: readonly string[];
  /** The roles that it is a direct member of, by name. */
  readonly memberOf: readonly Membership[];
  /** What it owns itself in this database and REASSIGN OWNED hands on, sorted. */
  readonly owns: readonly string[];
  /** Default privileges and user mappings of its own, which nothing hands on, sorted. */
  readonly keeps: readonly string[];
  /** What it was granted itself in this database, sorted; without what the users and their owner role own. */
  readonly granted: readonly string[];
  /** True where lockkeeper's own login has ADMIN OPTION on it. */
  readonly administered: boolean;
  /** True where lockkeeper's own login has its rights, and so may see and end its sessions. */
  readonly ours: boolean;
  /** True where it is a member of lockkeeper's own login, which then cannot be made its administrator. */
  readonly aboveUs: boolean;
}

/** lockkeeper's own login as the catalog shows it. */
export interface AdminSeen {
  readonly name: string;
  readonly superuser: boolean;
  readonly createsRoles: boolean;
  readonly inherits: boolean;
  /** It may end the sessions of every user that is no superuser. */
  readonly endsSessions: boolean;
  /** It sees when and from where sessions began. */
  readonly seesSessions: boolean;
  /** The server lets only members of rds_password change passwords, even their own (RDS and Aurora), and it is none. */
  readonly restricted: boolean;
  /** `server_version_num`, like 180000. */
  readonly version: number;
}

/** Everything that the checks look at. A role that does not exist is missing. */
export interface RolesSeen {
  readonly admin: AdminSeen;
  readonly roles: readonly RoleSeen[];
}

/** Reads the users, the owner role and lockkeeper's own. */
export async function readRoles(client: pg.Client, wanted: RolesWanted): Promise<RolesSeen> {
  const names = [...wanted.users, ...(wanted.ownerRole === undefined ? [] : [wanted.ownerRole])];
  const roles = await client.query<RoleSeen>(rolesText, [names]);
  const [admin] = (await client.query<AdminSeen>(adminText)).rows;
  if (!admin) throw new Error('the server does not show the role that is logged in');
  return { admin, roles: roles.rows };
}

const adminText = `
  SELECT me.rolname AS name, me.rolsuper AS superuser, me.rolcreaterole AS "createsRoles", me.rolinherit AS inherits,
    pg_catalog.pg_has_role(me.oid, 'pg_signal_backend', 'USAGE') AS "endsSessions",
    pg_catalog.pg_has_role(me.oid, 'pg_read_all_stats', 'USAGE') AS "seesSessions",
    coalesce(pg_catalog.current_setting('rds.restrict_password_commands', true), 'off') IN ('on', '1', 'true')
      AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_roles r
        WHERE r.rolname = 'rds_password' AND pg_catalog.pg_has_role(me.oid, r.oid, 'MEMBER')) AS restricted,
    pg_catalog.current_setting('server_version_num')::pg_catalog.int4 AS version
  FROM pg_catalog.pg_roles me WHERE me.rolname = current_user`;

/**
 * A membership's own options came with 16, and are read as JSON so that older servers take the statement. There may be
 * several grants of one membership, of which the widest counts.
 */
const memberOfText = `
  SELECT g.rolname AS name, pg_catalog.bool_or(m.admin_option) AS admin,
    pg_catalog.bool_or(coalesce((pg_catalog.to_jsonb(m) ->> 'set_option')::pg_catalog.bool, true)) AS becomes,
    pg_catalog.bool_or(coalesce((pg_catalog.to_jsonb(m) ->> 'inherit_option')::pg_catalog.bool, true)) AS inherits
  FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles g ON g.oid = m.roleid
  WHERE m.member = r.oid GROUP BY g.rolname`;

/** REASSIGN OWNED leaves these where they are. */
const unmoved = `o.classid IN ('pg_catalog.pg_default_acl'::pg_catalog.regclass, 'pg_catalog.pg_user_mapping'::pg_catalog.regclass)`;

const rolesText = `
  SELECT r.rolname AS name, r.rolcanlogin AS login, r.rolsuper AS superuser, r.rolinherit AS inherits,
    pg_catalog.array_remove(ARRAY[CASE WHEN r.rolcreatedb THEN 'CREATEDB' END, CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END,
      CASE WHEN r.rolreplication THEN 'REPLICATION' END, CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END], NULL) AS attributes,
    r.rolconnlimit AS connections,
    pg_catalog.to_json(nullif(r.rolvaliduntil, 'infinity'::pg_catalog.timestamptz)) #>> '{}'::pg_catalog.text[] AS "validUntil",
    ${settings('d.oid')} AS "settingsHere",
    ${settings('0::pg_catalog.oid')} AS "settingsEverywhere",
    coalesce((SELECT pg_catalog.json_agg(pg_catalog.row_to_json(x) ORDER BY x.name) FROM (${memberOfText}) x),
      '[]'::pg_catalog.json) AS "memberOf",
    ARRAY(${dependent('o', `NOT ${unmoved}`)}) AS owns,
    ARRAY(${dependent('o', unmoved)}) AS keeps,
    ARRAY(${dependent('a', `NOT ${ownedByThem()}`)}) AS granted,
    pg_catalog.pg_has_role(me.oid, r.oid, 'MEMBER WITH ADMIN OPTION') AS administered,
    pg_catalog.pg_has_role(me.oid, r.oid, 'USAGE') AS ours,
    NOT r.rolsuper AND pg_catalog.pg_has_role(r.oid, me.oid, 'MEMBER') AS "aboveUs"
  FROM pg_catalog.pg_roles r, pg_catalog.pg_database d, pg_catalog.pg_roles me
  WHERE r.rolname = ANY($1::pg_catalog.name[]) AND d.datname = pg_catalog.current_database() AND me.rolname = current_user`;

function settings(database: string): string {
  return `ARRAY(SELECT pg_catalog.unnest(s.setconfig) FROM pg_catalog.pg_db_role_setting s
      WHERE s.setrole = r.oid AND s.setdatabase = ${database} ORDER BY 1)`;
}

/** What hangs on a role in this database: `o`, what it owns; `a`, what it was granted. */
function dependent(kind: 'o' | 'a', only: string): string {
  return `SELECT pg_catalog.pg_describe_object(o.classid, o.objid, o.objsubid) FROM pg_catalog.pg_shdepend o
      WHERE o.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND o.refobjid = r.oid
        AND o.deptype = '${kind}'::pg_catalog."char" AND o.dbid IN (0::pg_catalog.oid, d.oid) AND ${only} ORDER BY 1`;
}

/** Both users become the owner of these, or will once they are reassigned, so a grant on them changes nothing. */
function ownedByThem(): string {
  return `EXISTS (SELECT 1 FROM pg_catalog.pg_shdepend w JOIN pg_catalog.pg_roles n ON n.oid = w.refobjid
        WHERE w.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND n.rolname = ANY($1::pg_catalog.name[])
          AND w.deptype = 'o'::pg_catalog."char" AND w.dbid = o.dbid AND w.classid = o.classid AND w.objid = o.objid)`;
}
