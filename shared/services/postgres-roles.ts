import type pg from 'pg';
import type { LockkeeperError } from '../base/error.ts';
import type { Slot } from './contract.ts';
import { defaultsText, mappingsText, type DefaultSeen, type MappingSeen } from './postgres-defaults.ts';
import { elsewhereText, unmoved, type ElsewhereSeen } from './postgres-elsewhere.ts';
import { inherited, membershipsText, type Membership } from './postgres-memberships.ts';
import { readPasswords, type PasswordsSeen } from './postgres-passwords.ts';
import { policiesText, type PolicySeen } from './postgres-policies.ts';
import { readRights, type RightSeen } from './postgres-rights.ts';
import type { SettingsSeen } from './postgres-settings.ts';

/** What the checks need of the driver's options. */
export interface RolesWanted {
  readonly strategy: 'alternating' | 'single';
  readonly users: readonly Slot[];
  readonly ownerRole?: string;
  readonly database: string;
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
  /** Sessions that it has open. */
  readonly sessions: number;
  /** RFC 3339 or null. */
  readonly validUntil: string | null;
  /** That time is past by the server's clock. */
  readonly expired: boolean;
  /** It comes within 400 days, which is longer than the time between any two rotations. */
  readonly expiresSoon: boolean;
  readonly settings: SettingsSeen;
  /** What it owns itself in this database and REASSIGN OWNED hands on, sorted. */
  readonly owns: readonly string[];
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

/** What names roles in one database. */
export interface DatabaseSeen {
  readonly rights: readonly RightSeen[];
  readonly defaults: readonly DefaultSeen[];
  readonly mappings: readonly MappingSeen[];
  readonly policies: readonly PolicySeen[];
  /** Schemas that are named as a user is, which "$user" in a search_path finds. */
  readonly schemas: readonly string[];
}

/** Another database in which something hangs on the users. */
export interface OtherDatabase {
  readonly name: string;
  readonly of: readonly ElsewhereSeen[];
  /** What is there; an error where it could not be read; undefined where nothing must be. */
  readonly seen: DatabaseSeen | LockkeeperError | undefined;
}

/** Everything that the checks look at. A role that does not exist is missing. */
export interface RolesSeen {
  readonly admin: AdminSeen;
  readonly roles: readonly RoleSeen[];
  readonly memberships: readonly Membership[];
  readonly database: DatabaseSeen;
  readonly elsewhere: readonly OtherDatabase[];
  readonly passwords: PasswordsSeen;
}

/** Reads the users, the owner role and lockkeeper's own. `elsewhere` is for the caller to fill, see `others`. */
export async function readRoles(
  client: pg.Client,
  wanted: RolesWanted,
): Promise<Omit<RolesSeen, 'elsewhere'> & { readonly others: readonly ElsewhereSeen[] }> {
  const names = [...wanted.users, ...(wanted.ownerRole === undefined ? [] : [wanted.ownerRole])];
  const [admin] = (await client.query<AdminSeen>(adminText)).rows;
  if (!admin) throw new Error('the server does not show the role that is logged in');
  return {
    admin,
    roles: (await client.query<RoleSeen>(rolesText, [names])).rows,
    memberships: (await client.query<Membership>(membershipsText, [names])).rows,
    database: await readDatabase(client, wanted, admin.version),
    others: (await client.query<ElsewhereSeen>(elsewhereText, [wanted.users])).rows,
    passwords: await readPasswords(client, wanted),
  };
}

/** Reads what names the users, or a role whose rights they have, in the client's database. */
export async function readDatabase(client: pg.Client, wanted: RolesWanted, version: number): Promise<DatabaseSeen> {
  const names = [...wanted.users, ...(wanted.ownerRole === undefined ? [] : [wanted.ownerRole])];
  const { rows: memberships } = await client.query<Membership>(membershipsText, [names]);
  const sources = new Set(wanted.users.flatMap((user) => [...inherited(user, memberships)]));
  return {
    rights: await readRights(client, [...sources], version),
    defaults: (await client.query<DefaultSeen>(defaultsText)).rows,
    mappings: (await client.query<MappingSeen>(mappingsText, [names])).rows,
    policies: (await client.query<PolicySeen>(policiesText)).rows,
    schemas: (await client.query<{ readonly name: string }>(schemasText, [wanted.users])).rows.map(({ name }) => name),
  };
}

const schemasText = `SELECT n.nspname AS name FROM pg_catalog.pg_namespace n WHERE n.nspname = ANY($1::pg_catalog.name[])`;

const adminText = `
  SELECT me.rolname AS name, me.rolsuper AS superuser, me.rolcreaterole AS "createsRoles", me.rolinherit AS inherits,
    pg_catalog.pg_has_role(me.oid, 'pg_signal_backend', 'USAGE') AS "endsSessions",
    pg_catalog.pg_has_role(me.oid, 'pg_read_all_stats', 'USAGE') AS "seesSessions",
    coalesce(pg_catalog.current_setting('rds.restrict_password_commands', true), 'off') IN ('on', '1', 'true')
      AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_roles r
        WHERE r.rolname = 'rds_password' AND pg_catalog.pg_has_role(me.oid, r.oid, 'MEMBER')) AS restricted,
    pg_catalog.current_setting('server_version_num')::pg_catalog.int4 AS version
  FROM pg_catalog.pg_roles me WHERE me.rolname = current_user`;

const none = '0::pg_catalog.oid';

const rolesText = `
  SELECT r.rolname AS name, r.rolcanlogin AS login, r.rolsuper AS superuser, r.rolinherit AS inherits,
    pg_catalog.array_remove(ARRAY[CASE WHEN r.rolcreatedb THEN 'CREATEDB' END, CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END,
      CASE WHEN r.rolreplication THEN 'REPLICATION' END, CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END], NULL) AS attributes,
    r.rolconnlimit AS connections,
    pg_catalog.to_json(nullif(r.rolvaliduntil, 'infinity'::pg_catalog.timestamptz)) #>> '{}'::pg_catalog.text[] AS "validUntil",
    coalesce(r.rolvaliduntil <= pg_catalog.now(), false) AS expired,
    coalesce(r.rolvaliduntil <= pg_catalog.now() + '400 days'::pg_catalog.interval, false) AS "expiresSoon",
    (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity s WHERE s.usesysid = r.oid)::pg_catalog.int4 AS sessions,
    pg_catalog.json_build_object('here', ${settings('r.oid', 'd.oid')}, 'everywhere', ${settings('r.oid', none)},
      'database', ${settings(none, 'd.oid')}, 'all', ${settings(none, none)}) AS settings,
    ARRAY(SELECT pg_catalog.pg_describe_object(o.classid, o.objid, o.objsubid) FROM pg_catalog.pg_shdepend o
      WHERE o.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND o.refobjid = r.oid
        AND o.deptype = 'o'::pg_catalog."char" AND o.dbid IN (${none}, d.oid) AND NOT ${unmoved('o')} ORDER BY 1) AS owns,
    pg_catalog.pg_has_role(me.oid, r.oid, 'MEMBER WITH ADMIN OPTION') AS administered,
    pg_catalog.pg_has_role(me.oid, r.oid, 'USAGE') AS ours,
    NOT r.rolsuper AND pg_catalog.pg_has_role(r.oid, me.oid, 'MEMBER') AS "aboveUs"
  FROM pg_catalog.pg_roles r, pg_catalog.pg_database d, pg_catalog.pg_roles me
  WHERE r.rolname = ANY($1::pg_catalog.name[]) AND d.datname = pg_catalog.current_database() AND me.rolname = current_user`;

/** `name=value`, sorted. */
function settings(role: string, database: string): string {
  return `ARRAY(SELECT pg_catalog.unnest(s.setconfig) FROM pg_catalog.pg_db_role_setting s
      WHERE s.setrole = ${role} AND s.setdatabase = ${database} ORDER BY 1)`;
}
