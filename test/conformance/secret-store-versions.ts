import { expect, test } from '@jest/globals';
import { Sealed } from '../../shared/base/sealed.ts';
import {
  consumed,
  look,
  publish,
  readable,
  texts,
  type SecretPlace,
  type SecretStoreAbilities,
} from './secret-store-place.ts';

/** What holds for versions by their ids, for ending them, and for a person who writes by hand. */
export function versionTests(at: () => SecretPlace, { keepsPrevious }: SecretStoreAbilities): void {
  const threePublished = async () => {
    const one = await publish(at(), 'r-1', { text: 'one', from: undefined });
    const two = await publish(at(), 'r-2', { text: 'two', from: one });
    return [one, two, await publish(at(), 'r-3', { text: 'three', from: two })] as const;
  };

  test('versions are read by id whatever they are, in the order asked, each once, and what is not there is left out', async () => {
    const one = await publish(at(), 'r-1', { text: 'one', from: undefined });
    const two = await at().first.stage(at().secret, 'r-2', new Sealed('two'));
    const seen = await look(at(), [two.id, 'no-such-version', one.id, two.id]);
    expect(texts(seen.asked)).toEqual([`${two.id}: two`, `${one.id}: one`]);
    expect((await look(at())).asked).toEqual([]);
  });

  if (keepsPrevious) {
    test('every earlier version can be read by id until it is ended, in whatever order', async () => {
      const [one, two, three] = await threePublished();
      expect(await readable(at(), [one.id, two.id])).toEqual([`${one.id}: one`, `${two.id}: two`]);
      await at().first.retire(at().secret, one.id);
      expect(await readable(at(), [one.id, two.id])).toEqual([`${two.id}: two`]);
      expect((await look(at())).previous?.id).toBe(two.id);
      await at().first.retire(at().secret, two.id);
      await at().second.retire(at().secret, two.id);
      expect(await look(at(), [one.id, two.id])).toMatchObject({
        current: { id: three.id },
        previous: undefined,
        asked: [],
      });
    });
  } else {
    test('what was current before cannot be read any more, and ending it changes nothing', async () => {
      const [one, two, three] = await threePublished();
      expect(await readable(at(), [one.id, two.id])).toEqual([]);
      await at().first.retire(at().secret, two.id);
      expect(await look(at())).toMatchObject({ current: { id: three.id }, previous: undefined });
    });
  }

  test('retire never ends what is current or staged, nor what it does not know', async () => {
    const one = await publish(at(), 'r-1', { text: 'one', from: undefined });
    const staged = await at().first.stage(at().secret, 'r-2', new Sealed('two'));
    for (const id of [one.id, staged.id, 'no-such-version']) await at().first.retire(at().secret, id);
    expect(await consumed(at())).toBe('one');
    expect(await look(at())).toMatchObject({ current: { id: one.id }, pending: { id: staged.id } });
    expect(await readable(at(), [one.id, staged.id])).toHaveLength(2);
  });

  test('what a person writes by hand loses nothing: not the version before it, not what is staged', async () => {
    const one = await publish(at(), 'r-1', { text: 'one', from: undefined });
    const { id } = await at().first.stage(at().secret, 'r-2', new Sealed('two'));
    await at().byHand('by hand');
    const seen = await look(at(), [one.id]);
    const hand = seen.current;
    if (!hand) throw new Error('nothing is current after an edit by hand');
    expect(hand.value.open()).toBe('by hand');
    expect([one.id, id]).not.toContain(hand.id);
    expect(seen.pending).toMatchObject({ id, rotation: 'r-2' });
    expect(texts(seen.asked)).toEqual(keepsPrevious ? [`${one.id}: one`] : []);

    const unaware = at().first.promote(at().secret, { rotation: 'r-2', id }, one.id);
    await expect(unaware).rejects.toMatchObject({ code: 'conflict' });
    expect(await consumed(at())).toBe('by hand');
    await at().first.promote(at().secret, { rotation: 'r-2', id }, hand.id);
    expect(await consumed(at())).toBe('two');
    expect(await readable(at(), [one.id, hand.id])).toHaveLength(keepsPrevious ? 2 : 0);
    for (const version of [one, hand]) await at().first.retire(at().secret, version.id);
    expect(await readable(at(), [one.id, hand.id])).toEqual([]);
  });

  test('every version has an id of its own, equal values included', async () => {
    const one = await publish(at(), 'r-1', { text: 'same', from: undefined });
    const two = await publish(at(), 'r-2', { text: 'same', from: one });
    await at().byHand('same');
    const hand = (await look(at())).current;
    const three = await publish(at(), 'r-3', { text: 'same', from: hand });
    expect(new Set([one.id, two.id, hand?.id, three.id]).size).toBe(4);
  });
}
