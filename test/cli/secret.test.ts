import { describe, expect, test } from '@jest/globals';
import { run } from '../../functions/cli/main.ts';
import type { Terminal } from '../../functions/cli/io.ts';
import { loginVariables } from '../../functions/cli/login-variables.ts';
import { execVariables, execWords } from '../../functions/cli/secret-exec.ts';
import { secretFields, secretGetVerb, type SecretGetOptions } from '../../functions/cli/secret-get.ts';
import { secretImportVerb } from '../../functions/cli/secret-import.ts';
import { secretListVerb } from '../../functions/cli/secret-list.ts';
import type { SecretCredential } from '../../functions/cli/secret-place.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import { importLogin } from '../../shared/rotation/import.ts';
import type { RotationDeps } from '../../shared/rotation/plan.ts';
import { rotate } from '../../shared/rotation/run.ts';
import type { SecretStore } from '../../shared/secrets/contract.ts';
import { address, login, makeEmptyPlace, value } from '../rotation/import-place.ts';
import { memoryHost } from './memory-host.ts';

/** A terminal whose lines are kept, in the order of everything that happens. */
function seat(json = false) {
  const trail: string[] = [];
  const terminal: Terminal = {
    json,
    signal: new AbortController().signal,
    out: (line) => trail.push(`out ${line}`),
    err: (line) => trail.push(`err ${line}`),
  };
  return { terminal, trail };
}

async function filledPlace() {
  const place = makeEmptyPlace({});
  await importLogin(place.deps(), login);
  place.events.length = 0;
  const credential: SecretCredential<RotationDeps> = { deps: place.deps(), slots: ['app_a', 'app_b'] };
  return { ...place, credential };
}

/** As `credential`, with its first store broken. */
function withoutFirst({ deps, slots }: SecretCredential, code: 'unreachable' | 'not-found'): SecretCredential {
  const s0 = deps.stores['s0'];
  if (!s0) throw new Error('no store s0');
  const read: SecretStore['read'] = async () => {
    throw new LockkeeperError(code, 's0 is broken');
  };
  return { deps: { ...deps, stores: { ...deps.stores, s0: { ...s0, read } } }, slots };
}

async function got(credential: SecretCredential, options: SecretGetOptions, how = { isScreen: false, json: false }) {
  const { terminal, trail } = seat(how.json);
  const code = await secretGetVerb(
    'app-db',
    options,
    {
      credentials: [credential],
      isScreen: how.isScreen,
      print: (text, about) =>
        trail.push(`print ${typeof text === 'string' ? text : text.open()} ${JSON.stringify(about)}`),
    },
    terminal,
  );
  return { code, trail };
}

describe('secret import', () => {
  test('asks for the value, and says where the login is now, and nothing of it', async () => {
    const place = makeEmptyPlace({});
    const credential = { deps: place.deps(), slots: ['app_a', 'app_b'] };
    const { terminal, trail } = seat();
    const prompts: string[] = [];
    const input = async (prompt: string) => {
      prompts.push(prompt);
      return value.sealed();
    };
    const deps = { credentials: [credential], input };
    expect(await secretImportVerb('app-db', { user: 'app_a' }, deps, terminal)).toBe(0);
    expect(await secretImportVerb('app-db', { user: 'app_a' }, deps, terminal)).toBe(0);
    expect(prompts[0]).toBe('Password of app_a, which is not shown: ');
    expect(trail).toEqual([
      'out app-db: the login of app_a works, and is now in s0/app-db, s1/app-db. No password was changed.',
      'out app-db: every store hands out this login of app_a already.',
    ]);
    value.search('stdout and stderr', trail).expectNowhere();
  });

  test.each([
    [['--password', 'hunter2hunter2']],
    [['--password=hunter2hunter2']],
    [['--password']],
  ])('refuses a password among its words: %j', async (words) => {
    const host = memoryHost(['secret', 'import', 'orders-db', '--user', 'a', ...words]);
    expect(await run(host)).toBe(1);
    expect(host.err()).toContain('a password on the command line is not taken');
    expect(host.err() + host.out()).not.toContain('hunter2');
  }); // prettier-ignore

  test('repeats no surplus word, which may be a password', async () => {
    const host = memoryHost(['secret', 'import', 'orders-db', 'hunter2hunter2', '--user', 'a']);
    expect(await run(host)).toBe(1);
    expect(host.err()).toContain('too many arguments');
    expect(host.err()).not.toContain('hunter2');
  });
});

