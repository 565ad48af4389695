import { describe, expect, test } from '@jest/globals';
import { engineKinds } from '../../shared/config/engines.ts';
import { secretStoreKinds } from '../../shared/config/secret-stores.ts';
import { kindsIn } from '../../shared/config/kinds.ts';
import { rotatedCredential } from '../../shared/config/schema.ts';
import { configJsonSchema } from '../../shared/config/shape.ts';
import { config, own, single, wrong } from './credential-text.ts';
import { right } from './place.ts';

/** The first credential that is rotated. */
function credentialIn(text: string) {
  return right(text).services.map(rotatedCredential)[0];
}

describe('how a secret holds the login', () => {
  test('is json unless it says another form', () => {
    expect(right(config({})).services[0]?.credential?.secrets).toEqual([{ store: 'vault', name: 'x' }]);
  });

  test.each([
    [
      'form: json, usernameField: user, passwordField: pass',
      { form: 'json', usernameField: 'user', passwordField: 'pass' },
    ],
    ['form: url', { form: 'url' }],
    ['form: plain', { form: 'plain' }],
    ['form: pem', { form: 'pem' }],
    ['form: env', { form: 'env' }],
    ['form: env, userKey: A, passwordKey: B, urlKey: C', { form: 'env', userKey: 'A', passwordKey: 'B', urlKey: 'C' }],
  ])('can be %s', (form, read) => {
    const text = config({ ...single, secrets: `{ store: vault, name: x, ${form} }` });
    expect(right(text).services[0]?.credential?.secrets).toEqual([{ store: 'vault', name: 'x', ...read }]);
  });

  test.each([
    ['form: yaml', 'form is not one of: json, plain, url, env, pem'],
    ['form: jsn', 'form is not one of: json, plain, url, env, pem'],
    ['form: plain, userKey: A', 'userKey is not a key of this format'],
    ['userField: A', '<name 3> is not a key of this format'],
    ['form: env, userKey: "A B"', 'userKey is not the name of a variable: use letters, digits and _'],
    ['form: 7', 'form is not one of: json, plain, url, env, pem'],
  ])('cannot be %s', (form, what) => {
    expect(wrong(config({ ...single, secrets: `{ store: vault, name: x, ${form} }` }))).toEqual([
      `s0 secrets[0].${what}`,
    ]);
  });

  test.each(['plain', 'pem', 'env, passwordKey: B', 'env, passwordKey: B, urlKey: C'])(
    'cannot be %s where two users take turns, for it names none of them',
    (form) => {
      const secrets = `{ store: vault, name: y }, { store: vault, name: x, form: ${form} }`;
      expect(wrong(config({ secrets }))).toEqual(['s0 secrets[1].form holds no user name, and two users take turns']);
      expect(wrong(config({ ...single, secrets }))).toEqual([]);
    },
  );

  test.each(['url', 'json', 'env', 'env, urlKey: C', 'env, userKey: A, passwordKey: B'])(
    'can be %s where two users take turns',
    (form) => expect(wrong(config({ secrets: `{ store: vault, name: x, form: ${form} }` }))).toEqual([]),
  );
});

describe("lockkeeper's own login", () => {
  test('is a user with a reference, or one secret that holds both', () => {
    const read = (admin: string) => credentialIn(config({ admin }))?.admin;
    expect(read(own)).toEqual({ user: 'own', password: { file: '/etc/lockkeeper/own.password' } });
    expect(read('{ secret: { store: vault, name: own, form: url } }')).toEqual({
      secret: { store: 'vault', name: 'own', form: 'url' },
    });
    expect(read('{ user: own, password: { secret: { store: vault, name: own, form: plain } } }')).toEqual({
      user: 'own',
      password: { secret: { store: 'vault', name: 'own', form: 'plain' } },
    });
  });

  test.each([
    ['{}', ['user is missing', 'password is missing']],
    ['{ user: own }', ['password is missing']],
    ['{ password: { file: x } }', ['user is missing']],
    ['{ password: { file: x, env: y } }', ['user is missing', 'password names not exactly one of: file, env, secret']],
    [
      '{ usr: own, password: { file: 7 } }',
      ['user is missing', '<name 1> is not a key of this format', 'password.file is a number, not a text'],
    ],
    [
      '{ user: own, secret: { store: vault, name: o } }',
      [' names a secret and a user or a password; the secret holds both'],
    ],
    ['own', [' is a text, not a map']],
    ['{ secret: { store: valt, name: o } }', ['secret.store is not in `secrets`']],
    ['{ user: own, password: { secret: { store: valt, name: o } } }', ['password.secret.store is not in `secrets`']],
    ['{ secret: { store: vault, name: o, form: plain } }', ['secret.form holds no user name']],
    ['{ user: b, password: { file: x } }', ['user is one of the users']],
    ['{ secret: { store: vault, name: x } }', ['secret holds one of the users']],
  ])('%s: every mistake of it is told', (admin, mistakes) => {
    const found = wrong(config({ admin }));
    expect([...found].toSorted()).toEqual(
      mistakes.map((one) => `s0 admin${/^[ ]/.test(one) ? '' : '.'}${one}`).toSorted(),
    );
  });

  const admins = { ...single, users: 'own_a', secrets: '{ store: vault, name: own, form: url }' };

  test('may be rotated by another credential, and is then read in the form in which that one writes it', () => {
    expect(wrong(config(admins, { admin: '{ secret: { store: vault, name: own, form: url } }' }))).toEqual([]);
    expect(wrong(config(admins, { admin: '{ secret: { store: vault, name: own } }' }))).toEqual([
      's1 admin.secret.form is not the form in which the secret is kept',
    ]);
  });

  test('is none of the users, whichever credential rotates it', () => {
    const users = { ...admins, users: 'a' };
    expect(wrong(config(users, { admin: '{ secret: { store: vault, name: own, form: url } }' }))).toEqual([
      's1 admin.secret holds one of the users',
    ]);
  });
});

