import { describe, expect, test } from '@jest/globals';
import { Sealed } from '../../shared/base/sealed.ts';
import { postgresService } from '../../shared/services/postgres.ts';
import { makePair } from './postgres-pair.ts';
import type { PostgresServer } from './postgres-server.ts';

/** Words of SQL, of the kinds that PostgreSQL 10 has, and the names that the statements make up themselves. */
const words = new Set(
  `alter and any array as at begin by case commit end exists extract epoch from group in is join not null on operator or
  order password role select then when where true coalesce nullif current_user session_user read write distinct me host port w
  d g m me n o r s w x address admin administered attributes becomes began connections granted inherits keeps login
  member name ours owns pid program roleid started superuser version`.split(/\s+/),
);

/**
 * Everything of the server that the driver names, each looked up in a PostgreSQL 10.23: functions, relations, columns,
 * types and roles. A new name belongs here after it was looked up in the manual of version 10.
 */
const ten = new Set(
  `pg_catalog set_config current_setting array_remove to_json to_jsonb json_agg row_to_json bool_or unnest host floor
  clock_timestamp current_database pg_advisory_xact_lock pg_backend_pid pg_describe_object pg_has_role
  pg_postmaster_start_time pg_stat_get_activity pg_terminate_backend
  inet_client_addr client_port pg_stat_wal_receiver pg_is_in_recovery pg_auth_members pg_authid pg_database pg_db_role_setting pg_default_acl pg_roles pg_shdepend pg_stat_activity
  pg_user_mapping
  admin_option application_name backend_start classid client_addr datname dbid deptype objid objsubid oid refclassid
  refobjid rolbypassrls rolcanlogin rolconnlimit rolcreatedb rolcreaterole rolinherit rolname rolreplication rolsuper
  rolvaliduntil setconfig setdatabase setrole usename
  bool char int4 int8 json regclass text timestamptz pg_read_all_stats pg_signal_backend pg_temp`.split(/\s+/),
);

/** What a server logs of lockkeeper's own sessions: it needs log_statement=all and log_line_prefix=<%u|%a>. */
export function statementTests(here: () => PostgresServer): void {
  describe('PostgreSQL 10 is enough:', () => {
    test('no statement of the driver names anything that came later', async () => {
      for (const strategy of ['alternating', 'single'] as const) await everyCall(here(), strategy);
      const statements = [...new Set(ofTheDriver(here().log()))];
      expect(statements.length).toBeGreaterThan(10);
      const named = statements.flatMap((sql) => [
        ...(sql.replaceAll(/'[^']*'|"[^"]*"/g, ' ').match(/[a-z_]\w*/gi) ?? []),
        ...(sql.match(/(?<=')pg_\w+/g) ?? []),
      ]);
      expect(named).toEqual(expect.arrayContaining(['pg_terminate_backend', 'pg_read_all_stats']));
      expect([...new Set(named)].filter((word) => !words.has(word.toLowerCase()) && !ten.has(word))).toEqual([]);
      // With a time to wait it is of 14.
      for (const sql of statements) expect(sql).not.toMatch(/pg_terminate_backend\([^)]*,/);
    });
  });
}

/** Everything that a rotation asks of a service. */
async function everyCall(server: PostgresServer, strategy: 'alternating' | 'single'): Promise<void> {
  const free = async () => undefined;
  const pair = await makePair(server);
  const users = strategy === 'single' ? [pair.users[0]] : pair.users;
  const service = postgresService(pair.options({ strategy, users }));
  const { mark } = await service.describe();
  const next = { slot: users.at(-1) ?? '', value: new Sealed('value-of-the-next-01234567890') };
  await service.change(next, pair.initial, free);
  await service.accepts(next);
  await service.sessions(next.slot, mark);
  await service.retire(pair.users[0], strategy === 'single' ? next : undefined, free, { endSessions: true });
}

/** The statements in a log that came from lockkeeper's own sessions. */
function ofTheDriver(log: string): readonly string[] {
  const entries = log.split(/^(?=<)/m).filter((entry) => /^<[^|>]*\|lockkeeper /.test(entry));
  return entries.flatMap((entry) => /(?:statement|execute [^:]*): ([^]*)$/.exec(entry)?.[1] ?? []);
}
