import type pg from 'pg';

/** One privilege that was granted on one object. */
export interface RightSeen {
  /** As GRANT says it: `TABLE`, `LARGE OBJECT`. */
  readonly kind: string;
  /** Its name in SQL, quoted where it must be. */
  readonly object: string;
  /** The column in SQL; null where it is on the whole object. */
  readonly column: string | null;
  /** The role that owns the object. */
  readonly owner: string;
  readonly privilege: string;
  /** Null: PUBLIC. */
  readonly grantee: string | null;
  /** WITH GRANT OPTION. */
  readonly grantable: boolean;
}

/** Reads what was granted, to anybody, on this database and on every object on which one of `names` was granted anything. */
export async function readRights(
  client: pg.Client,
  names: readonly string[],
  version: number,
): Promise<readonly RightSeen[]> {
  const { rows } = await client.query<RightSeen>(rightsText(catalogs), [names]);
  if (version < 150_000) return rows;
  const settings = await client.query<RightSeen>(rightsText([parameters]), [names]);
  return [...rows, ...settings.rows];
}

interface Catalog {
  readonly kind: string;
  readonly catalog: string;
  /** The catalog that dependencies name, where it is another. */
  readonly named?: string;
  readonly object: string;
  readonly column?: string;
  readonly owner: string;
  readonly acl: string;
  readonly join?: string;
  readonly only?: string;
}

const ofSchema = (schema: string) => `JOIN pg_catalog.pg_namespace n ON n.oid = c.${schema}`;
const plain = (name: string) => `pg_catalog.format('%I', c.${name})`;
const inSchema = (name: string) => `pg_catalog.format('%I.%I', n.nspname, c.${name})`;
const relationKind = `CASE c.relkind WHEN 'S'::pg_catalog."char" THEN 'SEQUENCE' ELSE 'TABLE' END`;
const routineKind = `CASE (pg_catalog.pg_identify_object('pg_catalog.pg_proc'::pg_catalog.regclass, c.oid, 0)).type
    WHEN 'procedure' THEN 'PROCEDURE' ELSE 'FUNCTION' END`;

const catalogs: readonly Catalog[] = [
  {
    kind: relationKind,
    catalog: 'pg_class',
    object: inSchema('relname'),
    owner: 'relowner',
    acl: 'c.relacl',
    join: ofSchema('relnamespace'),
  },
  {
    kind: "'TABLE'",
    catalog: 'pg_class',
    object: inSchema('relname'),
    column: "pg_catalog.format('%I', a.attname)",
    owner: 'relowner',
    acl: 'a.attacl',
    join: `${ofSchema('relnamespace')} JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid`,
    only: 'AND NOT a.attisdropped',
  },
  {
    kind: routineKind,
    catalog: 'pg_proc',
    object: 'c.oid::pg_catalog.regprocedure::pg_catalog.text',
    owner: 'proowner',
    acl: 'c.proacl',
  },
  { kind: "'SCHEMA'", catalog: 'pg_namespace', object: plain('nspname'), owner: 'nspowner', acl: 'c.nspacl' },
  {
    kind: "'TYPE'",
    catalog: 'pg_type',
    object: inSchema('typname'),
    owner: 'typowner',
    acl: 'c.typacl',
    join: ofSchema('typnamespace'),
  },
  { kind: "'LANGUAGE'", catalog: 'pg_language', object: plain('lanname'), owner: 'lanowner', acl: 'c.lanacl' },
  {
    kind: "'LARGE OBJECT'",
    catalog: 'pg_largeobject_metadata',
    named: 'pg_largeobject',
    object: 'c.oid::pg_catalog.text',
    owner: 'lomowner',
    acl: 'c.lomacl',
  },
  {
    kind: "'FOREIGN DATA WRAPPER'",
    catalog: 'pg_foreign_data_wrapper',
    object: plain('fdwname'),
    owner: 'fdwowner',
    acl: 'c.fdwacl',
  },
  {
    kind: "'FOREIGN SERVER'",
    catalog: 'pg_foreign_server',
    object: plain('srvname'),
    owner: 'srvowner',
    acl: 'c.srvacl',
  },
  { kind: "'TABLESPACE'", catalog: 'pg_tablespace', object: plain('spcname'), owner: 'spcowner', acl: 'c.spcacl' },
  {
    kind: "'DATABASE'",
    catalog: 'pg_database',
    object: plain('datname'),
    owner: 'datdba',
    acl: `coalesce(c.datacl, pg_catalog.acldefault('d'::pg_catalog."char", c.datdba))`,
    only: 'OR c.datname = pg_catalog.current_database()',
  },
];

/** Settings that a role may set although they are a superuser's; nobody owns them. From 15 on. */
const parameters: Catalog = {
  kind: "'PARAMETER'",
  catalog: 'pg_parameter_acl',
  object: `(SELECT pg_catalog.string_agg(pg_catalog.format('%I', x.part), '.' ORDER BY x.at)
      FROM pg_catalog.unnest(pg_catalog.string_to_array(c.parname, '.')) WITH ORDINALITY x (part, at))`,
  owner: 'oid',
  acl: 'c.paracl',
};

function rightsText(all: readonly Catalog[]): string {
  return `WITH touched AS (
    SELECT DISTINCT s.classid, s.objid FROM pg_catalog.pg_shdepend s JOIN pg_catalog.pg_roles r ON r.oid = s.refobjid
    WHERE s.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND s.deptype = 'a'::pg_catalog."char"
      AND r.rolname = ANY($1::pg_catalog.name[]) AND s.dbid IN (0::pg_catalog.oid,
        (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()))),
  granted AS (${all.map(catalogText).join(' UNION ALL ')})
  SELECT g.kind, g.object, g."column", pg_catalog.pg_get_userbyid(g.owner) AS owner, x.privilege_type AS privilege,
    CASE WHEN x.grantee <> 0::pg_catalog.oid THEN pg_catalog.pg_get_userbyid(x.grantee) END AS grantee,
    x.is_grantable AS grantable
  FROM granted g, pg_catalog.aclexplode(g.acl) x ORDER BY g.kind, g.object, g."column", x.privilege_type`;
}

function catalogText({
  kind,
  catalog,
  named = catalog,
  object,
  column,
  owner,
  acl,
  join = '',
  only = '',
}: Catalog): string {
  return `SELECT ${kind} AS kind, ${object} AS object, ${column ?? 'NULL::pg_catalog.text'} AS "column", c.${owner} AS owner,
      ${acl} AS acl FROM pg_catalog.${catalog} c ${join}
    WHERE EXISTS (SELECT 1 FROM touched t WHERE t.classid = 'pg_catalog.${named}'::pg_catalog.regclass AND t.objid = c.oid)
      ${only}`;
}
