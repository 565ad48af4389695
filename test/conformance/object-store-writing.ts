import { describe, expect } from '@jest/globals';
import type { ObjectStore } from '../../shared/objects/contract.ts';
import {
  bytes,
  done,
  held,
  keysOf,
  text,
  turn,
  type ObjectStoreHarness,
  type Promised,
} from './object-store-harness.ts';

/** What the contract says about create, replace and delete. */
export function writingTests(at: () => ObjectStoreHarness, promise: Promised): void {
  describe('create', () => {
    promise('makes an object that the other handle and an observer see', async () => {
      const answer = await at().one.create('a/b', bytes('hello'));
      expect(answer.outcome).toBe('done');
      expect(text((await at().two.get('a/b'))?.bytes)).toBe('hello');
      expect(text(await at().observe('a/b'))).toBe('hello');
    });
    promise('answers the version that get tells', async () => {
      const answer = done(await at().one.create('k', bytes('1')));
      expect((await at().two.get('k'))?.version).toBe(answer);
    });
    promise('never replaces other bytes', async () => {
      await at().one.create('k', bytes('first'));
      expect(await at().two.create('k', bytes('second'))).toEqual({ outcome: 'exists' });
      expect(text(await at().observe('k'))).toBe('first');
    });
    promise('meeting its own bytes again is done, with the version that stands', async () => {
      const first = done(await at().one.create('k', bytes('same')));
      expect(done(await at().two.create('k', bytes('same')))).toBe(first);
    });
    promise('a prefix or an extension of the stored bytes is not the same bytes', async () => {
      await at().one.create('k', bytes('same'));
      expect((await at().one.create('k', bytes('sam'))).outcome).toBe('exists');
      expect((await at().one.create('k', bytes('same!'))).outcome).toBe('exists');
      expect((await at().one.create('k', bytes(''))).outcome).toBe('exists');
    });
    promise('of many at once with different bytes exactly one wins', async () => {
      for (let round = 0; round < 5; round += 1) {
        const tries = Array.from({ length: 12 }, (_, i) => turn(at(), i).create(`race/${round}`, bytes(`w${i}`)));
        const answers = await Promise.all(tries);
        const winners = answers.flatMap((answer, i) => (answer.outcome === 'done' ? [`w${i}`] : []));
        expect(winners).toHaveLength(1);
        expect(text(await at().observe(`race/${round}`))).toBe(winners[0]);
      }
    });
    promise('of many at once with the same bytes all are done, with one version', async () => {
      const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => turn(at(), i).create('k', bytes('same'))));
      expect(new Set(answers.map(done)).size).toBe(1);
    });
  });

  describe('replace', () => {
    promise('writes where the held version is current, and tells the new one', async () => {
      const first = done(await at().one.create('k', bytes('1')));
      const second = done(await at().two.replace('k', bytes('2'), first));
      expect(second).not.toBe(first);
      expect(await at().one.get('k')).toEqual({ bytes: bytes('2'), version: second });
      expect(text(await at().observe('k'))).toBe('2');
    });
    promise('a version that is not current any more is stale, and nothing is written', async () => {
      const first = done(await at().one.create('k', bytes('1')));
      await at().two.replace('k', bytes('2'), first);
      expect(await at().one.replace('k', bytes('3'), first)).toEqual({ outcome: 'stale' });
      expect(text(await at().observe('k'))).toBe('2');
    });
    promise('a version that nobody ever gave is stale', async () => {
      await at().one.create('k', bytes('1'));
      expect(await at().one.replace('k', bytes('2'), 'made-up')).toEqual({ outcome: 'stale' });
    });
    promise('an absent object is missing, and stays absent', async () => {
      expect(await at().one.replace('k', bytes('1'), 'any')).toEqual({ outcome: 'missing' });
      expect(await at().observe('k')).toBeUndefined();
    });
    promise('versions differ even when the bytes are equal, so A to B to A is seen', async () => {
      const versions = [done(await at().one.create('k', bytes('A')))];
      for (const content of ['B', 'A', 'A', 'B', 'A', 'A', 'A', 'B', 'A']) {
        versions.push(done(await at().two.replace('k', bytes(content), versions.at(-1) ?? '')));
      }
      expect(new Set(versions).size).toBe(versions.length);
      expect(await at().one.replace('k', bytes('C'), versions[0] ?? '')).toEqual({ outcome: 'stale' });
    });
    promise('of many at once on one version exactly one wins', async () => {
      let version = done(await at().one.create('k', bytes('start')));
      for (let round = 0; round < 5; round += 1) {
        const from = version;
        const tries = Array.from({ length: 10 }, (_, i) => turn(at(), i).replace('k', bytes(`${round}-${i}`), from));
        const answers = await Promise.all(tries);
        const winners = answers.flatMap((answer, i) => (answer.outcome === 'done' ? [{ answer, i }] : []));
        expect(winners).toHaveLength(1);
        expect(answers.filter(({ outcome }) => outcome === 'stale')).toHaveLength(9);
        expect(text(await at().observe('k'))).toBe(`${round}-${winners[0]?.i}`);
        version = winners[0]?.answer.version ?? '';
      }
    });
    promise('a counter that many raise through it loses no step', async () => {
      await at().one.create('count', bytes('0'));
      await Promise.all(Array.from({ length: 20 }, (_, i) => raise(turn(at(), i))));
      expect(text(await at().observe('count'))).toBe('20');
    });
  });

  describe('delete', () => {
    promise('removes the object for everybody', async () => {
      const version = done(await at().one.create('a/k', bytes('1')));
      expect(await at().two.delete('a/k', version)).toEqual({ outcome: 'done' });
      expect(await at().one.get('a/k')).toBeUndefined();
      expect(await at().observe('a/k')).toBeUndefined();
      expect(await keysOf(at().one, '')).toEqual([]);
    });
    promise('a stale version deletes nothing', async () => {
      const first = done(await at().one.create('k', bytes('1')));
      await at().one.replace('k', bytes('2'), first);
      expect(await at().two.delete('k', first)).toEqual({ outcome: 'stale' });
      expect(text(await at().observe('k'))).toBe('2');
    });
    promise('an absent object is missing, also the second time', async () => {
      expect(await at().one.delete('k', 'any')).toEqual({ outcome: 'missing' });
      const version = done(await at().one.create('k', bytes('1')));
      await at().one.delete('k', version);
      expect(await at().one.delete('k', version)).toEqual({ outcome: 'missing' });
    });
    promise('the key is free again, and no old version fits what is made there', async () => {
      const old: string[] = [];
      for (let life = 0; life < 6; life += 1) {
        const created = done(await at().one.create('k', bytes('same')));
        for (const version of old) {
          expect(await at().two.replace('k', bytes('x'), version)).toEqual({ outcome: 'stale' });
          expect(await at().two.delete('k', version)).toEqual({ outcome: 'stale' });
        }
        const last = done(await at().two.replace('k', bytes('same'), created));
        expect((await at().one.delete('k', last)).outcome).toBe('done');
        expect(await at().two.replace('k', bytes('x'), last)).toEqual({ outcome: 'missing' });
        old.push(created, last);
      }
      expect(new Set(old).size).toBe(old.length);
    });
    promise('of a delete and a replace at once exactly one wins', async () => {
      for (let round = 0; round < 6; round += 1) {
        const version = done(await at().one.create(`k${round}`, bytes('1')));
        const [deleted, written] = await Promise.all([
          at().one.delete(`k${round}`, version),
          at().two.replace(`k${round}`, bytes('2'), version),
        ]);
        expect([deleted.outcome, written.outcome].filter((outcome) => outcome === 'done')).toHaveLength(1);
        expect(text(await at().observe(`k${round}`))).toBe(written.outcome === 'done' ? '2' : undefined);
      }
    });
  });
}

async function raise(store: ObjectStore): Promise<void> {
  for (;;) {
    const { bytes: now, version } = await held(store, 'count');
    const next = bytes(String(Number(text(now)) + 1));
    if ((await store.replace('count', next, version)).outcome === 'done') return;
  }
}
