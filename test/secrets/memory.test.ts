import { describe, expect, test } from '@jest/globals';
import { asLockkeeperError } from '../../shared/base/error.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import { publish, readable } from '../conformance/secret-store-place.ts';
import { secretStoreSuite } from '../conformance/secret-store.ts';
import { kindName, kinds, openVaultPlace, secret } from './memory-place.ts';

for (const kind of kinds) secretStoreSuite(kindName(kind), async () => openVaultPlace(kind), kind);

describe('a store that settles', () => {
  test('shows readers and consumers what was before, to the millisecond, and versions by id at once', async () => {
    const place = openVaultPlace({ settlesMs: 1000 });
    const one = await publish(place, 'r-1', { text: 'one', from: undefined });
    expect((await place.second.read(secret)).current).toBeUndefined();
    expect(await readable(place, [one.id])).toEqual([`${one.id}: one`]);
    place.world.pass(999);
    const two = await place.first.stage(secret, 'r-2', new Sealed('two'));
    expect(await place.consumer()).toBeUndefined();
    place.world.pass(1);
    expect(await place.consumer()).toBe('one');
    expect((await place.second.read(secret)).pending).toBeUndefined();
    place.world.pass(999);
    expect((await place.second.read(secret)).pending?.id).toBe(two.id);
  });

  test('settles at once where a test says so', async () => {
    const place = openVaultPlace({ settlesMs: 1000 });
    await publish(place, 'r-1', { text: 'one', from: undefined });
    place.vault.settle(secret);
    expect(await place.consumer()).toBe('one');
  });

  test('keeps no more of the past than somebody can still see', async () => {
    const place = openVaultPlace({ settlesMs: 1000 });
    for (let round = 0; round < 50; round += 1) {
      place.vault.setByHand(secret, `${round}`);
      place.world.pass(400);
    }
    expect(place.vault.find(secret)?.unsettled.length).toBeLessThanOrEqual(3);
  });
});

describe('a store with checked writes', () => {
  test('lets a promotion that waited long enough publish over a newer one, and keeps what it wrote over', async () => {
    const place = openVaultPlace({ writes: 'checked', between: async ({ method }) => meanwhile(method) });
    const meanwhile = async (method: string) => {
      if (method !== 'promote' || place.vault.live(secret).promoted.length !== 1 || isLate) return;
      isLate = true;
      const two = await place.second.promote(secret, { rotation: 'r-2', id }, one.id);
      await publish(place, 'r-3', { text: 'three', from: two });
    };
    let isLate = true;
    const one = await publish(place, 'r-1', { text: 'one', from: undefined });
    const { id } = await place.first.stage(secret, 'r-2', new Sealed('two'));
    isLate = false;
    await place.first.promote(secret, { rotation: 'r-2', id }, one.id);
    expect(await place.consumer()).toBe('two');
    expect(place.vault.live(secret).earlier.map(({ text }) => text)).toEqual(['three', 'one']);
  });

  test('lets an abandonment that waited put what another rotation staged out of sight, but not away', async () => {
    let comes = async () => undefined as void;
    const place = openVaultPlace({
      writes: 'checked',
      between: async ({ method }) => (method === 'abandon' ? comes() : undefined),
    });
    await place.first.stage(secret, 'r-1', new Sealed('one'));
    let id = '';
    comes = async () => {
      comes = async () => undefined;
      await place.second.abandon(secret, 'r-1');
      ({ id } = await place.second.stage(secret, 'r-2', new Sealed('two')));
    };
    await place.first.abandon(secret, 'r-1');
    expect((await place.first.read(secret)).pending).toBeUndefined();
    expect(await readable(place, [id])).toEqual([`${id}: two`]);
    expect((await place.second.stage(secret, 'r-2', new Sealed('again'))).id).toBe(id);
    await place.second.promote(secret, { rotation: 'r-2', id }, undefined);
    expect(await place.consumer()).toBe('two');
  });

  test('answers both of two rotations that stage at once, and each gives up only its own', async () => {
    const place = openVaultPlace({ writes: 'checked' });
    const [one, two] = await Promise.all([
      place.first.stage(secret, 'r-1', new Sealed('one')),
      place.second.stage(secret, 'r-2', new Sealed('two')),
    ]);
    expect((await place.first.read(secret)).pending?.id).toBe(two.id);
    expect(await readable(place, [one.id, two.id])).toHaveLength(2);
    await place.first.abandon(secret, 'r-1');
    expect((await place.first.read(secret, [one.id])).asked).toEqual([]);
    expect((await place.first.read(secret)).pending?.id).toBe(two.id);
  });

  test('writes nothing where the call dies between reading and writing', async () => {
    const place = openVaultPlace({
      writes: 'checked',
      between: async () => {
        throw new Error('killed');
      },
    });
    const before = place.vault.state;
    await expect(place.first.stage(secret, 'r-1', new Sealed('one'))).rejects.toThrow('killed');
    expect(place.vault.state).toBe(before);
  });
});

