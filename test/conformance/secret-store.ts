import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { inspect } from 'node:util';
import { Sealed } from '../../shared/base/sealed.ts';
import { inspectAll } from '../services/printed.ts';
import { look, plainAbilities, publish, type SecretPlace, type SecretStoreAbilities } from './secret-store-place.ts';
import { promotionTests } from './secret-store-promotion.ts';
import { stagingTests } from './secret-store-staging.ts';
import { versionTests } from './secret-store-versions.ts';

const planted = 'planted-value-5f1c9a3e';

/** The secret-store contract, line by line; every driver passes it, and each is asked for what its kind is able to do. */
export function secretStoreSuite(
  name: string,
  open: () => Promise<SecretPlace>,
  abilities: SecretStoreAbilities = plainAbilities,
): void {
  describe(`${name} keeps the secret-store contract:`, () => {
    let place: SecretPlace;
    const at = () => place;
    beforeEach(async () => {
      place = await open();
    });
    afterEach(async () => place.close());

    test('it declares what it is able to do', () => {
      const { writes, settlesMs } = abilities;
      expect(place.first).toMatchObject({ writes, settlesMs });
      expect(place.second).toMatchObject({ writes, settlesMs });
    });

    test('an empty secret is there and holds nothing; an absent one is not-found for every method', async () => {
      const nothing = { current: undefined, previous: undefined, pending: undefined, asked: [] };
      expect(await place.first.read(place.secret, ['v'])).toEqual(nothing);
      const { first } = place;
      const calls = [
        () => first.read('absent'),
        () => first.read('absent', ['v']),
        () => first.stage('absent', 'r-1', new Sealed('x')),
        () => first.promote('absent', { rotation: 'r-1', id: 'v' }, undefined),
        () => first.abandon('absent', 'r-1'),
        () => first.retire('absent', 'v'),
      ];
      for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'not-found' });
    });

    stagingTests(at, abilities);
    promotionTests(at, abilities);
    versionTests(at, abilities);

    test('values of any text come back exactly', async () => {
      const text = `{"password":"${'ü∑\\u0000"\n'.repeat(200)}"}`;
      await publish(place, 'r-1', { text, from: undefined });
      expect((await look(place)).current?.value.open()).toBe(text);
    });

    test('no value shows in anything printed', async () => {
      const one = await publish(place, 'r-1', { text: planted, from: undefined });
      const two = await place.first.stage(place.secret, 'r-2', new Sealed(`${planted}-2`));
      const state = await look(place, [one.id, two.id]);
      const stage = place.first.stage(place.secret, 'r-3', new Sealed(`${planted}-3`));
      const promote = place.first.promote(place.secret, { rotation: 'r-2', id: two.id }, 'other');
      const errors = await Promise.all([stage, promote].map(async (call) => call.then(() => '', inspectAll)));
      expect(errors[0]).toContain('r-2');
      expect(errors[1]).toContain(one.id);
      const printed = `${inspect(state, { depth: 9, showHidden: true })}${JSON.stringify(state)}${errors.join('')}`;
      expect(printed).not.toContain(planted);
    });
  });
}
