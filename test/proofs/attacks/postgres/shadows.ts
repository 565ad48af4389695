import type pg from 'pg';

/** What a consumer planted. */
export interface Shadows {
  readonly functions: number;
  readonly operators: number;
  readonly relations: number;
  readonly types: number;
}

/**
 * Plants, as a consumer that owns the database, a shadow of every function, operator, relation and type of the server
 * whose name stands in `statements`. Each does what its original does, and leaves a mark of who called it. Everything is
 * there in `public` and in schemas of the names that `"$user"` may mean.
 */
export async function plantShadows(
  client: pg.Client,
  statements: string,
  schemas: readonly string[],
): Promise<Shadows> {
  await client.query(`CREATE SCHEMA evil; GRANT USAGE ON SCHEMA evil TO PUBLIC;
    CREATE TABLE evil.marks (who text, what text); GRANT INSERT ON evil.marks TO PUBLIC;
    CREATE FUNCTION evil.mark(what text) RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog AS $$
      BEGIN INSERT INTO evil.marks VALUES (session_user || ' as ' || current_user, what); RETURN true; END $$;`);
  const words = [...new Set(statements.match(/[a-z_][a-z0-9_]+/gi) ?? [])].map((word) => word.toLowerCase());
  const signs = [...new Set(statements.match(/[-+*/<>=~!@#%^&|`?]+/g) ?? []), '=', '<>', '<', '~~'];
  const sources = {
    functions: await functionShadows(client, words),
    operators: await operatorShadows(client, signs),
    relations: await named(client, relationsText, words, (name) => {
      return `CREATE VIEW @here@.${name} AS SELECT * FROM pg_catalog.${name} WHERE evil.mark('relation ${name}')`;
    }),
    types: await named(client, typesText, words, (name) => {
      return `CREATE DOMAIN @here@.${name} AS pg_catalog.${name} CHECK (evil.mark('type'))`;
    }),
  };
  const counts = { functions: 0, operators: 0, relations: 0, types: 0 };
  for (const schema of schemas) {
    await client.query(`CREATE SCHEMA IF NOT EXISTS "${schema}"; GRANT USAGE ON SCHEMA "${schema}" TO PUBLIC`);
    for (const kind of ['functions', 'operators', 'relations', 'types'] as const)
      counts[kind] += await plantAll(client, sources[kind], `"${schema}"`);
    await client.query(`GRANT SELECT ON ALL TABLES IN SCHEMA "${schema}" TO PUBLIC`);
  }
  return counts;
}

/** One batch a statement; what cannot be made (pseudo-types, say) is left out. */
async function plantAll(client: pg.Client, statements: readonly string[], schema: string): Promise<number> {
  const guarded = statements.map((one) => {
    const sql = one.replaceAll('@here@', schema).replaceAll("'", "''");
    return `BEGIN EXECUTE '${sql}'; made := made + 1; EXCEPTION WHEN OTHERS THEN NULL; END;`;
  });
  await client.query(
    `DO $block$ DECLARE made int := 0; BEGIN ${guarded.join('\n')} PERFORM set_config('evil.made', made::text, false); END $block$`,
  );
  const { rows } = await client.query<{ made: string }>("SELECT current_setting('evil.made') AS made");
  return Number(rows[0]?.made);
}

const relationsText = `SELECT quote_ident(relname) AS name FROM pg_class
  WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind IN ('r', 'v') AND relname = ANY($1)`;
const typesText = `SELECT quote_ident(typname) AS name FROM pg_type
  WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype = 'b' AND typname = ANY($1)`;

async function named(
  client: pg.Client,
  text: string,
  words: readonly string[],
  shadow: (name: string) => string,
): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(text, [words]);
  return rows.map(({ name }) => shadow(name));
}

/** The types that polymorphic originals are shadowed for, which makes the shadow the better match. */
const common = ['text', 'name', 'oid', 'int4', 'int8', 'bool', 'timestamptz', 'text[]', 'float8', 'numeric'];

async function functionShadows(client: pg.Client, words: readonly string[]): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string; args: string[]; result: string; set: boolean }>(
    `SELECT quote_ident(proname) AS name, ARRAY(SELECT format_type(t, NULL) FROM unnest(proargtypes) t) AS args,
       format_type(prorettype, NULL) AS result, proretset AS set
     FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f' AND proname = ANY($1)`,
    [words],
  );
  return rows.flatMap((row) =>
    row.args.some((arg) => arg.startsWith('any') || arg === '"any"')
      ? common.map((type) =>
          functionShadow({
            ...row,
            args: row.args.map((arg) => concrete(arg, type)),
            result: concrete(row.result, type),
          }),
        )
      : [functionShadow(row)],
  );
}

function concrete(type: string, as: string): string {
  if (type === 'anyarray') return as.endsWith('[]') ? as : `${as}[]`;
  return type.startsWith('any') || type === '"any"' ? as.replace('[]', '') : type;
}

interface Original {
  readonly name: string;
  readonly args: readonly string[];
  readonly result: string;
  readonly set: boolean;
}

function functionShadow({ name, args, result, set }: Original): string {
  const call = `pg_catalog.${name}(${args.map((_, index) => `$${index + 1}`).join(', ')})`;
  const answer = set ? `RETURN QUERY SELECT ${call};` : result === 'void' ? `PERFORM ${call};` : `RETURN ${call};`;
  return `CREATE FUNCTION @here@.${name}(${args.join(', ')}) RETURNS ${set ? 'SETOF ' : ''}${result} LANGUAGE plpgsql
    SET search_path = pg_catalog AS $f$ BEGIN PERFORM evil.mark('function ${name.replaceAll("'", '')}'); ${answer} END $f$`;
}

async function operatorShadows(client: pg.Client, signs: readonly string[]): Promise<readonly string[]> {
  const { rows } = await client.query<{ sign: string; left: string; right: string; result: string }>(
    `SELECT oprname AS sign, format_type(oprleft, NULL) AS left, format_type(oprright, NULL) AS right,
       format_type(oprresult, NULL) AS result
     FROM pg_operator WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprleft <> 0 AND oprname = ANY($1)
       AND oprleft::regtype::text = ANY($2) AND oprright::regtype::text = ANY($2)`,
    [
      signs,
      [
        'name',
        'text',
        'oid',
        'integer',
        'bigint',
        'smallint',
        'boolean',
        '"char"',
        'numeric',
        'json',
        'text[]',
        'double precision',
        'timestamp with time zone',
      ],
    ],
  );
  return rows.flatMap(({ sign, left, right, result }, index) => [
    `CREATE FUNCTION @here@.op${index}(${left}, ${right}) RETURNS ${result} LANGUAGE plpgsql SET search_path = pg_catalog
      AS $f$ BEGIN PERFORM evil.mark('operator ${sign}'); RETURN $1 OPERATOR(pg_catalog.${sign}) $2; END $f$`,
    `CREATE OPERATOR @here@.${sign} (LEFTARG = ${left}, RIGHTARG = ${right}, FUNCTION = @here@.op${index})`,
  ]);
}
