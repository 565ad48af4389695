import { expect, test } from '@jest/globals';
import { Sealed } from '../../shared/base/sealed.ts';
import type { SecretVersion } from '../../shared/secrets/contract.ts';
import {
  consumed,
  look,
  publish,
  readable,
  texts,
  type SecretPlace,
  type SecretStoreAbilities,
} from './secret-store-place.ts';

/** What holds for staging and abandoning. */
export function stagingTests(at: () => SecretPlace, { writes }: SecretStoreAbilities): void {
  test('a staged value is durable for everyone who rotates and invisible to consumers', async () => {
    const live = await publish(at(), 'r-1', { text: 'live', from: undefined });
    const staged = await at().first.stage(at().secret, 'r-2', new Sealed('next'));
    const seen = await look(at());
    expect(seen.pending).toMatchObject({ id: staged.id, rotation: 'r-2' });
    expect(seen.pending?.value.open()).toBe('next');
    expect(seen.current?.id).toBe(live.id);
    expect(await consumed(at())).toBe('live');
  });

  test('the version that staging answers can be read by its id at once, even before it shows as staged', async () => {
    const staged = await at().first.stage(at().secret, 'r-1', new Sealed('next'));
    expect(await readable(at(), [staged.id])).toEqual([`${staged.id}: next`]);
  });

  test('the first value staged under a rotation wins, and everyone gets it', async () => {
    const won = await at().first.stage(at().secret, 'r-1', new Sealed('first'));
    const late = await at().second.stage(at().secret, 'r-1', new Sealed('second'));
    expect(late.id).toBe(won.id);
    expect(late.value.open()).toBe('first');
  });

  if (writes === 'conditional') {
    test('of many that stage at once exactly one value wins', async () => {
      const answers = await manyStage(at(), 'r-1');
      expect(new Set(texts(answers)).size).toBe(1);
      expect((await look(at())).pending?.value.open()).toBe(answers[0]?.value.open());
    });
  } else {
    test('of many that stage at once each is answered a version that can be read by its id', async () => {
      const answers = await manyStage(at(), 'r-1');
      const ids = answers.map(({ id }) => id);
      expect((await readable(at(), ids)).toSorted()).toEqual([...new Set(texts(answers))].toSorted());
      const { pending } = await look(at());
      expect(ids).toContain(pending?.id);
      expect(ids).toContain((await at().first.stage(at().secret, 'r-1', new Sealed('later'))).id);
    });

    test('of many that staged at once exactly the version that is named is published, and nothing stays staged', async () => {
      const answers = await manyStage(at(), 'r-1');
      const [named] = answers;
      if (!named) throw new Error('nobody was answered');
      await at().second.promote(at().secret, { rotation: 'r-1', id: named.id }, undefined);
      expect(await consumed(at())).toBe(named.value.open());
      expect((await look(at())).pending).toBeUndefined();
      const losers = answers.map(({ id }) => id).filter((id) => id !== named.id);
      expect(await readable(at(), losers)).toEqual([]);
    });
  }

  test('another rotation cannot stage meanwhile, nor can one that was promoted', async () => {
    const { id } = await at().first.stage(at().secret, 'r-1', new Sealed('one'));
    const other = at().second.stage(at().secret, 'r-2', new Sealed('two'));
    await expect(other).rejects.toMatchObject({ code: 'conflict' });
    await at().first.promote(at().secret, { rotation: 'r-1', id }, undefined);
    const again = at().second.stage(at().secret, 'r-1', new Sealed('again'));
    await expect(again).rejects.toMatchObject({ code: 'conflict' });
    expect(await consumed(at())).toBe('one');
  });

  test('what cannot name a rotation is invalid', async () => {
    for (const name of ['', 'UPPER', 'a b', 'ü', 'r'.repeat(65)]) {
      const staged = at().first.stage(at().secret, name, new Sealed('x'));
      await expect(staged).rejects.toMatchObject({ code: 'invalid' });
    }
    expect((await look(at())).pending).toBeUndefined();
  });

  test('abandon forgets only what this rotation staged and did not promote', async () => {
    const one = await publish(at(), 'r-1', { text: 'one', from: undefined });
    await at().first.abandon(at().secret, 'r-1');
    const two = await at().first.stage(at().secret, 'r-2', new Sealed('two'));
    await at().first.abandon(at().secret, 'r-other');
    expect((await look(at())).pending?.rotation).toBe('r-2');
    await at().second.abandon(at().secret, 'r-2');
    await at().second.abandon(at().secret, 'r-2');
    expect(await readable(at(), [one.id, two.id])).toEqual([`${one.id}: one`]);
    expect(await look(at())).toMatchObject({ current: { id: one.id }, pending: undefined });
    expect((await at().first.stage(at().secret, 'r-3', new Sealed('three'))).value.open()).toBe('three');
  });
}

async function manyStage({ first, second, secret }: SecretPlace, rotation: string): Promise<readonly SecretVersion[]> {
  const handles = [first, second, first, second, first, second];
  return await Promise.all(
    handles.map(async (store, index) => store.stage(secret, rotation, new Sealed(`value-${index}`))),
  );
}
