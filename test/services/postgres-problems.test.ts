import { fc } from '../properties.ts';
import { expect, test } from '@jest/globals';
import { roleProblems } from '../../shared/services/postgres-problems.ts';
import { attributes, type DatabaseSeen, type RoleSeen, type RolesSeen } from '../../shared/services/postgres-roles.ts';
import type { SettingsSeen } from '../../shared/services/postgres-settings.ts';

const name = fc.constantFrom('a', 'b', 'owner', 'other; "group"', 'pg_monitor');
const grantee = fc.constantFrom(null, 'a', 'b', 'owner', 'pg_monitor');
const settings = fc.record<SettingsSeen>({
  here: fc.subarray(['role=owner', 'search_path=a, b']),
  everywhere: fc.subarray(['role=none', 'work_mem=8MB', 'my.own=x; y']),
  database: fc.subarray(['work_mem=8MB']),
  all: fc.subarray(['work_mem=9MB']),
});
const role = fc.record<RoleSeen>({
  name,
  login: fc.boolean(),
  superuser: fc.boolean(),
  inherits: fc.boolean(),
  attributes: fc.subarray([...attributes]),
  connections: fc.integer({ min: -1, max: 2 }),
  sessions: fc.integer({ min: 0, max: 2 }),
  validUntil: fc.constantFrom(null, '2100-01-01T00:00:00+00:00'),
  expired: fc.boolean(),
  expiresSoon: fc.boolean(),
  settings,
  owns: fc.subarray(['table t']),
  administered: fc.boolean(),
  ours: fc.boolean(),
  aboveUs: fc.boolean(),
});
const membership = fc.record({
  member: name,
  name,
  admin: fc.boolean(),
  becomes: fc.boolean(),
  inherits: fc.boolean(),
});
const right = fc.record({
  kind: fc.constantFrom('TABLE', 'DATABASE', 'LARGE OBJECT'),
  object: fc.constantFrom('t', '"odd; t"', 'shop'),
  column: fc.constantFrom(null, '"c; c"'),
  owner: name,
  privilege: fc.constantFrom('SELECT', 'CONNECT', 'UPDATE'),
  grantee,
  grantable: fc.boolean(),
});
const database = fc.record<DatabaseSeen>({
  rights: fc.array(right, { maxLength: 4 }),
  defaults: fc.array(
    fc.record({
      role: name,
      schema: fc.constantFrom(null, 'odd; schema'),
      on: fc.constantFrom('TABLES', 'FUNCTIONS'),
      grants: fc.array(fc.record({ grantee, privilege: fc.constant('SELECT'), grantable: fc.boolean() }), {
        maxLength: 2,
      }),
    }),
    { maxLength: 2 },
  ),
  mappings: fc.array(fc.record({ role: name, server: fc.constantFrom("odd'; server", 's') }), { maxLength: 2 }),
  policies: fc.array(
    fc.record({
      name: fc.constant('odd; "policy"'),
      table: fc.constant('public.t'),
      roles: fc.uniqueArray(grantee, { minLength: 1, maxLength: 2 }),
      permissive: fc.boolean(),
      expressions: fc.constant(''),
      callsOthers: fc.boolean(),
    }),
    { maxLength: 2 },
  ),
  schemas: fc.subarray(['a', 'b']),
});
const admin = fc.record({
  name: fc.constant('lockkeeper'),
  superuser: fc.boolean(),
  createsRoles: fc.boolean(),
  inherits: fc.boolean(),
  endsSessions: fc.boolean(),
  restricted: fc.boolean(),
  seesSessions: fc.boolean(),
  version: fc.constantFrom(100_023, 150_018, 160_000, 180_000),
});
const seen = fc.record<RolesSeen>({
  admin,
  roles: fc.uniqueArray(role, { selector: (one) => one.name }),
  memberships: fc.uniqueArray(membership, { selector: (one) => `${one.member} ${one.name}`, maxLength: 6 }),
  database,
  elsewhere: fc.array(
    fc.record({
      name: fc.constantFrom('other', 'odd"; --\n name'),
      of: fc.array(fc.record({ database: fc.constant('other'), role: name, owns: fc.nat(2), others: fc.nat(2) })),
      seen: fc.option(database, { nil: undefined }),
    }),
    { maxLength: 2 },
  ),
  passwords: fc.constant({ encryption: 'md5', stored: undefined, methods: undefined }),
});
const wanted = { strategy: 'alternating', users: ['a', 'b'], ownerRole: 'owner', database: 'shop' } as const;

test('every statement that is printed is one, and none for a server before 16 has a word of 16', () => {
  fc.assert(
    fc.property(seen, (it) => {
      for (const { text, sql } of roleProblems(it, wanted).problems) {
        if (sql === undefined) continue;
        expect(text.endsWith(sql)).toBe(true);
        const isOfSixteen = /\b(WITH SET|TRUE|FALSE|WITH INHERIT)\b/.test(sql);
        expect(isOfSixteen && it.admin.version < 160_000).toBe(false);
        // Whatever names there are: a statement, and the name of the database where it is another.
        const bare = sql.replaceAll(/"(?:[^"\\]|\\.|"")*"|'(?:[^']|'')*'/g, '');
        expect(bare).toMatch(/^[^;\n]*;( -- in the database )?$/);
      }
    }),
    { numRuns: 150 },
  );
});

test('what is found comes out the same, whatever order it is found in', () => {
  fc.assert(
    fc.property(seen, (it) => {
      const turned = {
        ...it,
        roles: it.roles.toReversed(),
        memberships: it.memberships.toReversed(),
        database: { ...it.database, rights: it.database.rights.toReversed() },
      };
      const sorted = (some: RolesSeen) => roleProblems(some, wanted).problems.length > 0;
      expect(sorted(turned)).toBe(sorted(it));
    }),
    { numRuns: 50 },
  );
});
