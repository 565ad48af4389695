import { postgresService } from '../../../shared/services/postgres.ts';
import type { FoundCase } from './case.ts';
import { foundPair, q } from './found-pair.ts';
import { roleCase } from './role-case.ts';

/** Expiry, limits, settings: what lets a login in today and not tomorrow. */
export const momentCases: readonly FoundCase[] = [
  roleCase({
    name: 'VALID UNTIL is past, for the first user',
    start: 'ready',
    arrange: ({ a }) => `ALTER ROLE ${q(a)} VALID UNTIL '2001-01-01'`,
    problems: [/_a expired at 2001-01-01.*whatever the password/],
  }),
  roleCase({
    name: 'VALID UNTIL is past, for the second user',
    start: 'ready',
    arrange: ({ b }) => `ALTER ROLE ${q(b)} VALID UNTIL '-infinity'`,
    problems: [/_b expired/],
  }),
  roleCase({
    name: 'VALID UNTIL comes in a month, for both users',
    start: 'ready',
    arrange: ({ a, b }) => `DO $$ DECLARE u text; BEGIN FOREACH u IN ARRAY ARRAY['${a}', '${b}'] LOOP
      EXECUTE format('ALTER ROLE %I VALID UNTIL %L', u, date_trunc('day', now()) + '30 days'::interval); END LOOP; END $$`,
    problems: [],
    risks: [/_a expires at/, /_b expires at/],
  }),
  roleCase({
    name: 'the users expire at different times: the later one holds',
    start: 'ready',
    arrange: ({ a, b }) => `ALTER ROLE ${q(a)} VALID UNTIL '2100-01-01'; ALTER ROLE ${q(b)} VALID UNTIL '2101-01-01'`,
    problems: [/different times/],
    after: async ({ a, sql }) => {
      const [row] = await sql<{ year: string }>(
        `SELECT to_char(rolvaliduntil, 'YYYY') AS year FROM pg_roles WHERE rolname = '${a}'`,
      );
      if (row?.year !== '2101') throw new Error(`it became ${row?.year}`);
    },
  }),
  roleCase({
    name: 'a connection limit of 0',
    start: 'ready',
    arrange: ({ b }) => `ALTER ROLE ${q(b)} CONNECTION LIMIT 0`,
    problems: [/no connection at all/],
  }),
  roleCase({
    name: 'a connection limit of one user: the wider one holds',
    start: 'ready',
    arrange: ({ b }) => `ALTER ROLE ${q(b)} CONNECTION LIMIT 5`,
    problems: [/different connection limits/],
  }),
  roleCase({
    name: 'a connection limit of 1 for both users',
    start: 'ready',
    arrange: ({ a, b }) => `ALTER ROLE ${q(a)} CONNECTION LIMIT 1; ALTER ROLE ${q(b)} CONNECTION LIMIT 1`,
    problems: [],
    risks: [/_a may hold 1 connection at once/],
  }),
  roleCase({
    name: 'ALTER ROLE … IN DATABASE … SET of the first user',
    start: 'ready',
    arrange: ({ a, database }) => `ALTER ROLE ${q(a)} IN DATABASE ${q(database)} SET work_mem = '8MB'`,
    problems: [/work_mem.*IN DATABASE/],
  }),
  roleCase({
    name: 'the second user has a value in this database beside the same one everywhere',
    start: 'ready',
    arrange: ({ a, b, database }) => `ALTER ROLE ${q(a)} SET work_mem = '8MB'; ALTER ROLE ${q(b)} SET work_mem = '8MB';
      ALTER ROLE ${q(b)} IN DATABASE ${q(database)} SET work_mem = '9MB'`,
    problems: [/IN DATABASE .* RESET "work_mem"/],
    mayGo: /setting work_mem/,
  }),
  roleCase({
    name: 'the role says what the database says for the other: equal',
    start: 'ready',
    arrange: ({ a, database }) =>
      `ALTER DATABASE ${q(database)} SET work_mem = '8MB'; ALTER ROLE ${q(a)} SET work_mem = '8MB'`,
    problems: [],
  }),
  roleCase({
    name: 'only the second user has a setting',
    start: 'ready',
    arrange: ({ b }) => `ALTER ROLE ${q(b)} SET statement_timeout = '3s'`,
    problems: [/RESET "statement_timeout"/],
    mayGo: /setting statement_timeout/,
  }),
  roleCase({
    name: 'the schema of the user is found by "$user"',
    start: 'plain',
    arrange: ({ a }) =>
      `CREATE SCHEMA AUTHORIZATION ${q(a)}; CREATE TABLE ${q(a)}.t (n int); ALTER TABLE ${q(a)}.t OWNER TO ${q(a)}`,
    problems: [/\$user/],
    mayGo: /schema of \$user \w+_a$|setting search_path/,
  }),
  roleCase({
    name: 'names with capitals, quotes, dashes and 63 bytes',
    start: 'plain',
    oddNames: true,
    arrange: ({
      a,
      database,
    }) => `CREATE TABLE "Odd; t" (n int); ALTER TABLE "Odd; t" OWNER TO ${q(a)}; CREATE TABLE u (n int); GRANT SELECT ON u TO ${q(a)};
      ALTER ROLE ${q(a)} IN DATABASE ${q(database)} SET work_mem = '8MB'; ALTER DEFAULT PRIVILEGES FOR ROLE ${q(a)} GRANT SELECT ON TABLES TO PUBLIC`,
    problems: [/does not exist/],
  }),
  {
    name: 'an expired user: the login is refused, and what comes out says why',
    run: async (found) => {
      const pair = await foundPair(found, 'ready');
      await pair.sql(`ALTER ROLE ${q(pair.a)} VALID UNTIL '2001-01-01'`);
      const service = postgresService(pair.options());
      const [answer] = await service.accepts(pair.login(pair.a));
      const { problems } = await service.describe();
      if (answer?.answer !== 'refused' || !problems.some((text) => text.includes('expired at 2001-01-01')))
        throw new Error(`${answer?.answer}: ${problems.join('\n')}`);
    },
  },
];
