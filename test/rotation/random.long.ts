import { expect, test } from '@jest/globals';
import { manyWalks } from '../proofs/random-rotation/many-walks.ts';

test('whatever happens in a few random walks, no promise of a rotation is broken, and each one ends', async () => {
  const { broken, coverage } = await manyWalks(80_101, 25);
  expect(broken).toEqual([]);
  expect(coverage.walks).toBe(25);
});
