import { describe, expect, test } from '@jest/globals';
import { postgresService } from '../../shared/services/postgres.ts';
import { connectAs, makePair, type PostgresPair } from './postgres-pair.ts';
import type { PostgresServer } from './postgres-server.ts';
import { runPrinted } from './postgres-versions.ts';

const free = async () => undefined;

/** What breaks a good pair, and what is then said about it. */
const breakages: readonly (readonly [string, (pair: PostgresPair) => string, RegExp])[] = [
  ['a user is missing', ({ users }) => `DROP ROLE ${users[1]}`, /does not exist/],
  ['a user cannot log in', ({ users }) => `ALTER ROLE ${users[1]} NOLOGIN`, /cannot log in/],
  ['a user is a superuser', ({ users }) => `ALTER ROLE ${users[0]} SUPERUSER`, /superuser/],
  [
    'the owner role is missing',
    ({ users, owner }) => `ALTER ROLE ${users[0]} RESET role; ALTER ROLE ${users[1]} RESET role; DROP ROLE ${owner}`,
    /owner role .* does not exist/,
  ],
  ['the owner role can log in', ({ owner }) => `ALTER ROLE ${owner} LOGIN`, /can log in by itself/],
  ['a user is no member of the owner role', ({ users, owner }) => `REVOKE ${owner} FROM ${users[1]}`, /not a member/],
  ['a user does not become the owner role', ({ users }) => `ALTER ROLE ${users[1]} RESET role`, /does not become/],
  ['one user has a connection limit', ({ users }) => `ALTER ROLE ${users[0]} CONNECTION LIMIT 7`, /connection limits/],
  ['one user expires', ({ users }) => `ALTER ROLE ${users[1]} VALID UNTIL '2100-01-01'`, /expire/],
  [
    'one user has a setting',
    ({ users }) => `ALTER ROLE ${users[0]} SET search_path = 'app', "Odd=Name"`,
    /search_path/,
  ],
  [
    'one user has a setting in this database',
    ({ users }) => `ALTER ROLE ${users[0]} IN DATABASE postgres SET work_mem = '8MB'`,
    /work_mem/,
  ],
  ['one user is a member of another role', ({ users }) => `GRANT pg_read_all_data TO ${users[0]}`, /pg_read_all_data/],
  [
    'both users have a setting, one of them in this database',
    ({ users }) =>
      `ALTER ROLE ${users[0]} SET work_mem = '9MB'; ALTER ROLE ${users[1]} IN DATABASE postgres SET work_mem = '8MB'`,
    /work_mem/,
  ],
  [
    'a user becomes somebody else in this database',
    ({ users }) => `ALTER ROLE ${users[1]} IN DATABASE postgres SET role = 'none'`,
    /does not become/,
  ],
  [
    'a user is a member of the owner role that may not become it',
    ({ users, owner }) => `GRANT ${owner} TO ${users[0]} WITH SET FALSE`,
    /may not become/,
  ],
  ['one user may create roles', ({ users }) => `ALTER ROLE ${users[1]} CREATEROLE REPLICATION`, /has CREATEROLE/],
  [
    'one user administers another role',
    ({ users }) => `GRANT pg_monitor TO ${users[0]}; GRANT pg_monitor TO ${users[1]} WITH ADMIN OPTION, INHERIT FALSE`,
    /all its rights as a member of pg_monitor/,
  ],
  ['one user does not inherit', ({ users }) => `ALTER ROLE ${users[0]} NOINHERIT`, /INHERIT/],
  [
    'a user owns a table itself',
    ({ users }) => `CREATE TABLE t_${users[0]} (); ALTER TABLE t_${users[0]} OWNER TO ${users[0]}`,
    /owns table/,
  ],
];

/** What is found wrong with users and their owner role, and that the SQL for it fixes it. */
export function roleTests(here: () => PostgresServer): void {
  findingTests(here);
  chosenTests(here);
  settingsTests(here);
}

