import { describe, expect, test } from '@jest/globals';
import { Sealed } from '../../shared/base/sealed.ts';
import { postgresService } from '../../shared/services/postgres.ts';
import { makePair } from './postgres-pair.ts';
import type { PostgresServer } from './postgres-server.ts';

/** Words of SQL, of the kinds that PostgreSQL 10 has, and the names that the statements make up themselves. */
const words = new Set(
  `restricted select and any array as at begin by case commit end exists extract epoch from group in is join left not null on
    operator or order password role alter then when where true false coalesce nullif current_user with recursive
    union all distinct else filter ordinality within like a c d g h m me n o p r s t u w x y z address admin
    administered attributes becomes began connections granted inherits keeps login member name ours owns pid
    program roleid started superuser version reached touched acl kind object column privilege grantee grantable
    owner schema grants here everywhere settings sessions expired server roles permissive expressions others method
    stored methods encryption part table database session_user read write host port`.split(/\s+/),
);

/**
 * Everything of the server that the driver names, each looked up in a PostgreSQL 10.23: functions, relations, columns,
 * types and roles. A new name belongs here after it was looked up in the manual of version 10.
 */
const ten = new Set(
  `pg_catalog set_config current_setting array_remove to_json to_jsonb json_agg row_to_json json_build_object
    bool_or unnest host floor clock_timestamp now count current_database format concat_ws substr aclexplode
    acldefault pg_advisory_xact_lock pg_backend_pid pg_describe_object pg_identify_object pg_get_expr
    pg_get_userbyid pg_has_role has_table_privilege has_function_privilege pg_postmaster_start_time
    pg_stat_get_activity pg_terminate_backend pg_hba_file_rules pg_attribute pg_auth_members pg_authid pg_class
    pg_database pg_db_role_setting pg_default_acl pg_depend pg_foreign_data_wrapper pg_foreign_server pg_language
    pg_largeobject pg_largeobject_metadata pg_namespace pg_policy pg_proc pg_roles pg_shdepend pg_stat_activity
    pg_tablespace pg_type pg_user_mapping pg_user_mappings admin_option application_name attacl attisdropped
    attname attrelid backend_start classid client_addr datacl datdba datname dbid defaclacl defaclnamespace
    defaclobjtype defaclrole deptype fdwacl fdwname fdwowner is_grantable lanacl lanname lanowner lomacl lomowner
    nspacl nspname nspowner objid objsubid oid polname polpermissive polqual polrelid polroles polwithcheck
    privilege_type proacl proowner refclassid refobjid relacl relkind relname relnamespace relowner rolbypassrls
    rolcanlogin rolconnlimit rolcreatedb rolcreaterole rolinherit rolname rolpassword rolreplication rolsuper
    rolvaliduntil setconfig setdatabase setrole spcacl spcname spcowner srvacl srvname srvowner typacl typname
    typnamespace typowner type usename usesysid auth_method user_name error bool char int4 int8 interval json
    regclass regprocedure text timestamptz pg_read_all_stats pg_signal_backend pg_temp inet_client_addr client_port
    pg_stat_wal_receiver pg_is_in_recovery`.split(/\s+/),
);

/** What came with 15, in the one statement that no server before it is sent. */
const fifteen = /pg_parameter_acl/;

/** What a server logs of lockkeeper's own sessions: it needs log_statement=all and log_line_prefix=<%u|%a>. */
export function statementTests(here: () => PostgresServer): void {
  describe('PostgreSQL 10 is enough:', () => {
    test('no statement of the driver names anything that came later', async () => {
      for (const strategy of ['alternating', 'single'] as const) await everyCall(here(), strategy);
      const statements = [...new Set(ofTheDriver(here().log()))];
      expect(statements.length).toBeGreaterThan(10);
      const named = statements
        .filter((sql) => !fifteen.test(sql))
        .flatMap((sql) => [
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
