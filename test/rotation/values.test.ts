import { fc } from '../properties.ts';
import { describe, expect, test } from '@jest/globals';
import { LockkeeperError } from '../../shared/base/error.ts';
import { generateValue, newRotationId } from '../../shared/rotation/effects/generate.ts';
import { decodeJournal, encodeJournal } from '../../shared/rotation/journal/journal-format.ts';
import { testWorld } from '../world.ts';
import { makePlace } from './place.ts';

describe('a new value', () => {
  test('has the length and only the characters that the rule allows', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 33, max: 126 }), { minLength: 16, maxLength: 94 }),
        fc.integer({ min: 32, max: 128 }),
        fc.string(),
        (codes, length, seed) => {
          const alphabet = String.fromCharCode(...codes);
          const value = generateValue({ alphabet, length }, testWorld(undefined, seed)).open();
          expect(value).toHaveLength(length);
          expect(value.split('').every((letter) => alphabet.includes(letter))).toBe(true);
        },
      ),
    );
  });

  test('favours no character: 100 000 draws of 62 stay within five deviations', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
    const counts = new Map<string, number>();
    const world = testWorld();
    for (let drawn = 0; drawn < 100_000; drawn += 1000)
      for (const letter of generateValue({ alphabet, length: 1000 }, world).open())
        counts.set(letter, (counts.get(letter) ?? 0) + 1);
    const mean = 100_000 / 62;
    for (const letter of alphabet) expect(Math.abs((counts.get(letter) ?? 0) - mean)).toBeLessThan(5 * Math.sqrt(mean));
  });

  test('is refused where it could be guessed', () => {
    for (const rule of [
      { alphabet: '0123456789', length: 38 },
      { alphabet: 'a', length: 999 },
      { alphabet: '', length: 32 },
      { alphabet: 'aaaaaaab', length: 100 },
    ]) {
      expect(() => generateValue(rule, testWorld())).toThrow(LockkeeperError);
    }
  });

  test('and every rotation has a name of its own', () => {
    const world = testWorld();
    const names = Array.from({ length: 100 }, () => newRotationId(world));
    expect(new Set(names).size).toBe(100);
    expect(names.every((name) => /^[a-z0-9-]{1,64}$/.test(name))).toBe(true);
  });
});

describe('a journal', () => {
  test('comes back exactly as it was written, at every phase', async () => {
    const place = await makePlace();
    await place.run({ now: true });
    const journal = place.journal();
    if (!journal) throw new Error('no journal');
    expect(decodeJournal(encodeJournal(journal), 'app-db')).toEqual(journal);
  });

  test('with anything missing, extra or of another kind is refused', async () => {
    const place = await makePlace();
    await place.run({ now: true });
    const journal = place.journal();
    if (!journal) throw new Error('no journal');
    const bad = [
      { ...journal, extra: 1 },
      { ...journal, phase: 'soon' },
      { ...journal, epoch: 0 },
      { ...journal, format: 1 },
      { ...journal, format: 3 },
      { ...journal, past: undefined },
      [],
      'text',
      null,
    ];
    for (const one of bad)
      expect(() => decodeJournal(Buffer.from(JSON.stringify(one)), 'app-db')).toThrow(/is no journal/);
    expect(() => decodeJournal(Buffer.from('{'), 'app-db')).toThrow(/is not JSON/);
    expect(() => decodeJournal(encodeJournal(journal), 'other')).toThrow(/is the journal of app-db/);
  });
});
