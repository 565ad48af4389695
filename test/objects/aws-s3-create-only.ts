import { afterEach, beforeEach, describe, expect } from '@jest/globals';
import type { ObjectHistory, ObjectStore } from '../../shared/objects/contract.ts';
import { proveConditions } from '../../shared/objects/self-test.ts';
import {
  bytes,
  done,
  held,
  keysOf,
  promises,
  text,
  turn,
  type ObjectStoreAbilities,
  type ObjectStoreHarness,
} from '../conformance/object-store-harness.ts';
import { testWorld } from '../world.ts';

/** Two handles that only create, and somebody who may do what the bucket lets anybody do. */
export interface CreateOnlyHarness extends ObjectStoreHarness {
  readonly one: ObjectStore & ObjectHistory;
  readonly two: ObjectStore & ObjectHistory;
  /** A plain DELETE by another hand: in a bucket with versions a delete marker. */
  hide(key: string): Promise<void>;
}

/**
 * What holds for a handle with `contents: 'create-only'`: the object store suite replaces and deletes, this one does
 * not.
 */
export function createOnlySuite(
  name: string,
  fresh: () => Promise<CreateOnlyHarness>,
  abilities: ObjectStoreAbilities,
): void {
  describe(`${name}, create-only`, () => {
    let harness: CreateOnlyHarness;
    beforeEach(async () => {
      harness = await fresh();
    });
    afterEach(() => harness.close());
    const promise = promises(abilities);

    promise('stores the bytes as they are, so that any tool reads them', async () => {
      const version = done(await harness.one.create('tile/0/000', bytes('plain')));
      expect(text(await harness.observe('tile/0/000'))).toBe('plain');
      expect(await held(harness.two, 'tile/0/000')).toEqual({ bytes: bytes('plain'), version });
      for await (const { key, size } of harness.one.list('')) expect([key, size]).toEqual(['tile/0/000', 5]);
    });
    promise('of many creators exactly one wins', async () => {
      for (let round = 0; round < 3; round += 1) {
        const answers = await Promise.all(
          Array.from({ length: 12 }, (_, i) => turn(harness, i).create(`race/${round}`, bytes(`w${i}`))),
        );
        const winners = answers.flatMap(({ outcome }, i) => (outcome === 'done' ? [`w${i}`] : []));
        expect(winners).toEqual([text(await harness.observe(`race/${round}`))]);
      }
    });
    promise('meeting its own bytes is done with the same version, other bytes exist', async () => {
      const version = done(await harness.one.create('k', bytes('same')));
      expect(await harness.two.create('k', bytes('same'))).toEqual({ outcome: 'done', version });
      expect(await harness.two.create('k', bytes('other'))).toEqual({ outcome: 'exists' });
    });
    promise('refuses to replace and to delete, and asks nobody', async () => {
      const version = done(await harness.one.create('k', bytes('1')));
      await expect(harness.one.replace('k', bytes('2'), version)).rejects.toMatchObject({ code: 'unsupported' });
      await expect(harness.one.delete('k', version)).rejects.toMatchObject({ code: 'unsupported' });
      await expect(harness.one.delete('../k', version)).rejects.toMatchObject({ code: 'invalid' });
      expect(text(await harness.observe('k'))).toBe('1');
    });
    promise('passes the proof for a store where nothing can be removed, any number of times', async () => {
      await proveConditions(harness.one, { world: testWorld(), writes: 'create-only' });
      await proveConditions(harness.two, { world: testWorld(), writes: 'create-only' });
      expect(await keysOf(harness.one, '')).toEqual(['self-test/create-only']);
    });
    promise('a store that nobody touched has no past', async () => {
      for (let i = 0; i < 12; i += 1) await harness.one.create(`k/${i}`, bytes('x'));
      expect(await pastOf(harness.one)).toEqual([]);
    });
    promise('an object hidden behind a delete marker and made again under its name shows in the past', async () => {
      for (const key of ['a', 'b', 'c']) await harness.one.create(key, bytes(key));
      await harness.hide('b');
      await harness.hide('c');
      expect(await harness.one.get('b')).toBeUndefined();
      expect((await harness.two.create('b', bytes('forged'))).outcome).toBe('done');
      expect(await pastOf(harness.one)).toEqual([
        { key: 'b', contents: 2, deleted: true },
        { key: 'c', contents: 1, deleted: true },
      ]);
    });
  });
}

async function pastOf(store: ObjectHistory): Promise<unknown[]> {
  const past: unknown[] = [];
  for await (const one of store.altered('')) past.push(one);
  return past;
}
