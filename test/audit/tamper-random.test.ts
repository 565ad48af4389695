import { expect, test } from '@jest/globals';
import { livelyLog, tamperAtRandom } from '../proofs/tamper-random.ts';
import { forgeExtracts, rollBackAtRandom } from '../proofs/tamper-stores.ts';

// Some rounds of the proof audit-tamper, which makes many more.

test('verify finds one to three random changes of a log in the midst of its life, and of its export; where nothing was changed it finds nothing', async () => {
  const lively = await livelyLog();
  for (const seed of [11, 12]) {
    const classes = Object.values(await tamperAtRandom(lively, { seed, rounds: 6 }));
    expect(classes.flatMap(({ unseen }) => unseen)).toEqual([]);
  }
});

test('an extract of the state store that is broken, old or forged gives no batch two places, nor none that is not told', async () => {
  expect((await forgeExtracts({ seed: 11, rounds: 10 })).unseen).toEqual([]);
});

test('both stores taken back to an earlier moment, or put in by whoever stole the key, are told by a saved checkpoint or an anchor, and by a witness once the log goes on', async () => {
  const classes = Object.values(await rollBackAtRandom({ seed: 11, rounds: 3 }));
  expect(classes.map(({ made }) => made > 0)).toEqual([true, true]);
  expect(classes.flatMap(({ unseen }) => unseen)).toEqual([]);
});