describe('what a vault holds', () => {
  test('is one plain value: taken, changed and put back it is exactly as it was, by identity', async () => {
    const place = openVaultPlace({ writes: 'checked', settlesMs: 1000, ids: 'renewed' });
    await publish(place, 'r-1', { text: 'one', from: undefined });
    const before = place.vault.state;
    const copy = structuredClone(before);
    await place.first.stage(secret, 'r-2', new Sealed('two'));
    place.vault.setByHand(secret, 'by hand');
    place.vault.add('another');
    expect(before).toEqual(copy);
    expect(JSON.parse(JSON.stringify(before))).toEqual(copy);
    place.vault.restore(before);
    expect(place.vault.state).toBe(before);
    expect((await place.first.stage(secret, 'r-2', new Sealed('two'))).id).toBe('v3');
  });

  test('stays the same value where a call changes nothing', async () => {
    const place = openVaultPlace();
    const one = await publish(place, 'r-1', { text: 'one', from: undefined });
    const staged = { rotation: 'r-2', id: (await place.first.stage(secret, 'r-2', new Sealed('two'))).id };
    const before = place.vault.state;
    await place.first.read(secret, [one.id]);
    await place.first.stage(secret, 'r-2', new Sealed('other'));
    await place.first.promote(secret, staged, 'no-such-version').catch(() => undefined);
    await place.first.abandon(secret, 'r-9');
    await place.first.retire(secret, one.id);
    place.vault.add(secret);
    expect(place.vault.state).toBe(before);
  });

  test('has names of its own only: what every object has is no secret', async () => {
    const { first, vault } = openVaultPlace();
    for (const name of ['__proto__', 'constructor', 'toString']) {
      await expect(first.read(name)).rejects.toMatchObject({ code: 'not-found' });
      vault.add(name);
      expect((await first.read(name)).current).toBeUndefined();
    }
  });
});

describe('a person at a vault', () => {
  test.each(['kept', 'renewed'] as const)('rolls back to the version before, with ids that are %s', async (ids) => {
    const place = openVaultPlace({ ids });
    const one = await publish(place, 'r-1', { text: 'one', from: undefined });
    const two = await publish(place, 'r-2', { text: 'two', from: one });
    const back = place.vault.rollBack(secret);
    expect(back === one.id).toBe(ids === 'kept');
    const seen = await place.first.read(secret, [one.id, two.id]);
    expect(seen.current).toMatchObject({ id: back });
    expect(await place.consumer()).toBe('one');
    expect(seen.previous?.id).toBe(two.id);
    expect(seen.asked).toHaveLength(2);
    const again = place.first.promote(secret, { rotation: 'r-1', id: 'v1' }, undefined);
    const answer = await again.then(
      ({ id }) => id,
      (thrown: unknown) => asLockkeeperError(thrown).code,
    );
    expect(answer).toBe(ids === 'kept' ? one.id : 'conflict');
  });

  test('cannot roll back where nothing earlier is kept', async () => {
    const place = openVaultPlace({ keepsPrevious: false });
    const one = await publish(place, 'r-1', { text: 'one', from: undefined });
    await publish(place, 'r-2', { text: 'two', from: one });
    expect(() => place.vault.rollBack(secret)).toThrow(expect.objectContaining({ code: 'conflict' }));
  });

  test('spoils a version, makes the staged value vanish, and makes the whole secret unreadable', async () => {
    const place = openVaultPlace();
    const one = await publish(place, 'r-1', { text: 'one', from: undefined });
    const two = await place.first.stage(secret, 'r-2', new Sealed('two'));
    place.vault.spoil(secret, one.id, 'garbage');
    expect(await readable(place, [one.id, two.id])).toEqual([`${one.id}: garbage`, `${two.id}: two`]);
    place.vault.dropPending(secret);
    expect((await place.first.read(secret, [two.id])).asked).toEqual([]);
    place.vault.setCorrupt(secret, true);
    await expect(place.first.read(secret)).rejects.toMatchObject({ code: 'invalid' });
    await expect(place.first.abandon(secret, 'r-2')).rejects.toMatchObject({ code: 'invalid' });
    place.vault.setCorrupt(secret, false);
    expect(await place.consumer()).toBe('garbage');
  });

  test('loses only the oldest of more than 20 earlier versions', async () => {
    const place = openVaultPlace();
    const ids = Array.from({ length: 25 }, (_, index) => place.vault.setByHand(secret, `${index}`));
    const { asked } = await place.first.read(secret, ids);
    expect(asked.map(({ id }) => id)).toEqual(ids.slice(4));
  });
});
