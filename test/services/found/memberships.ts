import type { FoundCase } from './case.ts';
import { q } from './found-pair.ts';
import { roleCase } from './role-case.ts';

/** Memberships in the owner role and in others. */
export const membershipCases: readonly FoundCase[] = [
  roleCase({
    name: 'membership in the owner role WITH SET FALSE',
    since: 16,
    start: 'ready',
    arrange: ({ a, owner }) => `GRANT ${q(owner)} TO ${q(a)} WITH SET FALSE`,
    problems: [/may not become/],
  }),
  roleCase({
    name: 'membership in the owner role WITH INHERIT FALSE',
    since: 16,
    start: 'ready',
    arrange: ({ b, owner }) => `GRANT ${q(owner)} TO ${q(b)} WITH INHERIT FALSE`,
    problems: [/INHERIT/],
  }),
  roleCase({
    name: 'membership in the owner role WITH SET FALSE, by a grantor who is no superuser',
    since: 16,
    start: 'ready',
    arrange: ({
      a,
      owner,
      tag,
    }) => `CREATE ROLE ${tag}_dba CREATEROLE; GRANT ${q(owner)} TO ${tag}_dba WITH ADMIN OPTION;
      REVOKE ${q(owner)} FROM ${q(a)}; SET ROLE ${tag}_dba; GRANT ${q(owner)} TO ${q(a)} WITH SET FALSE, INHERIT FALSE; RESET ROLE`,
    problems: [/may not become/],
  }),
  roleCase({
    name: 'two grants of one membership, each with another option',
    since: 16,
    start: 'ready',
    arrange: ({
      a,
      owner,
      tag,
    }) => `CREATE ROLE ${tag}_dba CREATEROLE; GRANT ${q(owner)} TO ${tag}_dba WITH ADMIN OPTION;
      GRANT ${q(owner)} TO ${q(a)} WITH SET FALSE, INHERIT TRUE;
      SET ROLE ${tag}_dba; GRANT ${q(owner)} TO ${q(a)} WITH SET TRUE, INHERIT FALSE; RESET ROLE`,
    problems: [],
  }),
  roleCase({
    name: 'membership in the owner role through a third role',
    start: 'ready',
    arrange: ({
      a,
      b,
      owner,
      tag,
    }) => `CREATE ROLE ${tag}_team; GRANT ${q(owner)} TO ${tag}_team; GRANT ${tag}_team TO ${q(a)}, ${q(b)};
      REVOKE ${q(owner)} FROM ${q(a)}, ${q(b)}`,
    problems: [],
  }),
  roleCase({
    name: 'membership through a third role that hands SET on to nobody',
    since: 16,
    start: 'ready',
    arrange: ({
      a,
      owner,
      tag,
    }) => `CREATE ROLE ${tag}_team; GRANT ${q(owner)} TO ${tag}_team WITH SET FALSE; GRANT ${tag}_team TO ${q(a)};
      REVOKE ${q(owner)} FROM ${q(a)}`,
    problems: [/may not become/],
    // Nobody can be a member of its own member.
    mayGo: /USAGE of role \w+_team/,
  }),
  roleCase({
    name: 'the user of a database in a group that has rights, before there is an owner role',
    start: 'plain',
    arrange: ({
      a,
      tag,
    }) => `CREATE ROLE ${tag}_readers; CREATE TABLE t (n int); GRANT SELECT, INSERT ON t TO ${tag}_readers;
      GRANT ${tag}_readers TO ${q(a)}; GRANT pg_monitor TO ${q(a)} WITH ADMIN OPTION`,
    problems: [/_readers/, /pg_monitor/],
  }),
  roleCase({
    name: 'a group that is itself a member of the owner role, with rights of its own',
    start: 'plain',
    arrange: ({
      a,
      owner,
      tag,
    }) => `CREATE ROLE ${q(owner)}; CREATE ROLE ${tag}_team; GRANT ${q(owner)} TO ${tag}_team; CREATE TABLE t (n int);
      GRANT SELECT ON t TO ${tag}_team; GRANT ${tag}_team TO ${q(a)}`,
    problems: [/granted rights on table public\.t/],
    mayGo: /USAGE of role \w+_team/,
  }),
  roleCase({
    name: 'the owner role is a member of a user',
    start: 'plain',
    arrange: ({ a, owner }) =>
      `CREATE ROLE ${q(owner)}; GRANT ${q(a)} TO ${q(owner)}; CREATE TABLE t (n int); GRANT SELECT ON t TO ${q(a)}`,
    problems: [/the other way round/],
  }),
  roleCase({
    name: 'one user in a group, after both became the owner role',
    start: 'ready',
    arrange: ({ b, tag }) => `CREATE ROLE ${tag}_readers; GRANT ${tag}_readers TO ${q(b)} WITH ADMIN OPTION`,
    problems: [/_readers/],
  }),
  roleCase({
    name: 'a user with NOINHERIT, in a group',
    start: 'plain',
    arrange: ({
      a,
      tag,
    }) => `ALTER ROLE ${q(a)} NOINHERIT; CREATE ROLE ${tag}_readers; CREATE TABLE t (n int); GRANT SELECT ON t TO ${tag}_readers;
      GRANT ${tag}_readers TO ${q(a)}; CREATE TABLE own (n int); ALTER TABLE own OWNER TO ${q(a)}`,
    problems: [/INHERIT/, /owns/],
  }),
  roleCase({
    name: 'both users with NOINHERIT',
    start: 'ready',
    arrange: ({ a, b, owner }) =>
      `ALTER ROLE ${q(a)} NOINHERIT; ALTER ROLE ${q(b)} NOINHERIT; REVOKE ${q(owner)} FROM ${q(b)}; GRANT ${q(owner)} TO ${q(b)}`,
    problems: [/INHERIT/],
  }),
  roleCase({
    name: 'a user that may create databases and roles, and sees every row',
    start: 'plain',
    arrange: ({
      a,
    }) => `ALTER ROLE ${q(a)} CREATEDB CREATEROLE BYPASSRLS REPLICATION; CREATE TABLE t (n int); INSERT INTO t VALUES (1);
      ALTER TABLE t ENABLE ROW LEVEL SECURITY; GRANT SELECT ON t TO ${q(a)}`,
    problems: [/has CREATEDB/, /has BYPASSRLS/],
  }),
];
