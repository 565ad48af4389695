import { expect, test } from '@jest/globals';
import { hostileDirectories } from '../proofs/tamper-directories.ts';

test('in hostile directories every planted thing is named, and no finding of another kind is lost', async () => {
  const { done } = await hostileDirectories({ seed: 7, rounds: 25 });
  expect(done.unseen).toEqual([]);
  expect(done.made).toBeGreaterThan(25);
}, 120_000);
