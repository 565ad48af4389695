import pg from 'pg';
import type { FoundPair } from './found-pair.ts';

/** Rights as a consumer's own session has them, one line each, like `SELECT on table public.t`. */
export type ConsumerRights = ReadonlySet<string>;

/**
 * Logs in as a consumer does and asks the server, in that session, for every right it has on everything there is, and
 * tries what no function answers. Shares no statement with the driver. A login that is refused has one line only.
 */
export async function consumerRights(pair: FoundPair, user: string, database: string): Promise<ConsumerRights> {
  const { slot, value } = pair.login(user);
  const client = new pg.Client({
    host: '127.0.0.1',
    port: pair.found.server.port,
    database,
    user: slot,
    password: value.open(),
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (thrown) {
    await client.end().catch((late: unknown) => late);
    return new Set([
      `no login in ${database}: ${thrown instanceof Error ? thrown.message.replaceAll(user, 'USER') : ''}`,
    ]);
  }
  try {
    const lines: string[] = [`logs in to ${database}`];
    for (const text of [...asked, ...(pair.found.version >= 15 ? askedFrom15 : [])]) {
      const { rows } = await client.query<{ readonly line: string | null }>(text);
      lines.push(...rows.flatMap(({ line }) => line ?? []));
    }
    lines.push(...(await tried(client)));
    return new Set(lines);
  } finally {
    await client.end();
  }
}

/** `privileges` of the function `has_…_privilege` on whatever `from` lists as `oid` and `what`. */
function rights(kind: string, privileges: string, from: string): string {
  return `SELECT p || ' on ${kind} ' || x.what AS line FROM (${from}) x, unnest(ARRAY[${privileges
    .split(' ')
    .flatMap((one) => [`'${one}'`, `'${one} WITH GRANT OPTION'`])
    .join()}]) p WHERE has_${kind}_privilege(x.oid, p)`;
}

const ours = `oid >= 16384`;
const relation = `c.oid, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS what FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.oid >= 16384`;

/** CONNECT is asked of who logs in, before anything else; all others of who the session is then. */
const connect = `SELECT 'CONNECT on database ' || datname AS line FROM pg_database WHERE has_database_privilege(session_user, oid, 'CONNECT')`;

const asked: readonly string[] = [
  connect,
  rights(
    'table',
    'SELECT INSERT UPDATE DELETE TRUNCATE REFERENCES TRIGGER',
    `SELECT ${relation} AND c.relkind IN ('r','v','m','p','f')`,
  ),
  rights('sequence', 'USAGE SELECT UPDATE', `SELECT ${relation} AND c.relkind = 'S'`),
  `SELECT p || ' on column ' || c.oid::regclass || '.' || a.attname AS line FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid,
    unnest(ARRAY['SELECT','INSERT','UPDATE','REFERENCES','SELECT WITH GRANT OPTION','UPDATE WITH GRANT OPTION']) p
    WHERE c.oid >= 16384 AND c.relkind IN ('r','v','m','p','f') AND a.attnum > 0 AND NOT a.attisdropped AND has_column_privilege(c.oid, a.attnum, p)`,
  rights('function', 'EXECUTE', `SELECT oid, oid::regprocedure::text AS what FROM pg_proc WHERE ${ours}`),
  rights('schema', 'CREATE USAGE', `SELECT oid, nspname AS what FROM pg_namespace WHERE ${ours} OR nspname = 'public'`),
  rights('database', 'CREATE TEMPORARY', `SELECT oid, datname AS what FROM pg_database`),
  rights('type', 'USAGE', `SELECT oid, oid::regtype::text AS what FROM pg_type WHERE ${ours}`),
  rights('language', 'USAGE', `SELECT oid, lanname AS what FROM pg_language WHERE lanpltrusted`),
  rights('server', 'USAGE', `SELECT oid, srvname AS what FROM pg_foreign_server`),
  rights('foreign_data_wrapper', 'USAGE', `SELECT oid, fdwname AS what FROM pg_foreign_data_wrapper`),
  rights('tablespace', 'CREATE', `SELECT oid, spcname AS what FROM pg_tablespace`),
  `SELECT 'owns ' || c.oid::regclass AS line FROM pg_class c WHERE ${ours} AND pg_has_role(relowner, 'USAGE')`,
  `SELECT 'owns schema ' || nspname AS line FROM pg_namespace WHERE ${ours} AND pg_has_role(nspowner, 'USAGE')`,
  `SELECT 'owns function ' || oid::regprocedure AS line FROM pg_proc WHERE ${ours} AND pg_has_role(proowner, 'USAGE')`,
  `SELECT 'owns database ' || datname AS line FROM pg_database WHERE pg_has_role(datdba, 'USAGE')`,
  `SELECT 'is ' || a AS line FROM pg_roles, unnest(ARRAY[CASE WHEN rolcreatedb THEN 'CREATEDB' END, CASE WHEN rolcreaterole THEN 'CREATEROLE' END,
    CASE WHEN rolreplication THEN 'REPLICATION' END, CASE WHEN rolbypassrls THEN 'BYPASSRLS' END]) a WHERE rolname = current_user AND a IS NOT NULL`,
  `SELECT p || ' of role ' || rolname AS line FROM pg_roles, unnest(ARRAY['USAGE','USAGE WITH ADMIN OPTION']) p
    WHERE rolname <> session_user AND pg_has_role(oid, p)`,
  `SELECT 'mapping at ' || srvname || ' ' || umoptions::text AS line FROM pg_user_mappings WHERE usename = current_user`,
  `SELECT 'setting ' || name || '=' || setting AS line FROM pg_settings WHERE source IN ('database', 'user', 'database user', 'global') AND name <> 'role'`,
  `SELECT 'schema of $user ' || nspname AS line FROM pg_namespace WHERE nspname = ANY (current_schemas(false))`,
];

const askedFrom15: readonly string[] = [
  `SELECT p || ' on parameter ' || parname AS line FROM pg_parameter_acl, unnest(ARRAY['SET','ALTER SYSTEM','SET WITH GRANT OPTION']) p
    WHERE has_parameter_privilege(parname, p)`,
];

/** What is answered by doing it: each in a transaction that leaves nothing behind. */
async function tried(client: pg.Client): Promise<readonly string[]> {
  const names = async (text: string) =>
    (await client.query<{ readonly name: string }>(text)).rows.map(({ name }) => name);
  const lines: string[] = [];
  for (const role of await names('SELECT rolname AS name FROM pg_roles WHERE rolname <> session_user'))
    lines.push(...(await attempt(client, `becomes ${role}`, `SET LOCAL ROLE ${pg.escapeIdentifier(role)}`)));
  for (const object of await names('SELECT oid::text AS name FROM pg_largeobject_metadata'))
    lines.push(
      ...(await attempt(client, `reads large object ${object}`, `SELECT lo_get(${object})`)),
      ...(await attempt(client, `writes large object ${object}`, `SELECT lo_put(${object}, 0, 'x')`)),
    );
  const tables = `SELECT c.oid::regclass::text AS name FROM pg_class c WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p')`;
  for (const table of await names(tables))
    lines.push(...(await attempt(client, `sees in ${table} row`, `SELECT t::text AS line FROM ${table} t`)));
  const schemas = `SELECT quote_ident(nspname) AS name FROM pg_namespace WHERE oid >= 16384 OR nspname = 'public'`;
  for (const schema of await names(schemas))
    for (const [made, text] of makings(schema)) lines.push(...(await attempt(client, `${made} in ${schema}`, text)));
  return lines;
}

/** New objects, and who else has rights on them from the beginning. */
function makings(schema: string): readonly (readonly [made: string, text: string])[] {
  const others = (acl: string, kind: string, from: string) =>
    `SELECT CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE x.grantee::regrole::text END || ' ' || x.privilege_type || ' ' || x.is_grantable AS line
      FROM ${from} o, aclexplode(coalesce(${acl}, acldefault('${kind}', o.owner))) x WHERE x.grantee <> o.owner`;
  return [
    [
      'makes a table with',
      `CREATE TABLE ${schema}.made_here (); ${others('o.acl', 'r', `(SELECT relacl AS acl, relowner AS owner FROM pg_class WHERE oid = '${schema}.made_here'::regclass)`)}`,
    ],
    [
      'makes a function with',
      `CREATE FUNCTION ${schema}.made_here() RETURNS int LANGUAGE sql AS 'SELECT 1'; ${others('o.acl', 'f', `(SELECT proacl AS acl, proowner AS owner FROM pg_proc WHERE oid = '${schema}.made_here'::regproc)`)}`,
    ],
    [
      'makes a sequence with',
      `CREATE SEQUENCE ${schema}.made_here; ${others('o.acl', 's', `(SELECT relacl AS acl, relowner AS owner FROM pg_class WHERE oid = '${schema}.made_here'::regclass)`)}`,
    ],
  ];
}

/** One line if it can be done, and one more for each line that it answers. */
async function attempt(client: pg.Client, what: string, text: string): Promise<readonly string[]> {
  await client.query('BEGIN');
  try {
    const answer: unknown = await client.query(text);
    const results = Array.isArray(answer) ? answer : [answer];
    return [
      what,
      ...results.flatMap((one: { rows: readonly { line?: string }[] }) =>
        one.rows.flatMap(({ line }) => (line === undefined ? [] : `${what} ${line}`)),
      ),
    ];
  } catch (thrown) {
    if (thrown instanceof pg.DatabaseError) return [];
    throw thrown;
  } finally {
    await client.query('ROLLBACK');
  }
}

/** What is in the one and not in the other. */
export function missing(from: ConsumerRights, of: ConsumerRights): readonly string[] {
  return [...of].filter((line) => !from.has(line));
}
