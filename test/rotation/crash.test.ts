import { describe, expect, test } from '@jest/globals';
import { runCrashTable, type CrashTable } from './crash-table.ts';

/** A sample: the proof rotation-crash-memory breaks every write, of every strategy and kind of store. */
const tables: readonly (readonly [string, CrashTable])[] = [
  ['an alternating pair', { strategy: 'alternating', every: 5 }],
  ['a leaked value of a pair', { strategy: 'alternating', leaked: { reason: 'found in a chat' }, every: 7 }],
  ['stores that only check, and several values', { strategy: 'additive', vault: { writes: 'checked' }, every: 7 }],
];

describe('broken at many a write, in any way, once or twice, a rotation recovers by running again and locks nobody out:', () => {
  test.each(tables)(
    '%s',
    async (_name, table) => {
      const { cases, violations } = await runCrashTable(table);
      expect(violations).toEqual([]);
      expect(cases).toBeGreaterThan(40);
    },
    60_000,
  );
});
