import { fc } from '../../properties.ts';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'pg-connection-string';
import { Sealed } from '../../../shared/base/sealed.ts';
import { consumerForm } from '../../../shared/rotation/forms/consumer-form.ts';
import { connectionUrl } from '../../../shared/rotation/forms/url.ts';
import { address, login, opened, words } from './arbitraries.ts';

const url = consumerForm({ form: 'url' });
const write = (basis: string, slot: string, value: string) =>
  url.write(new Sealed(basis), login(slot, value), address).open();

describe('the form url', () => {
  test('is read alike by WHATWG and by the PostgreSQL client, whatever the login', () => {
    fc.assert(
      fc.property(words, words, (user, value) => {
        if (!`${user}${value}`.isWellFormed() || /\0/.test(user + value)) return;
        const text = url.write(undefined, login(user, value), address).open();
        expect(text).toMatch(/^[\w:/@.%~-]+$/);
        const { username, password, host, pathname } = new URL(text);
        expect([decodeURIComponent(username), decodeURIComponent(password)]).toEqual([user, value]);
        expect([host, pathname]).toEqual(['db.internal:5432', '/orders']);
        expect(parse(text)).toMatchObject({ user, password: value, host: 'db.internal', port: '5432' });
      }),
      { numRuns: 120 },
    );
  });

  test.each([
    ['postgres://a:old@h1:1,h2:2,[::1]:3/db?target_session_attrs=any&x=%20y#f', 'postgres://n%40:p%2F%3A@h1:1,h2:2,[::1]:3/db?target_session_attrs=any&x=%20y#f'],
    ['postgresql://%2Fvar%2Frun/db?user=a&password=o%20ld&x=1', 'postgresql://%2Fvar%2Frun/db?user=n%40&password=p%2F%3A&x=1'],
    ['jdbc:postgresql://h/db?password=old&user=a', 'jdbc:postgresql://h/db?password=p%2F%3A&user=n%40'],
    ['postgres://a@h/db?password=old', 'postgres://n%40@h/db?password=p%2F%3A'],
    ['mongodb+srv://a:old@c.example/?retryWrites=true', 'mongodb+srv://n%40:p%2F%3A@c.example/?retryWrites=true'],
    ['postgres://a:old@h?user=a&password=old', 'postgres://n%40:p%2F%3A@h?user=n%40&password=p%2F%3A'],
  ])('keeps all of %s but the login', (basis, expected) => {
    expect(opened(url.read(new Sealed(basis), ['a']))[0]).toBe('a');
    expect(write(basis, 'n@', 'p/:')).toBe(expected);
    expect(opened(url.read(new Sealed(expected), []))).toEqual(['n@', 'p/:']);
  }); // prettier-ignore

  test.each([
    ['postgres://h1,h2/db', 'postgres://u:p@h1,h2/db'],
    ['postgres://a@h/db', 'postgres://u:p@h/db'],
    ['jdbc:postgresql://h/db', 'jdbc:postgresql://h/db?user=u&password=p'],
    ['jdbc:postgresql://h/db?ssl=true', 'jdbc:postgresql://h/db?ssl=true&user=u&password=p'],
    ['jdbc:postgresql://h/db?user=a', 'jdbc:postgresql://h/db?user=u&password=p'],
    ['redis://:old@h/0', 'redis://u:p@h/0'],
  ])('gets a login where there was none or only half: %s', (basis, expected) => {
    expect(write(basis, 'u', 'p')).toBe(expected);
  });

  test('a URL without a user belongs to the only one', () => {
    expect(opened(url.read(new Sealed('redis://:old@h/0'), ['default']))).toEqual(['default', 'old']);
    expect(() => url.read(new Sealed('redis://:old@h/0'), ['a', 'b'])).toThrow(/names no user/);
  });

  test.each([
    'postgres://a:p@ss@h/db', 'postgres://a:p%zz@h/db', 'postgres://a:p%@h', 'postgres://a:%00@h', 'postgres://a:%FF@h',
    'postgres://h?user=a&password=x+y', 'postgres://h?user=a&password=x#y', 'postgres://a:b@h?password=c',
    'postgres://a:b@h?user=c', 'postgres://a@h', 'postgres://a:@h', 'postgres://h', 'postgres://a:b c@h', 'a:b@h', '',
  ])('is invalid where readers would differ or find nothing: %s', (text) => {
    expect(() => url.read(new Sealed(text), ['a'])).toThrow(expect.objectContaining({ code: 'invalid' }));
  }); // prettier-ignore

  test('names what else repeats the value', () => {
    expect(url.stale(new Sealed('postgres://a:longpassword@h/db?sslpassword=longpassword'))).toEqual([
      'another part of the URL',
    ]);
    expect(url.stale(new Sealed('postgres://a:longpassword@h/db?password=longpassword'))).toEqual([]);
  });

  test('new ones have the scheme and the host as clients write them', () => {
    const of = (engine: string, host: string) => connectionUrl({ engine, host, port: 1 }, login('u', 'p'));
    expect(of('postgres', '::1')).toBe('postgres://u:p@[::1]:1');
    expect(of('rabbitmq', 'q')).toBe('amqp://u:p@q:1');
    expect(of('valkey', 'c')).toBe('redis://u:p@c:1');
    expect(of('mariadb', 'm')).toBe('mariadb://u:p@m:1');
  });
});
