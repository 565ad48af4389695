import { expect, test } from '@jest/globals';
import { exploreSetup } from '../proofs/model/explore-setup.ts';
import { told } from '../proofs/model/story.ts';
import { setupOf } from '../proofs/model/setups.ts';

test('whatever one death of the host, one lost answer or one person does at any point, the promises hold', async () => {
  const setup = setupOf('small', 'alternating', {
    acts: ['lose-journal', 'roll-back'],
    faults: ['crash', 'lost-applied'],
    secondRotator: false,
  });
  const { violations, exhausted, states } = await exploreSetup(setup);
  expect(violations.map(({ promise, path }) => `${promise}\n${told(path)}`)).toEqual([]);
  expect(exhausted).toBe(true);
  expect(states).toBeGreaterThan(300);
}, 90_000);
