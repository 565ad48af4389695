import type { FoundCase } from './case.ts';
import { q, type FoundPair } from './found-pair.ts';
import { roleCase } from './role-case.ts';

const everything = ({ a, b, tag }: FoundPair) => `
  CREATE SCHEMA "Odd; schema"; CREATE TABLE "Odd; schema"."T ""1""" (n int, "C; c" text); CREATE SEQUENCE s; CREATE TYPE mood AS ENUM ('a');
  CREATE DOMAIN "My dom" AS int; CREATE VIEW v AS SELECT 1 AS n; CREATE TABLE t (n int, m int);
  CREATE FUNCTION f(int, "My dom") RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2';
  CREATE PROCEDURE p(x int) LANGUAGE sql AS 'SELECT 1'; CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int);
  CREATE AGGREGATE counted(*) (SFUNC = int8inc, STYPE = int8, INITCOND = '0');
  REVOKE ALL ON FUNCTION f(int, "My dom"), f(), total(int), counted() FROM PUBLIC; REVOKE ALL ON PROCEDURE p FROM PUBLIC;
  REVOKE ALL ON TYPE mood, "My dom" FROM PUBLIC; REVOKE ALL ON LANGUAGE plpgsql FROM PUBLIC;
  CREATE FOREIGN DATA WRAPPER wrapper; CREATE SERVER "Far; away" FOREIGN DATA WRAPPER wrapper; SELECT lo_from_bytea(4711${tag.split('_')[1]}, 'x');
  GRANT USAGE, CREATE ON SCHEMA "Odd; schema" TO ${q(a)}; GRANT SELECT ("C; c"), UPDATE (n) ON "Odd; schema"."T ""1""" TO ${q(a)};
  GRANT INSERT ON "Odd; schema"."T ""1""" TO ${q(a)} WITH GRANT OPTION; GRANT USAGE, UPDATE ON SEQUENCE s TO ${q(a)}; GRANT SELECT ON v, t TO ${q(a)};
  GRANT SELECT (n) ON t TO ${q(a)} WITH GRANT OPTION;
  GRANT USAGE ON TYPE mood, "My dom" TO ${q(a)}; GRANT EXECUTE ON FUNCTION f(int, "My dom"), total(int), counted() TO ${q(a)};
  GRANT EXECUTE ON PROCEDURE p TO ${q(a)}; GRANT USAGE ON LANGUAGE plpgsql TO ${q(a)} WITH GRANT OPTION;
  GRANT USAGE ON FOREIGN DATA WRAPPER wrapper TO ${q(a)}; GRANT USAGE ON FOREIGN SERVER "Far; away" TO ${q(a)};
  GRANT SELECT, UPDATE ON LARGE OBJECT 4711${tag.split('_')[1]} TO ${q(a)}; GRANT CREATE ON DATABASE ${tag}_shop TO ${q(a)};
  GRANT CREATE ON TABLESPACE pg_default TO ${q(a)};
  DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '${b}') THEN GRANT SELECT ON t TO ${q(b)}; GRANT EXECUTE ON FUNCTION f() TO ${q(b)}; END IF; END $$`;

/** Rights that were granted to users directly. */
export const rightCases: readonly FoundCase[] = [
  roleCase({
    name: 'rights of every kind, granted to the user of a database',
    start: 'plain',
    arrange: everything,
    problems: [/Odd; schema/, /large object/, /foreign server/, /language plpgsql/, /tablespace/],
  }),
  roleCase({
    name: 'rights of every kind, granted to one of two users that are the owner role already',
    start: 'ready',
    arrange: everything,
    problems: [/Odd; schema/, /large object/],
  }),
  roleCase({
    name: 'both users have a table, and not the same right on it',
    start: 'ready',
    arrange: ({ a, b }) =>
      `CREATE TABLE t (n int); GRANT SELECT, UPDATE ON t TO ${q(a)}; GRANT SELECT, DELETE ON t TO ${q(b)}`,
    problems: [/table public\.t/],
  }),
  roleCase({
    name: 'one user may hand on what both have',
    start: 'ready',
    arrange: ({ a, b }) =>
      `CREATE TABLE t (n int); GRANT SELECT ON t TO ${q(a)}; GRANT SELECT ON t TO ${q(b)} WITH GRANT OPTION`,
    problems: [/table public\.t/],
  }),
  roleCase({
    name: 'a right to set a parameter',
    since: 15,
    start: 'plain',
    arrange: ({ a, tag }) =>
      `GRANT SET ON PARAMETER log_statement TO ${q(a)}; GRANT SET ON PARAMETER ${tag}.own TO ${q(a)}`,
    problems: [/parameter log_statement/],
  }),
  roleCase({
    name: 'CONNECT was taken from everybody and given to one user',
    start: 'plain',
    arrange: ({
      a,
      database,
      keeper,
    }) => `REVOKE CONNECT ON DATABASE ${q(database)} FROM PUBLIC; GRANT CONNECT ON DATABASE ${q(database)} TO ${q(a)};
      GRANT CONNECT ON DATABASE ${q(database)} TO ${q(keeper)}`,
    problems: [/_b may not connect/],
  }),
  roleCase({
    name: 'CONNECT comes to one user through a group',
    start: 'ready',
    arrange: ({
      b,
      database,
      keeper,
      tag,
    }) => `CREATE ROLE ${tag}_shoppers; REVOKE CONNECT ON DATABASE ${q(database)} FROM PUBLIC;
      GRANT CONNECT ON DATABASE ${q(database)} TO ${tag}_shoppers, ${q(keeper)}; GRANT ${tag}_shoppers TO ${q(b)}`,
    problems: [/may not connect|_shoppers/],
  }),
  roleCase({
    name: 'neither user may connect',
    start: 'ready',
    arrange: ({ database, keeper }) =>
      `REVOKE CONNECT ON DATABASE ${q(database)} FROM PUBLIC; GRANT CONNECT ON DATABASE ${q(database)} TO ${q(keeper)}`,
    problems: [/_a may not connect/, /_b may not connect/],
  }),
];
