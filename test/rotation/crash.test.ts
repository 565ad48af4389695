import { describe, expect, test } from '@jest/globals';
import { runCrashTable, type CrashTable } from './crash-table.ts';

/** The other strategies are in the proof rotation-crash-memory, which runs every table. */
const tables: readonly (readonly [string, CrashTable])[] = [
  ['an alternating pair', { strategy: 'alternating' }],
  ['a leaked value of a pair', { strategy: 'alternating', leaked: { reason: 'found in a chat' } }],
];

describe('broken at any write, in any way, once or twice, a rotation recovers by running again and locks nobody out:', () => {
  test.each(tables)(
    '%s',
    async (_name, table) => {
      const { cases, violations } = await runCrashTable(table);
      expect(violations).toEqual([]);
      expect(cases).toBeGreaterThan(300);
    },
    60_000,
  );
});
