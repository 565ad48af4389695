import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Sealed } from '../../shared/base/sealed.ts';
import { roleProblems } from '../../shared/services/postgres-problems.ts';
import { attributes, type RoleSeen } from '../../shared/services/postgres-roles.ts';
import { postgresService } from '../../shared/services/postgres.ts';
import { makePair } from './postgres-pair.ts';
import { startPostgres, type PostgresServer } from './postgres-server.ts';

/** Words of SQL, of the kinds that PostgreSQL 10 has, and the names that the statements make up themselves. */
const words = new Set(
  `alter and any array as at begin by case commit end exists extract epoch from group in is join not null on operator or
  order password role select then when where true coalesce nullif current_user
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
  pg_postmaster_start_time pg_terminate_backend
  pg_auth_members pg_authid pg_database pg_db_role_setting pg_default_acl pg_roles pg_shdepend pg_stat_activity
  pg_user_mapping
  admin_option application_name backend_start classid client_addr datname dbid deptype objid objsubid oid refclassid
  refobjid rolbypassrls rolcanlogin rolconnlimit rolcreatedb rolcreaterole rolinherit rolname rolreplication rolsuper
  rolvaliduntil setconfig setdatabase setrole usename
  bool char int4 int8 json regclass text timestamptz pg_read_all_stats pg_signal_backend pg_temp`.split(/\s+/),
);

describe('PostgreSQL 10 is enough:', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres(['log_statement=all', 'log_line_prefix=<%u|%a>']);
  }, 60_000);
  afterAll(async () => server.stop());

  test('no statement of the driver names anything that came later', async () => {
    for (const strategy of ['alternating', 'single'] as const) await everyCall(server, strategy);
    const statements = [...new Set(ofTheDriver(server.log()))];
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

  test('no statement that is printed for a server before 16 has a word of 16', () => {
    const name = fc.constantFrom('a', 'b', 'owner', 'other; "group"', 'pg_monitor');
    const role = fc.record<RoleSeen>({
      name,
      login: fc.boolean(),
      superuser: fc.boolean(),
      inherits: fc.boolean(),
      attributes: fc.subarray([...attributes]),
      connections: fc.integer({ min: -1, max: 2 }),
      validUntil: fc.constantFrom(null, '2100-01-01T00:00:00+00:00'),
      settingsHere: fc.subarray(['role=owner', 'search_path=a, b']),
      settingsEverywhere: fc.subarray(['role=none', 'work_mem=8MB']),
      memberOf: fc.uniqueArray(
        fc.record({ name, admin: fc.boolean(), becomes: fc.boolean(), inherits: fc.boolean() }),
        { selector: (one) => one.name },
      ),
      owns: fc.subarray(['table t']),
      keeps: fc.constant([]),
      granted: fc.subarray(['table u']),
      administered: fc.boolean(),
      ours: fc.boolean(),
      aboveUs: fc.boolean(),
    });
    const admin = fc.record({
      name: fc.constant('lockkeeper'),
      superuser: fc.boolean(),
      createsRoles: fc.boolean(),
      inherits: fc.boolean(),
      endsSessions: fc.boolean(),
      seesSessions: fc.boolean(),
      version: fc.constantFrom(100_023, 150_018, 160_000, 180_000),
    });
    const wanted = { strategy: 'alternating', users: ['a', 'b'], ownerRole: 'owner', database: 'shop' } as const;
    const roles = fc.uniqueArray(role, { selector: (one) => one.name });
    fc.assert(
      fc.property(admin, roles, (own, seen) => {
        const { problems } = roleProblems({ admin: own, roles: seen }, wanted);
        for (const { text, sql } of problems) {
          if (sql === undefined) continue;
          expect(text.endsWith(sql)).toBe(true);
          if (own.version < 160_000) expect(sql).not.toMatch(/\b(WITH SET|TRUE|FALSE|WITH INHERIT)\b/);
          // One statement each, whatever names there are.
          expect(sql.replaceAll(/"(?:[^"]|"")*"|'(?:[^']|'')*'/g, '').match(/;/g)).toHaveLength(1);
        }
      }),
      { numRuns: 100 },
    );
  });
});

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