describe('who is told to read again', () => {
  const http = '{ kind: http, name: api, url: "https://api.example/read", key: { file: api.key } }';

  test('is nobody, or a list of named receivers of several kinds', () => {
    const read = (more: string) => credentialIn(config({ more }))?.refreshes;
    expect(read('every: 1d')).toEqual([]);
    const all = `refreshes: [${http}, { kind: command, name: proxy, run: [./reload, now] }, { kind: aws-event, name: bus }]`;
    expect(read(all)).toMatchObject([
      { kind: 'http', name: 'api', key: { file: '/etc/lockkeeper/api.key' } },
      { kind: 'command', name: 'proxy', run: ['/etc/lockkeeper/reload', 'now'] },
      { kind: 'aws-event', name: 'bus', bus: 'default' },
    ]);
  });

  test.each([
    [`${http}, ${http}`, ['refreshes[1].name is the name of two receivers']],
    [http.replace('{ file: api.key }', 'whsec_planted'), ['refreshes[0].key is a text, not a map']],
    [
      http.replace('file: api.key', 'secret: { store: valt, name: k }'),
      ['refreshes[0].key.secret.store is not in `secrets`'],
    ],
    [
      '{ kind: comand, name: proxy, rn: [x] }',
      [
        'refreshes[0].kind is not one of: http, aws-event, command',
        'refreshes[0].run is missing',
        'refreshes[0].<name 3> is not a key of this format',
      ],
    ],
  ])('%s', (refreshes, mistakes) => {
    const found = wrong(config({ more: `refreshes: [${refreshes}]` }));
    expect(found.toSorted()).toEqual(mistakes.map((one) => `s0 ${one}`).toSorted());
  });
});

describe('a kind that is mistyped or missing hides no mistake beside it', () => {
  const many = config({ users: 'a', more: 'every: 30 days' });
  const beside = ['s0 every is not a duration', 's0 users has 1 different users; alternating needs 2'];

  test.each([
    ['engine: postgre', 's0 engine is not one of: postgres, manual', beside],
    ['engine: oracle', 's0 engine is not one of: postgres, manual', beside.slice(0, 1)],
    ['', 's0 engine is missing', beside.slice(0, 1)],
  ])('%j', (engine, what, others) => {
    const found = wrong(many.replace('engine: postgres', engine));
    expect(found.toSorted()).toEqual([...others, what].toSorted());
  });

  test('a store of a mistyped kind, too; of a kind that nobody can guess only what cannot be right', () => {
    const store = (text: string) => wrong(config({}).replace('kind: local-file, path: vault', text));
    expect(store('kind: locl-file, pth: vault').toSorted()).toEqual([
      'secrets.<name 1>.<name 2> is not a key of this format',
      'secrets.<name 1>.kind is not one of: local-file, memory',
      'secrets.<name 1>.path is missing',
    ]);
    expect(store('kind: zzz, path: 7, colour: red').toSorted()).toEqual([
      'secrets.<name 1>.kind is not one of: local-file, memory',
      'secrets.<name 1>.path is a number, not a text',
    ]);
  });
});

describe('kinds are the files of their folders', () => {
  test('each under its own name, and all of them published', () => {
    expect(engineKinds.map(({ name }) => name)).toEqual(['postgres']);
    expect(secretStoreKinds.map(({ name }) => name)).toEqual(['local-file', 'memory']);
    const schema = JSON.stringify(configJsonSchema());
    for (const { name } of [...engineKinds, ...secretStoreKinds]) expect(schema).toContain(`"const":"${name}"`);
  });

  test.each([
    ['no kind', {}],
    ['something else', { kind: { name: 'postgres' } }],
    ['a kind of another name', { kind: { name: 'mysql', description: '', fields: () => ({}) } }],
  ])('a file that exports %s is a defect', async (_, module) => {
    await expect(kindsIn('engines', async () => module)).rejects.toThrow('postgres.ts exports no kind of its own name');
  });
});
