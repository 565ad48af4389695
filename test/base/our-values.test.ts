import { describe, expect, test } from '@jest/globals';
import { fc } from '../properties.ts';
import { inspect } from 'node:util';
import { LockkeeperError } from '../../shared/base/error.ts';
import { OurValues, ownValueMark } from '../../shared/base/our-values.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import { PlantedSecret } from '../planted-secret.ts';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const value = fc
  .array(fc.constantFrom(...alphabet.split('')), { minLength: 24, maxLength: 40 })
  .map((all) => all.join(''));

/** How somebody else may repeat a value. */
const ways: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => text.toUpperCase(),
  (text) => Buffer.from(text).toString('base64'),
  (text) => Buffer.from(`user:${text}`).toString('base64url'),
  (text) => Buffer.from(text).toString('hex').toUpperCase(),
  (text) => encodeURIComponent(text),
  (text) => JSON.stringify({ text }),
  (text) => text.split('').join(' '),
  (text) => text.replaceAll(/(.{5})/g, '$1\n'),
  (text) => text.slice(0, 20),
  (text) => text.slice(-20),
];

describe('what somebody else says', () => {
  test('comes back without our value, however it is repeated, and with the rest of it', () => {
    fc.assert(
      fc.property(value, fc.constantFrom(...ways), (text, way) => {
        const ours = new OurValues([new Sealed('another-value-of-ours-01234'), new Sealed(text)]);
        const clean = ours.withhold(`«…»: ${way(text)} ¶`);
        expect(clean).toContain(ownValueMark);
        expect(clean).toMatch(/^«…»: .* ¶$/s);
        new PlantedSecret(text).search('the text', clean).expectNowhere();
        expect(clean).not.toContain(way(text));
      }),
    );
  });

  test('stays as it is where it holds none', () => {
    const ours = new OurValues([new Sealed('password-of-lockkeepers-own-role'), new Sealed('abc')]);
    for (const text of ['password authentication failed for user "lockkeeper"', 'abc', '', 'role "x" does not exist'])
      expect(ours.withhold(text)).toBe(text);
    const error = new LockkeeperError('denied', 'no', { hint: 'ask', cause: new Error('a cause') });
    expect(ours.withholdFrom(error)).toBe(error);
  });

  test('an error keeps its code and what was tried, and loses the value in all of its causes and fields', () => {
    const text = 'pl4nted+secret/"ü&7Qz';
    const ours = new OurValues([new Sealed(text)]);
    const deepest = Object.assign(new Error('x'), { detail: text, where: encodeURIComponent(text) });
    const cause = new LockkeeperError('bug', `said ${text}`, { cause: deepest });
    const clean = ours.withholdFrom(new LockkeeperError('throttled', 'changing a', { hint: text, cause }));
    expect(clean).toMatchObject({ code: 'throttled', message: 'changing a', hint: ownValueMark });
    expect(inspect(clean)).toContain('said');
    new PlantedSecret(text).search('the error', clean).expectNowhere();
  });

  test('of many values the newest are known, and the first one always', () => {
    const ours = new OurValues([new Sealed('the-password-of-the-admin')]);
    for (let index = 0; index < 200; index += 1) ours.add(new Sealed(`value-number-${index}-of-many-values`));
    expect(ours.withhold('the-password-of-the-admin')).toBe(ownValueMark);
    expect(ours.withhold('value-number-199-of-many-values')).toBe(ownValueMark);
  });
});
