import { afterEach, beforeEach, describe, expect } from '@jest/globals';
import { proveConditions } from '../../shared/objects/self-test.ts';
import { Faults } from '../broken-writes.ts';
import { testWorld } from '../world.ts';
import { readingTests } from './object-store-reading.ts';
import { writingTests } from './object-store-writing.ts';
import {
  bytes,
  done,
  held,
  keysOf,
  promises,
  type ObjectStoreAbilities,
  type ObjectStoreHarness,
} from './object-store-harness.ts';

/** Every promise of the ObjectStore contract, one test each. */
export function objectStoreSuite(
  name: string,
  fresh: () => Promise<ObjectStoreHarness>,
  abilities: ObjectStoreAbilities,
): void {
  describe(`${name} keeps the object store contract`, () => {
    let harness: ObjectStoreHarness;
    const at = () => harness;
    beforeEach(async () => {
      harness = await fresh();
    });
    afterEach(async () => {
      await harness.close();
    });

    const promise = promises(abilities);
    writingTests(at, promise);
    readingTests(at, abilities, promise);

    promise('a lost acknowledgement of a create heals itself by creating again', async () => {
      const faults = new Faults(new Map([[0, 'lost-after']]));
      const shaky = faults.wrap(at().one, 'store', ['create']);
      await expect(shaky.create('k', bytes('mine'))).rejects.toMatchObject({ code: 'uncertain' });
      expect((await shaky.create('k', bytes('mine'))).outcome).toBe('done');
      expect((await at().two.create('k', bytes('theirs'))).outcome).toBe('exists');
    });
    promise(
      'a lost acknowledgement of a replace or delete shows as stale or missing, never as a second write',
      async () => {
        const faults = new Faults(
          new Map([
            [0, 'lost-after'],
            [2, 'lost-after'],
          ]),
        );
        const shaky = faults.wrap(at().one, 'store', ['replace', 'delete']);
        const first = done(await at().one.create('k', bytes('1')));
        await expect(shaky.replace('k', bytes('2'), first)).rejects.toMatchObject({ code: 'uncertain' });
        expect(await shaky.replace('k', bytes('2'), first)).toEqual({ outcome: 'stale' });
        const { version } = await held(at().two, 'k');
        await expect(shaky.delete('k', version)).rejects.toMatchObject({ code: 'uncertain' });
        expect(await shaky.delete('k', version)).toEqual({ outcome: 'missing' });
      },
    );
    promise('passes the proof that a store must pass at start', async () => {
      await proveConditions(at().one, { world: testWorld(), writes: 'all' });
      expect(await keysOf(at().one, '')).toEqual([]);
      await proveConditions(at().one, { world: testWorld(), writes: 'create-only' });
      await proveConditions(at().two, { world: testWorld(), writes: 'create-only' });
      expect(await keysOf(at().one, '')).toHaveLength(1);
    });
  });
}
