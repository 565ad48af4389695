import { inspect, isDeepStrictEqual } from 'node:util';
import { fc } from '../../properties.ts';
import { describe, expect, test } from '@jest/globals';
import { LockkeeperError } from '../../../shared/base/error.ts';
import { Sealed } from '../../../shared/base/sealed.ts';
import type { Login } from '../../../shared/services/contract.ts';
import { consumerForm, formNames, type FormSpec } from '../../../shared/rotation/forms/consumer-form.ts';
import { address, login, logins, opened, ordinary, words } from './arbitraries.ts';

const specs: readonly FormSpec[] = [
  {},
  { form: 'json', usernameField: 'user', passwordField: 'pass"word' },
  { form: 'plain' },
  { form: 'url' },
  { form: 'env' },
  { form: 'env', userKey: 'PGUSER', passwordKey: 'PGPASSWORD', urlKey: 'DATABASE_URL' },
  { form: 'env', urlKey: 'DATABASE_URL' },
  { form: 'env', passwordKey: 'TOKEN' },
  { form: 'pem' },
];

/** What may lie in a store. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.json(),
  words,
  fc.tuple(words, words).map(([user, value]) => `postgres://${user}:${value}@h1,h2/db?x=y`),
  fc
    .array(fc.tuple(fc.constantFrom('DB_USER', 'DB_PASSWORD', 'DATABASE_URL', 'X'), words))
    .map((lines) => lines.map(([key, value]) => `${key}=${value}`).join('\n')),
);

describe.each(specs.map((spec) => [JSON.stringify(spec), spec] as const))('the form %s', (_, spec) => {
  const form = consumerForm(spec);

  test('gives back what was written, over any text and from nothing, or says that it cannot', () => {
    let held = 0;
    fc.assert(
      fc.property(fc.option(anyText), logins, (basis, wanted) => {
        const text = orInvalid(() => form.write(basis === null ? undefined : new Sealed(basis), wanted, address));
        if (!text) return;
        held += 1;
        expect(opened(form.read(text, [wanted.slot]))).toEqual(opened(wanted));
        expect(form.write(text, wanted, address).open()).toBe(text.open());
      }),
      { numRuns: 50 },
    );
    expect(held > 0).toBe(spec.form !== 'pem');
  });

  test('holds every login that lockkeeper itself makes', () => {
    const holds = (basis: string | null, wanted: Login) => {
      const text = orInvalid(() => form.write(basis === null ? undefined : new Sealed(basis), wanted, address));
      // A key is no PEM text; and only a basis that readers disagree about may stand in the way of another.
      if (!text) return spec.form === 'pem' || (spec.form === 'env' && basis !== null);
      return isDeepStrictEqual(opened(form.read(text, [wanted.slot])), opened(wanted));
    };
    expect(() => fc.assert(fc.property(fc.option(anyText), ordinary, holds), { numRuns: 40 })).not.toThrow();
  });

  test('reads garbage as a login or as invalid, and no error repeats it', () => {
    const isQuiet = (text: string) => {
      orInvalid(() => form.read(new Sealed(text), ['app']), text);
      orInvalid(() => form.stale(new Sealed(text)), text);
    };
    expect(() => fc.assert(fc.property(anyText, isQuiet), { numRuns: 40 })).not.toThrow();
  });
});

test('a text that names no user is invalid where there are two', () => {
  for (const spec of [{ form: 'plain' }, { form: 'pem' }, { form: 'env', passwordKey: 'T' }] satisfies FormSpec[]) {
    const text = spec.form === 'env' ? new Sealed('T=1') : new Sealed('-----BEGIN X-----\nAA==\n-----END X-----\n');
    expect(() => consumerForm(spec).read(text, ['a', 'b'])).toThrow(/names no user, and the service has 2/);
    expect(consumerForm(spec).read(text, ['a']).slot).toBe('a');
  }
});

test('every form can be made by its name', () => {
  expect(formNames.map((form) => consumerForm({ form }).name)).toEqual([...formNames]);
});

test('a line end after a value stays, and is no part of it', () => {
  for (const end of ['', '\n', '\r\n']) {
    const plain = consumerForm({ form: 'plain' });
    expect(plain.read(new Sealed(`old${end}`), ['a']).value.open()).toBe('old');
    expect(plain.write(new Sealed(`old${end}`), login('a', 'new'), address).open()).toBe(`new${end}`);
    const url = consumerForm({ form: 'url' });
    expect(url.write(new Sealed(`redis://a:b@h/0${end}`), login('a', 'new'), address).open()).toBe(
      `redis://a:new@h/0${end}`,
    );
  }
});

test('a private key with its chain is the value as it is', () => {
  const pem = consumerForm({ form: 'pem' });
  const text = ['PRIVATE KEY', 'CERTIFICATE', 'CERTIFICATE']
    .map((label) => `-----BEGIN ${label}-----\nMC4CAQAwBQYDK2VwBCIE\nIA==\n-----END ${label}-----\n`)
    .join('');
  const written = pem.write(new Sealed('anything'), login('host', text), address);
  expect(written.open()).toBe(text);
  expect(opened(pem.read(written, ['host']))).toEqual(['host', text]);
  for (const other of ['', 'hunter2', '-----BEGIN A-----\nAA==\n-----END B-----\n', '-----BEGIN A-----\n'])
    expect(() => pem.read(new Sealed(other), ['host'])).toThrow(LockkeeperError);
});

/** What `act` answers; undefined where it throws `invalid`. Anything else, or `text` in the error, fails the test. */
function orInvalid<T>(act: () => T, text = ''): T | undefined {
  try {
    return act();
  } catch (thrown) {
    const isInvalid = thrown instanceof LockkeeperError && thrown.code === 'invalid' && thrown.cause === undefined;
    if (isInvalid && !(text.length > 12 && inspect(thrown).includes(text))) return undefined;
    throw thrown;
  }
}