describe('secret get', () => {
  test('prints what consumers read, after the log knows who was given it', async () => {
    const place = await filledPlace();
    const { code, trail } = await got(place.credential, {});
    expect(code).toBe(0);
    expect(trail).toEqual([`print ${place.vaults[0]?.shelves.get('app-db')?.current?.text} undefined`]);
    expect(place.events).toMatchObject([
      {
        action: 'secret.read',
        stage: 'fact',
        actor: 'ada',
        subject: { kind: 'credential', id: 'app-db' },
        details: { how: 'get', store: 's0', secret: 'app-db', slot: 'app_a', version: expect.any(String) },
      },
    ]);
    value.search('the log', place.events).expectNowhere();
  });

  test('prints nothing that the log does not know of', async () => {
    const { credential } = await filledPlace();
    const audit = {
      record: async () => {
        throw new LockkeeperError('unreachable', 'the log is away');
      },
    };
    const printed: unknown[] = [];
    const deps = { credentials: [{ ...credential, deps: { ...credential.deps, audit } }], isScreen: true };
    await expect(
      secretGetVerb('app-db', {}, { ...deps, print: (text) => printed.push(text) }, seat().terminal),
    ).rejects.toMatchObject({ code: 'unreachable' });
    expect(printed).toEqual([]);
  });

  test('prints one field of it', async () => {
    const { credential } = await filledPlace();
    const all = await Promise.all(secretFields.map(async (field) => (await got(credential, { field })).trail[0]));
    const url = `postgres://app_a:${encodeURIComponent(value.bare())}@db:5432/app`;
    expect(all).toEqual(
      ['app_a', value.bare(), url, 'postgres', 'db', '5432', 'app'].map((text) => `print ${text} undefined`),
    );
  });

  test('says where it is from in JSON, and warns who looks at a screen', async () => {
    const { credential } = await filledPlace();
    const { trail } = await got(credential, { field: 'password' }, { isScreen: true, json: true });
    expect(trail[0]).toMatch(/^err warning: this is on the screen now/);
    expect(trail[1]).toMatch(
      /^print .*\{"name":"app-db","store":"s0","secret":"app-db","version":"v\d+","field":"password"\}$/,
    );
  });

  test('goes on with another store where the first does not answer, and says so', async () => {
    const { credential, events } = await filledPlace();
    const { trail } = await got(withoutFirst(credential, 'unreachable'), { field: 'username' });
    expect(trail).toEqual(['err warning: s0 is broken', 'print app_a undefined']);
    expect(events).toMatchObject([{ details: { store: 's1' } }]);
  });

  test('says what to do where no store hands out a login, or there is no such name', async () => {
    const credential = { deps: makeEmptyPlace({}).deps(), slots: ['app_a', 'app_b'] };
    await expect(got(credential, {})).rejects.toMatchObject({
      code: 'not-found',
      hint: expect.stringContaining('lockkeeper secret import app-db --user USER'),
    });
    await expect(
      secretGetVerb(
        'nope',
        {},
        { credentials: [credential], isScreen: false, print: () => undefined },
        seat().terminal,
      ),
    ).rejects.toMatchObject({ code: 'invalid', hint: 'Known: app-db.' });
  });
});

describe('secret list', () => {
  test('says where each lies, whose it is and when it was rotated, and no value', async () => {
    const place = await filledPlace();
    const { terminal, trail } = seat();
    expect(await secretListVerb([place.credential], terminal)).toBe(0);
    await rotate(place.credential.deps, { now: true });
    expect(await secretListVerb([place.credential], terminal)).toBe(0);
    place.world.pass(10);
    await rotate(place.credential.deps, { now: true });
    expect(await secretListVerb([place.credential], terminal)).toBe(0);
    const column = (at: number) => trail.map((line) => line.slice(4).split(/ {2,}/)[at]);
    expect(column(3)).toEqual(['user', 'app_a', 'app_a', 'user', 'app_b', 'app_b', 'user', 'app_b', 'app_b']);
    expect(column(5)[1]).toBe('never');
    expect(column(5)[4]).toBe('now: draining');
    expect(column(5)[7]).toMatch(/^2026-10-01T/);
    value.search('the list', trail).expectNowhere();
  });

  test('of an empty store is no failure, of one that cannot be read is', async () => {
    const place = await filledPlace();
    const { terminal, trail } = seat(true);
    expect(await secretListVerb([withoutFirst(place.credential, 'not-found')], terminal)).toBe(0);
    expect(await secretListVerb([withoutFirst(place.credential, 'unreachable')], terminal)).toBe(1);
    expect(JSON.parse(trail[1]?.slice(4) ?? '')).toMatchObject({
      secrets: [
        { name: 'app-db', store: 's0', form: 'json', troubles: ['s0 is broken'] },
        { name: 'app-db', store: 's1', form: 'url', user: 'app_a', troubles: [] },
      ],
    });
    expect(await secretListVerb([], terminal)).toBe(7);
  });
});

describe('secret exec', () => {
  test('gives the variables of the engine, after the log knows who was given them and for what', async () => {
    const { credential, events } = await filledPlace();
    const words = execWords(['app-db', '/usr/bin/psql', '-c', 'x'], ['n', 'l', 'secret', 'exec', 'app-db', '--', '/usr/bin/psql', '-c', 'x']);
    const variables = await execVariables(words, [credential], seat().terminal);
    expect(Object.fromEntries([...variables].map(([name, sealed]) => [name, sealed?.open()]))).toEqual({
      PGHOST: 'db',
      PGPORT: '5432',
      PGUSER: 'app_a',
      PGPASSWORD: value.bare(),
      PGDATABASE: 'app',
      PGHOSTADDR: undefined,
      PGSERVICE: undefined,
      DATABASE_URL: `postgres://app_a:${encodeURIComponent(value.bare())}@db:5432/app`,
    });
    expect(events).toMatchObject([{ action: 'secret.read', details: { how: 'exec', program: 'psql' } }]);
  }); // prettier-ignore

  test('of another engine gives a URL', () => {
    expect([...loginVariables({ ...address, engine: 'mysql' }, login).keys()]).toEqual(['DATABASE_URL']);
    expect(() => loginVariables(address, { slot: 'a', value: new Sealed('nul\0') })).toThrow(LockkeeperError);
  });

  test.each([
    [
      ['app-db', 'psql'],
      ['app-db', 'psql'],
    ],
    [['app-db'], ['app-db', '--']],
    [['psql'], ['--', 'psql']],
    [
      ['app-db', 'other', 'psql'],
      ['app-db', 'other', '--', 'psql'],
    ],
  ])('%j out of %j is no command', (words, argv) => {
    expect(() => execWords(words, argv)).toThrow('secret exec needs a name, and a command after --');
  });

  test('leaves --output to the command behind --', async () => {
    const host = memoryHost(['secret', 'exec', '--', 'psql', '--output', 'json']);
    expect(await run(host)).toBe(1);
    expect(host.err()).toMatch(/^lockkeeper: |^error: /);
  });
});
