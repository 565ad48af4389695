import type pg from 'pg';
import { fixAsSuperuser, q } from './postgres-fixes.ts';

/** A server that only reads, because it replays what another one writes. */
export interface Standby {
  /** `host:port` of the server that it follows; undefined where it follows none now, or lockkeeper may not see it. */
  readonly follows: string | undefined;
}

/** Columns that came with 11 are read as JSON, so that 10 takes the statement. It runs in a pinned transaction. */
const standbyText = `SELECT (SELECT pg_catalog.to_jsonb(w) ->> 'sender_host' FROM pg_catalog.pg_stat_wal_receiver w) AS host,
    (SELECT pg_catalog.to_jsonb(w) ->> 'sender_port' FROM pg_catalog.pg_stat_wal_receiver w) AS port
  WHERE pg_catalog.pg_is_in_recovery()`;

/** What the server follows; undefined where it is no standby. */
export async function readStandby(client: pg.Client): Promise<Standby | undefined> {
  const [row] = (await client.query<{ readonly host: string | null; readonly port: string | null }>(standbyText)).rows;
  if (!row) return undefined;
  const { host, port } = row;
  return { follows: host === null ? undefined : port === null ? host : `${host}:${port}` };
}

/** What stands in the way at a primary that is none. */
export function standbyProblem(primary: string, { follows }: Standby): string {
  return `The first endpoint ${primary} is a standby${follows === undefined ? '' : ` of ${follows}`} and only reads. Name the primary first among the endpoints, or promote this one.`;
}

const readOnlyText = `SELECT 1 FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
  WHERE d.datname = pg_catalog.current_database() AND s.setrole = 0::pg_catalog.oid
    AND 'default_transaction_read_only=on' = ANY(s.setconfig)`;

/** Why nobody writes in the database who does not ask for it; empty where that is not so. In a pinned transaction. */
export async function readOnlyRisks(client: pg.Client, database: string): Promise<readonly string[]> {
  if ((await client.query(readOnlyText)).rows.length === 0) return [];
  // Whoever runs the SQL is read-only, too.
  const sql = `BEGIN READ WRITE; ALTER DATABASE ${q(database)} RESET default_transaction_read_only; COMMIT`;
  const what = `in the database ${database} nobody can write unless they ask for it (default_transaction_read_only)`;
  return [fixAsSuperuser(what, sql).text];
}
