import { expect, test } from '@jest/globals';
import { rows } from '../proofs/model/rows.ts';

test.each(rows)('$name', async ({ tell }) => {
  expect(await tell()).toEqual([]);
});
