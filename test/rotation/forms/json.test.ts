import { fc } from '../../properties.ts';
import { describe, expect, test } from '@jest/globals';
import { Sealed } from '../../../shared/base/sealed.ts';
import { consumerForm } from '../../../shared/rotation/forms/consumer-form.ts';
import { credentialsIn } from '../../../shared/rotation/forms/connection-url.ts';
import { address, login, logins, opened, words } from './arbitraries.ts';

const json = consumerForm();
const write = (basis: string, slot: string, value: string) =>
  json.write(new Sealed(basis), login(slot, value), address).open();

describe('the form json', () => {
  test('makes the text that clients know where there is none', () => {
    expect(JSON.parse(json.write(undefined, login('app_a', 'x'), address).open())).toEqual({
      engine: 'postgres',
      host: 'db.internal',
      port: 5432,
      username: 'app_a',
      password: 'x',
      dbname: 'orders',
    });
  });

  test('holds every login whatever else the object has, and changes nothing else of it', () => {
    const objects = fc.dictionary(fc.oneof(words, fc.constant('__proto__')), fc.jsonValue(), { maxKeys: 5 });
    fc.assert(
      fc.property(objects, logins, logins, fc.constantFrom(undefined, 1, '\t'), (others, first, second, indent) => {
        const own = { username: first.slot, password: first.value.open() };
        const basis = JSON.stringify({ ...others, ...own }, null, indent);
        const text = json.write(new Sealed(basis), second, address);
        expect(opened(json.read(text, []))).toEqual(opened(second));
        expect(json.write(text, first, address).open()).toBe(basis);
      }),
      { numRuns: 80 },
    );
  });

  test('keeps order, blanks, numbers and names byte by byte', () => {
    const basis = (user: string, value: string) =>
      `\n{ "2": 1.0, "big": 12345678901234567890,\t"p\\u0061ssword" : "${value}", "a": [{"password":"inner"}, "}"],\n "1":-0, "username":"${user}" }\n`;
    expect(write(basis('old', 'before'), 'new', 'af"ter')).toBe(basis('new', 'af\\"ter'));
  });

  test('adds what is missing and keeps the rest', () => {
    expect(write('{}', 'a', 'b')).toBe('{"username":"a","password":"b"}');
    expect(write('{ "k": [1, {"x": 2}] }', 'a', 'b')).toBe('{ "k": [1, {"x": 2}],"username":"a","password":"b" }');
    expect(write('{"password":null,"k":{}}', 'a', 'b')).toBe('{"password":"b","k":{},"username":"a"}');
  });

  test('derives a URL with the same login wherever it is, and keeps every other part of it', () => {
    fc.assert(
      fc.property(words, words, fc.webUrl({ withQueryParameters: true }), (user, value, site) => {
        if (!`${user}${value}`.isWellFormed() || /\0/.test(user + value)) return;
        const rest = site.slice('https://'.length);
        const url = (name: string, word: string) => `postgres://${strict(name)}:${strict(word)}@${rest}`;
        const text = (name: string, word: string) => {
          const urls = { url: url(name, word), deep: [{ uri: url(name, word) }] };
          return JSON.stringify({ ...urls, username: name, password: word });
        };
        expect(write(text('app_a', 'old value'), user, value)).toBe(text(user, value));
        expect(json.stale(new Sealed(text(user, `${value}12345678`)))).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  test('leaves a URL alone that holds the login of something else', () => {
    const other = { cache: 'redis://cache:other@cache:6379', admin: 'postgres://root:adminpw@db/app' };
    const text: unknown = JSON.parse(
      write(JSON.stringify({ username: 'a', password: 'secret', ...other }), 'b', 'next'),
    );
    expect(text).toEqual({ username: 'b', password: 'next', ...other });
  });

  test('names what repeats the value and would go stale, and never the value itself', () => {
    const value = 'pässw0rd/"long"';
    const basic = Buffer.from(`app:${value}`).toString('base64');
    const text = JSON.stringify({
      username: 'app',
      password: value,
      dsn: `host=db password='${value}'`,
      nested: { deep: [value] },
      header: `Basic ${basic}`,
      escaped: JSON.stringify({ pw: value }),
      raw: `postgres://app:${value}@db/x`,
      admin: `postgres://root:${encodeURIComponent(value)}@db/x`,
      url: `postgres://app:${encodeURIComponent(value)}@db/x`,
      twice: `postgres://app:${encodeURIComponent(value)}@db/x?options=${encodeURIComponent(value)}`,
      [`name ${value}`]: 1,
      fine: 'postgres',
    });
    expect(json.stale(new Sealed(text))).toEqual([
      'dsn', 'nested', 'header', 'escaped', 'raw', 'admin', 'twice', 'the name of a member',
    ]); // prettier-ignore
  });

  test('is invalid where a reader could take another value', () => {
    for (const text of [
      '{"username":"a","password":"b","password":"c"}',
      '{"username":"a","password":12}',
      '{"username":"a","password":{"password":"b"}}',
      '{"username":"","password":"b"}',
      '[{"username":"a","password":"b"}]',
      'null',
    ]) {
      expect(() => json.read(new Sealed(text), ['a'])).toThrow(expect.objectContaining({ code: 'invalid' }));
    }
    expect(write('{"username":"a","password":"b","password":"c"}', 'x', 'y')).toBe(
      '{"username":"x","password":"y","password":"y"}',
    );
  });
});

function strict(text: string): string {
  const url = consumerForm({ form: 'url' }).write(undefined, login('u', text), address).open();
  expect(credentialsIn(url)?.password).toBe(text);
  return url.slice('postgres://u:'.length, url.lastIndexOf('@'));
}
