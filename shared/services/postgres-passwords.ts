import type pg from 'pg';

/** How passwords are stored and asked for, as far as lockkeeper's own login may see it. */
export interface PasswordsSeen {
  /** `password_encryption` as it holds for lockkeeper's own session. */
  readonly encryption: string;
  /** How each user's present password is stored; undefined where that is not shown. */
  readonly stored: readonly StoredPassword[] | undefined;
  /** Methods of the lines of pg_hba.conf that may be for these users; undefined where they are not shown. */
  readonly methods: readonly string[] | undefined;
}

/** Never the password or its hash. */
export interface StoredPassword {
  readonly role: string;
  readonly kind: 'none' | 'md5' | 'scram';
}

/** Reads what may be read. Nothing here is ever a hash. */
export async function readPasswords(
  client: pg.Client,
  { users, database }: { readonly users: readonly string[]; readonly database: string },
): Promise<PasswordsSeen> {
  const [may] = (await client.query<May>(mayText)).rows;
  return {
    encryption: may?.encryption ?? '',
    stored: may?.stored ? (await client.query<StoredPassword>(storedText, [users])).rows : undefined,
    methods: may?.methods
      ? (await client.query<{ readonly method: string }>(methodsText, [users, database])).rows.map(
          ({ method }) => method,
        )
      : undefined,
  };
}

interface May {
  readonly encryption: string;
  readonly stored: boolean;
  readonly methods: boolean;
}

const mayText = `SELECT pg_catalog.current_setting('password_encryption') AS encryption,
  pg_catalog.has_table_privilege('pg_catalog.pg_authid', 'SELECT') AS stored,
  pg_catalog.has_table_privilege('pg_catalog.pg_hba_file_rules', 'SELECT')
    AND pg_catalog.has_function_privilege('pg_catalog.pg_hba_file_rules()', 'EXECUTE') AS methods`;

const storedText = `SELECT a.rolname AS role, CASE WHEN a.rolpassword IS NULL THEN 'none'
    WHEN pg_catalog.substr(a.rolpassword, 1, 3) = 'md5' THEN 'md5' ELSE 'scram' END AS kind
  FROM pg_catalog.pg_authid a WHERE a.rolname = ANY($1::pg_catalog.name[])`;

/** A line that names a group, a pattern or a file may be for a user, too. */
const methodsText = `SELECT DISTINCT h.auth_method AS method FROM pg_catalog.pg_hba_file_rules h
  WHERE h.error IS NULL AND h.auth_method IS NOT NULL
    AND EXISTS (SELECT 1 FROM pg_catalog.unnest(h.user_name) u WHERE u = 'all' OR u = ANY($1::pg_catalog.text[]) OR u ~ '^[+/@]')
    AND EXISTS (SELECT 1 FROM pg_catalog.unnest(h.database) d WHERE d IN ('all', 'sameuser', 'samerole', 'samegroup', $2) OR d ~ '^[/@]')
  ORDER BY 1`;
