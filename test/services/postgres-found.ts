import { expect, test } from '@jest/globals';
import { foundCases } from './found/cases.ts';
import type { PostgresServer } from './postgres-server.ts';

/** Of the proof `postgres-found`, what runs with every change: one for each kind. */
const quick: readonly string[] = [
  'membership in the owner role WITH INHERIT FALSE',
  'both users have a table, and not the same right on it',
  'VALID UNTIL is past, for the first user',
];

/** A few ways in which PostgreSQL is found, each put right by the SQL that is printed. */
export function foundTests(here: () => PostgresServer): void {
  test.each(quick)('found and put right: %s', async (name) => {
    const found = foundCases.find((one) => one.name === name);
    expect(found?.name).toBe(name);
    await found?.run({ server: here(), version: 18 });
  });
}