function findingTests(here: () => PostgresServer): void {
  describe('what would lock consumers out at the next turn is found, and the SQL that comes with it fixes it:', () => {
    test.each(breakages)('%s', async (_name, sql, said) => {
      const pair = await makePair(here());
      const service = postgresService(pair.options());
      expect(await service.describe()).toMatchObject({ problems: [], slotsEqual: true });
      await here().sql(sql(pair));
      const broken = await service.describe();
      expect(broken.slotsEqual).toBe(false);
      expect(broken.problems.join('\n')).toMatch(said);
      await runPrinted(service, here());
      expect(await service.describe()).toMatchObject({ problems: [], slotsEqual: true });
    });

    test('rights that only one user was granted directly', async () => {
      const pair = await makePair(here());
      await here().sql(`CREATE TABLE g_${pair.users[0]} (); GRANT SELECT ON g_${pair.users[0]} TO ${pair.users[0]}`);
      const { problems, slotsEqual } = await postgresService(pair.options()).describe();
      expect(slotsEqual).toBe(false);
      expect(problems).toEqual([expect.stringContaining(`table public.g_${pair.users[0]}`)]);
    });

    test('rights of one user on what the owner role owns, or is to own, change nothing', async () => {
      const pair = await makePair(here());
      const [a, b] = pair.users;
      await here().sql(`CREATE TABLE o_${a} (); CREATE TABLE p_${a} (n int);
      GRANT SELECT ON o_${a}, p_${a} TO ${b}; GRANT UPDATE (n) ON p_${a} TO ${b};
      ALTER TABLE o_${a} OWNER TO ${pair.owner}; ALTER TABLE p_${a} OWNER TO ${a}`);
      const service = postgresService(pair.options());
      expect((await service.describe()).fixes).toEqual([`REASSIGN OWNED BY "${a}" TO "${pair.owner}";`]);
      await runPrinted(service, here());
      expect(await service.describe()).toMatchObject({ problems: [], slotsEqual: true });
    });

    test("lockkeeper's own role may not change the users", async () => {
      const pair = await makePair(here());
      await here().sql(`REVOKE ${pair.users.join(', ')} FROM lockkeeper`);
      const { problems } = await postgresService(pair.options()).describe();
      expect(problems.filter((problem) => problem.includes('WITH ADMIN OPTION'))).toHaveLength(2);
      await expect(
        postgresService(pair.options()).change({ ...pair.initial, slot: pair.users[1] }, undefined, free),
      ).rejects.toMatchObject({ code: 'denied' });
    });

    test('names that need quoting work everywhere', async () => {
      const users = ['app "a"; --', "App b's"] as const;
      const [a, b] = users.map((user) => `"${user.replaceAll('"', '""')}"`);
      await makePair(here());
      await here().sql(
        `CREATE ROLE ${a} LOGIN; CREATE ROLE ${b} LOGIN; GRANT ${a}, ${b} TO lockkeeper WITH ADMIN OPTION; CREATE ROLE "The Owner" NOLOGIN;`,
      );
      const pair = await makePair(here());
      const service = postgresService(pair.options({ users, ownerRole: 'The Owner' }));
      await runPrinted(service, here());
      expect((await service.describe()).problems).toEqual([]);
      const login = { slot: users[0], value: pair.initial.value };
      await service.change(login, undefined, free);
      expect(await service.accepts(login)).toMatchObject([{ answer: 'accepted' }]);
      await service.retire(login.slot, undefined, free);
      expect(await service.accepts(login)).toMatchObject([{ answer: 'refused' }]);
    });
  });
}

function chosenTests(here: () => PostgresServer): void {
  describe('what a consumer chose is no SQL for an administrator:', () => {
    test('a list setting that hides statements is named, and set by hand', async () => {
      const pair = await makePair(here());
      const [user] = pair.users;
      await here().sql(`SELECT set_config('search_path', 'x;ALTER/**/ROLE/**/${user}/**/SUPERUSER;--', false);
      ALTER ROLE ${user} SET search_path FROM CURRENT`);
      const { problems, fixes } = await postgresService(pair.options()).describe();
      expect(problems.join('\n')).toMatch(/begin with different settings \("search_path=x;/);
      expect(problems.join('\n')).toContain('by hand');
      expect(fixes).toEqual([]);
    });

    test('a value that reads like the words before a statement stays a value', async () => {
      const pair = await makePair(here());
      const [user] = pair.users;
      await here().sql(`ALTER ROLE ${user} SET application_name = 'x. Run: ALTER ROLE ${user} SUPERUSER;'`);
      const { fixes } = await postgresService(pair.options()).describe();
      expect(fixes).toEqual([expect.stringMatching(/^ALTER ROLE "app\d+_b" SET "application_name" = 'x. Run: .*';$/)]);
    });
  });
}

function settingsTests(here: () => PostgresServer): void {
  describe('settings that consumers may make reach no session of lockkeeper:', () => {
    test('neither those of a database nor those of a user', async () => {
      const pair = await makePair(here());
      const [user] = pair.users;
      await here().sql(`CREATE DATABASE shaped OWNER ${pair.owner}`);
      for (const setting of [
        `role = '${pair.owner}'`,
        'search_path = public, pg_catalog',
        'default_transaction_read_only = on',
        'statement_timeout = 1',
        'local_preload_libraries = nowhere',
        'extra_float_digits = -15',
      ])
        await here().sql(`ALTER DATABASE shaped SET ${setting}; ALTER ROLE ${user} IN DATABASE shaped SET ${setting}`);
      const service = postgresService(pair.options({ database: 'shaped' }));
      const login = { slot: pair.users[1], value: pair.initial.value };
      await service.change(login, pair.initial, free);
      expect(await service.accepts(pair.initial)).toMatchObject([{ answer: 'accepted' }]);
      const session = await connectAs(here().port, pair.initial);
      const [seen, ...others] = await service.sessions(user);
      expect(others).toEqual([]);
      expect(Math.abs(Date.now() - Number(seen?.since))).toBeLessThan(60_000);
      await session.end();
      expect(await service.retire(login.slot, pair.initial, free, { endSessions: true })).toEqual([
        { endpoint: here().endpoint, error: undefined },
      ]);
      expect(await service.accepts(login)).toMatchObject([{ answer: 'refused' }]);
    });
  });
}
