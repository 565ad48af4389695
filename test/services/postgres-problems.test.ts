import { fc } from '../properties.ts';
import { expect, test } from '@jest/globals';
import { roleProblems } from '../../shared/services/postgres-problems.ts';
import { attributes, type RoleSeen } from '../../shared/services/postgres-roles.ts';

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
    memberOf: fc.uniqueArray(fc.record({ name, admin: fc.boolean(), becomes: fc.boolean(), inherits: fc.boolean() }), {
      selector: (one) => one.name,
    }),
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
    restricted: fc.boolean(),
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
        const isOfSixteen = /\b(WITH SET|TRUE|FALSE|WITH INHERIT)\b/.test(sql);
        expect(isOfSixteen && own.version < 160_000).toBe(false);
        // One statement each, whatever names there are.
        expect(sql.replaceAll(/"(?:[^"]|"")*"|'(?:[^']|'')*'/g, '').match(/;/g)).toHaveLength(1);
      }
    }),
    { numRuns: 100 },
  );
});
