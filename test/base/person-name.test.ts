import { describe, expect, test } from '@jest/globals';
import { differentPeople, isSamePerson, knownPerson, looksLikePerson } from '../../shared/base/person-name.ts';

describe('names of people', () => {
  test.each([
    ['ann', 'Ann'],
    ['ann', 'ａｎｎ'],
    ['ann', ' a\u200Bn\u3164n\u202E '],
    ['straße', 'STRASSE'],
    ['jürgen', 'ju\u0308rgen'],
    ['σίσυφος', 'ΣΊΣΥΦΟΣ'],
  ])('%s and %s are one person', (a, b) => {
    expect([isSamePerson(a, b), isSamePerson(b, a), looksLikePerson(a, b)]).toEqual([true, true, true]);
    expect(knownPerson(b, ['zoe', a])).toBe(a);
  });

  test.each([
    ['ann', '\u0430nn'],
    ['OLGA', '\u043Elga'],
    ['Ian', 'lan'],
    ['mia', 'rnia'],
    ['bob', 'b0b'],
    ['carl', 'carI'],
    ['ann', '\u0251nn'],
    ['peace', '\u0440\u0435\u0430\u0441\u0435'],
  ])('%s and %s are two that look alike, and neither is the other', (a, b) => {
    expect([isSamePerson(a, b), looksLikePerson(a, b), looksLikePerson(b, a)]).toEqual([false, true, true]);
    expect(knownPerson(b, ['zoe', a])).toBeUndefined();
  });

  test.each([
    ['ann', 'anne'],
    ['ian', 'lan'],
    ['e', 'é'],
    ['ελενα', 'елена'],
    ['李', '王'],
  ])('%s and %s are two', (a, b) => {
    expect(looksLikePerson(a, b)).toBe(false);
  });

  test('are counted once a person', () => {
    expect(differentPeople(['ann', 'ANN', '\u0430nn', 'ben', 'bеn', 'carl'])).toEqual(['ann', 'ben', 'carl']);
  });
});
