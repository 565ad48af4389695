import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { inspect } from 'node:util';
import { Sealed } from '../../shared/base/sealed.ts';
import type { SecretStore } from '../../shared/secrets/contract.ts';
import { inspectAll } from '../services/printed.ts';

/** A fresh store with one empty secret in it. */
export interface SecretPlace {
  /** Two drivers on the same store, as two processes have them. */
  readonly first: SecretStore;
  readonly second: SecretStore;
  /** The secret that is there; every other name is absent. */
  readonly secret: string;
  /** The independent observer: what a consumer reads, without any code of the driver. */
  consumer(): Promise<string | undefined>;
  close(): Promise<void>;
}

const planted = 'planted-value-5f1c9a3e';

/** The secret-store contract, line by line; every driver passes it. */
export function secretStoreSuite(name: string, open: () => Promise<SecretPlace>): void {
  describe(`${name} keeps the secret-store contract:`, () => {
    let place: SecretPlace;
    beforeEach(async () => {
      place = await open();
    });
    afterEach(async () => place.close());

    const publish = async (rotation: string, text: string, from: string | undefined) => {
      await place.first.stage(place.secret, rotation, new Sealed(text));
      return await place.first.promote(place.secret, rotation, from);
    };

    test('an empty secret is there and holds nothing; an absent one is not-found for every method', async () => {
      expect(await place.first.read(place.secret)).toEqual({
        current: undefined,
        previous: undefined,
        pending: undefined,
      });
      const { first } = place;
      const value = new Sealed('x');
      const calls = [
        () => first.read('absent'),
        () => first.stage('absent', 'r-1', value),
        () => first.promote('absent', 'r-1', undefined),
        () => first.abandon('absent', 'r-1'),
        () => first.retire('absent', 'v'),
      ];
      for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'not-found' });
    });

    test('a staged value is durable for everyone who rotates and invisible to consumers', async () => {
      const live = await publish('r-1', 'live', undefined);
      const staged = await place.first.stage(place.secret, 'r-2', new Sealed('next'));
      const seen = await place.second.read(place.secret);
      expect(seen.pending).toMatchObject({ id: staged.id, rotation: 'r-2' });
      expect(seen.pending?.value.open()).toBe('next');
      expect(seen.current?.id).toBe(live.id);
      expect(await place.consumer()).toBe('live');
    });

    test('the first value staged under a rotation wins, and everyone gets it', async () => {
      const won = await place.first.stage(place.secret, 'r-1', new Sealed('first'));
      const late = await place.second.stage(place.secret, 'r-1', new Sealed('second'));
      expect(late.id).toBe(won.id);
      expect(late.value.open()).toBe('first');
    });

    test('of many that stage at once exactly one value wins', async () => {
      const handles = [place.first, place.second, place.first, place.second, place.first, place.second];
      const answers = await Promise.all(
        handles.map(async (store, index) => store.stage(place.secret, 'r-1', new Sealed(`value-${index}`))),
      );
      expect(new Set(answers.map((answer) => answer.value.open())).size).toBe(1);
      expect((await place.first.read(place.secret)).pending?.value.open()).toBe(answers[0]?.value.open());
    });

    test('another rotation cannot stage meanwhile, nor can one that was promoted', async () => {
      await place.first.stage(place.secret, 'r-1', new Sealed('one'));
      await expect(place.second.stage(place.secret, 'r-2', new Sealed('two'))).rejects.toMatchObject({
        code: 'conflict',
      });
      await place.first.promote(place.secret, 'r-1', undefined);
      await expect(place.second.stage(place.secret, 'r-1', new Sealed('again'))).rejects.toMatchObject({
        code: 'conflict',
      });
      expect(await place.consumer()).toBe('one');
    });

    test('promote hands the value out, keeps the one before as previous, and staging is empty', async () => {
      const one = await publish('r-1', 'one', undefined);
      const two = await publish('r-2', 'two', one.id);
      const seen = await place.second.read(place.secret);
      expect(await place.consumer()).toBe('two');
      expect(seen.current).toMatchObject({ id: two.id });
      expect(seen.previous).toMatchObject({ id: one.id });
      expect(seen.previous?.value.open()).toBe('one');
      expect(seen.pending).toBeUndefined();
    });

    test('promote is conditional: anything else than the expected current version is a conflict and changes nothing', async () => {
      const one = await publish('r-1', 'one', undefined);
      await place.first.stage(place.secret, 'r-2', new Sealed('two'));
      await expect(place.second.promote(place.secret, 'r-2', undefined)).rejects.toMatchObject({ code: 'conflict' });
      await expect(place.second.promote(place.secret, 'r-2', `${one.id}-not`)).rejects.toMatchObject({
        code: 'conflict',
      });
      await expect(place.second.promote(place.secret, 'r-never-staged', one.id)).rejects.toMatchObject({
        code: 'conflict',
      });
      expect(await place.consumer()).toBe('one');
      expect((await place.first.read(place.secret)).pending?.value.open()).toBe('two');
    });

    test('promoting again after it happened answers the same version', async () => {
      const one = await publish('r-1', 'one', undefined);
      const two = await publish('r-2', 'two', one.id);
      const again = await place.second.promote(place.secret, 'r-2', one.id);
      expect(again.id).toBe(two.id);
      expect((await place.first.read(place.secret)).previous?.id).toBe(one.id);
    });

    test('a promotion that comes after a newer one is a conflict', async () => {
      const one = await publish('r-1', 'one', undefined);
      await publish('r-2', 'two', one.id);
      await expect(place.second.promote(place.secret, 'r-1', undefined)).rejects.toMatchObject({ code: 'conflict' });
      expect(await place.consumer()).toBe('two');
    });

    test('of two promotions at once from the same version both answer the one winner', async () => {
      const one = await publish('r-1', 'one', undefined);
      await place.first.stage(place.secret, 'r-2', new Sealed('two'));
      const [a, b] = await Promise.all([
        place.first.promote(place.secret, 'r-2', one.id),
        place.second.promote(place.secret, 'r-2', one.id),
      ]);
      expect(a.id).toBe(b.id);
      expect((await place.first.read(place.secret)).previous?.id).toBe(one.id);
    });

    test('abandon forgets only what this rotation staged and did not promote', async () => {
      const one = await publish('r-1', 'one', undefined);
      await place.first.abandon(place.secret, 'r-1');
      await place.first.stage(place.secret, 'r-2', new Sealed('two'));
      await place.first.abandon(place.secret, 'r-other');
      expect((await place.second.read(place.secret)).pending?.rotation).toBe('r-2');
      await place.second.abandon(place.secret, 'r-2');
      await place.second.abandon(place.secret, 'r-2');
      expect(await place.first.read(place.secret)).toMatchObject({ current: { id: one.id }, pending: undefined });
      expect((await place.first.stage(place.secret, 'r-3', new Sealed('three'))).value.open()).toBe('three');
    });

    test('retire ends the previous version and never the current one', async () => {
      const one = await publish('r-1', 'one', undefined);
      const two = await publish('r-2', 'two', one.id);
      await place.first.retire(place.secret, two.id);
      expect(await place.consumer()).toBe('two');
      await place.first.retire(place.secret, 'another-id');
      expect((await place.second.read(place.secret)).previous?.id).toBe(one.id);
      await place.first.retire(place.secret, one.id);
      await place.second.retire(place.secret, one.id);
      expect(await place.first.read(place.secret)).toMatchObject({ current: { id: two.id }, previous: undefined });
    });

    test('every version has an id of its own, equal values included', async () => {
      const one = await publish('r-1', 'same', undefined);
      const two = await publish('r-2', 'same', one.id);
      const three = await publish('r-3', 'same', two.id);
      expect(new Set([one.id, two.id, three.id]).size).toBe(3);
    });

    test('values of any text come back exactly', async () => {
      const text = `{"password":"${'ü∑\\u0000"\n'.repeat(200)}"}`;
      await publish('r-1', text, undefined);
      expect((await place.second.read(place.secret)).current?.value.open()).toBe(text);
    });

    test('no value shows in anything printed', async () => {
      await publish('r-1', planted, undefined);
      await place.first.stage(place.secret, 'r-2', new Sealed(`${planted}-2`));
      const state = await place.first.read(place.secret);
      const error = await place.first.stage(place.secret, 'r-3', new Sealed(`${planted}-3`)).then(() => '', inspectAll);
      expect(error).toContain('r-2');
      expect(`${inspect(state, { depth: 9, showHidden: true })}${JSON.stringify(state)}${error}`).not.toContain(
        planted,
      );
    });
  });
}
