import { describe, expect, test } from '@jest/globals';
import { checkConfig } from '../../shared/config/check.ts';
import { config, single, wrong, type Credential } from './credential-text.ts';

describe('the last login of a chain may change itself', () => {
  const place = (name: string, form = '') => `{ store: vault, name: ${name}${form && `, form: ${form}`} }`;
  const by = (name: string, form?: string) => `{ secret: ${place(name, form)} }`;
  const itself = { strategy: 'single', users: 'own', admin: by('own'), secrets: place('own') };
  const app = { users: 'a, b', admin: by('own'), secrets: place('x') };

  test('a single user whose one secret is its own admin.secret, which needs no acceptDowntime', () => {
    expect(wrong(config(itself, app))).toEqual([]);
    expect(wrong(config({ ...itself, secrets: place('own', 'url'), admin: by('own', 'url') }))).toEqual([]);
  });

  test.each([
    ['two users', { ...itself, strategy: 'alternating', users: 'own, two' }, 'secret holds one of the users'],
    [
      'a second secret',
      { ...itself, ...single, secrets: `${place('own')}, ${place('y')}` },
      'secret holds one of the users',
    ],
    [
      'a password apart',
      { ...single, secrets: place('own', 'plain'), admin: `{ user: b, password: ${by('own', 'plain')} }` },
      'password.secret holds one of the users',
    ],
    [
      'a form that names nobody',
      { ...itself, secrets: place('own', 'plain'), admin: by('own', 'plain') },
      'secret.form holds no user name',
    ],
    ['another form', { ...itself, admin: by('own', 'url') }, 'secret.form is not the form in which the secret is kept'],
  ])('not with %s', (_, one, what) => expect(wrong(config(one))).toEqual([`s0 admin.${what}`]));

  test('each mistake says the way out', () => {
    const hint = (...all: readonly Credential[]) => checkConfig(config(...all), '/etc').mistakes.map((one) => one.hint);
    expect(hint({ ...itself, strategy: 'alternating', users: 'own, two' })).toEqual([
      'Users that take turns cannot change each other: name a third login as admin. A single user may change itself (strategy: single).',
    ]);
    expect(hint({ ...itself, ...single, users: 'own', secrets: `${place('own')}, ${place('y')}` })[0]).toMatch(
      /lockkeeper alone reads/,
    );
    expect(hint({ ...app, admin: '{ user: b, password: { file: x } }' })[0]).toMatch(/^Name another login as admin/);
  });

  test('credentials that change one another in a ring are a mistake of each, however long it is', () => {
    const ring = (length: number) =>
      Array.from({ length }, (_, at) => ({
        users: `u${at}, v${at}`,
        secrets: place(`s${at}`),
        admin: by(`s${(at + 1) % length}`),
      }));
    for (const length of [2, 3, 5])
      expect(wrong(config(...ring(length)))).toEqual(
        Array.from(
          { length },
          (_, at) =>
            `s${at} admin.secret is changed by this credential in the end, so each would need the other one first`,
        ),
      );
    const [, ...rest] = ring(3);
    const last = { ...itself, users: 'u0', secrets: place('s0'), admin: by('s0') };
    expect(wrong(config(last, ...rest))).toEqual([]);
    // One that hangs on a ring is in none.
    expect(wrong(config({ users: 'c, d', secrets: place('z'), admin: by('s0') }, ...ring(2)))).toHaveLength(2);
  });
});
