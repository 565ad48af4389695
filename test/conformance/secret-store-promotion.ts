import { expect, test } from '@jest/globals';
import { Sealed } from '../../shared/base/sealed.ts';
import {
  consumed,
  look,
  publish,
  readable,
  type SecretPlace,
  type SecretStoreAbilities,
} from './secret-store-place.ts';

/** What holds for promoting. */
export function promotionTests(at: () => SecretPlace, { writes, keepsPrevious, ids }: SecretStoreAbilities): void {
  const stageTwo = async () => at().first.stage(at().secret, 'r-2', new Sealed('two'));

  test('promote hands the value out, and staging is empty', async () => {
    const one = await publish(at(), 'r-1', { text: 'one', from: undefined });
    const staged = await stageTwo();
    const two = await at().first.promote(at().secret, { rotation: 'r-2', id: staged.id }, one.id);
    const seen = await look(at());
    expect(await consumed(at())).toBe('two');
    expect(two.value.open()).toBe('two');
    expect(seen.current).toMatchObject({ id: two.id });
    expect(seen.previous?.id).toBe(keepsPrevious ? one.id : undefined);
    expect(seen.previous?.value.open()).toBe(keepsPrevious ? 'one' : undefined);
    expect(seen.pending).toBeUndefined();
    expect(two.id === staged.id).toBe(ids === 'kept');
  });

  test('the version that promoting answers can be read by its id at once', async () => {
    const one = await publish(at(), 'r-1', { text: 'one', from: undefined });
    expect(await readable(at(), [one.id])).toEqual([`${one.id}: one`]);
  });

  test('anything else than the expected current version is a conflict and changes nothing', async () => {
    const one = await publish(at(), 'r-1', { text: 'one', from: undefined });
    const { id } = await stageTwo();
    for (const from of [undefined, `${one.id}-not`, id]) {
      const promoted = at().second.promote(at().secret, { rotation: 'r-2', id }, from);
      await expect(promoted).rejects.toMatchObject({ code: 'conflict' });
    }
    expect(await consumed(at())).toBe('one');
    expect((await look(at())).pending?.value.open()).toBe('two');
  });

  test('any other version than the one that was staged under this rotation is a conflict and changes nothing', async () => {
    const one = await publish(at(), 'r-1', { text: 'one', from: undefined });
    const { id } = await stageTwo();
    const names = [
      { rotation: 'r-2', id: `${id}-not` },
      { rotation: 'r-2', id: one.id },
      { rotation: 'r-never-staged', id },
    ];
    for (const name of names) {
      await expect(at().second.promote(at().secret, name, one.id)).rejects.toMatchObject({ code: 'conflict' });
    }
    expect(await consumed(at())).toBe('one');
    expect((await look(at())).pending?.value.open()).toBe('two');
  });

  test('a version that was abandoned is a conflict, before and after its rotation published another', async () => {
    const lost = await at().first.stage(at().secret, 'r-1', new Sealed('lost'));
    await at().first.abandon(at().secret, 'r-1');
    const { id } = await at().second.stage(at().secret, 'r-1', new Sealed('staged'));
    expect(id).not.toBe(lost.id);
    const stale = { rotation: 'r-1', id: lost.id };
    await expect(at().first.promote(at().secret, stale, undefined)).rejects.toMatchObject({ code: 'conflict' });
    await at().second.promote(at().secret, { rotation: 'r-1', id }, undefined);
    await expect(at().first.promote(at().secret, stale, undefined)).rejects.toMatchObject({ code: 'conflict' });
    expect(await consumed(at())).toBe('staged');
  });

  test('promoting again after it happened answers the same version', async () => {
    const one = await publish(at(), 'r-1', { text: 'one', from: undefined });
    const { id } = await stageTwo();
    const two = await at().first.promote(at().secret, { rotation: 'r-2', id }, one.id);
    const again = await at().second.promote(at().secret, { rotation: 'r-2', id }, one.id);
    expect(again.id).toBe(two.id);
    expect((await look(at())).previous?.id).toBe(keepsPrevious ? one.id : undefined);
  });

  test('a promotion that comes after a newer one is a conflict', async () => {
    const { id } = await at().first.stage(at().secret, 'r-1', new Sealed('one'));
    const one = await at().first.promote(at().secret, { rotation: 'r-1', id }, undefined);
    await publish(at(), 'r-2', { text: 'two', from: one });
    const late = at().second.promote(at().secret, { rotation: 'r-1', id }, undefined);
    await expect(late).rejects.toMatchObject({ code: 'conflict' });
    expect(await consumed(at())).toBe('two');
  });

  test('a promotion that a person has written over since is a conflict and leaves what the person wrote', async () => {
    const { id } = await at().first.stage(at().secret, 'r-1', new Sealed('one'));
    await at().first.promote(at().secret, { rotation: 'r-1', id }, undefined);
    await at().byHand('by hand');
    const again = at().second.promote(at().secret, { rotation: 'r-1', id }, undefined);
    await expect(again).rejects.toMatchObject({ code: 'conflict' });
    expect(await consumed(at())).toBe('by hand');
  });

  test('of two promotions at once both answer what is published then', async () => {
    const one = await publish(at(), 'r-1', { text: 'one', from: undefined });
    const { id } = await stageTwo();
    const answers = await Promise.all(
      [at().first, at().second].map(async (store) => store.promote(at().secret, { rotation: 'r-2', id }, one.id)),
    );
    const seen = await look(at(), [one.id]);
    expect(answers.map(({ value }) => value.open())).toEqual(['two', 'two']);
    expect(answers.map((answer) => answer.id)).toContain(seen.current?.id);
    expect(seen.asked.map((version) => version.id)).toEqual(keepsPrevious ? [one.id] : []);
    if (writes === 'checked') return;
    expect(answers[0]?.id).toBe(answers[1]?.id);
    expect(seen.previous?.id).toBe(keepsPrevious ? one.id : undefined);
  });
}
