import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findConfig, loadConfig } from '../../shared/config/load.ts';
import { openReference } from '../../shared/config/open-reference.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import { example } from './example.ts';

let directory = '';
const none = { asked: undefined, environment: undefined };
const places = { environment: {}, fromStore: async () => new Sealed('from the store') };

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockkeeper-config-'));
  await mkdir(join(directory, 'deep/er'), { recursive: true });
  await writeFile(join(directory, 'lockkeeper.yaml'), example);
});
afterAll(() => rm(directory, { recursive: true }));

test('--config counts before LOCKKEEPER_CONFIG, and that before the nearest lockkeeper.yaml upward', async () => {
  const from = join(directory, 'deep/er');
  const named = (path: string) => ({ path, foundFrom: undefined });
  const found = (path: string) => ({ path: join(directory, path), foundFrom: from });
  expect(await findConfig({ asked: 'a.yaml', environment: '/b.yaml', from })).toEqual(named(join(from, 'a.yaml')));
  expect(await findConfig({ asked: undefined, environment: '/b.yaml', from })).toEqual(named('/b.yaml'));
  expect(await findConfig({ ...none, from })).toEqual(found('lockkeeper.yaml'));
  expect(await findConfig({ asked: undefined, environment: '', from })).toEqual(found('lockkeeper.yaml'));
  await writeFile(join(directory, 'deep/lockkeeper.yaml'), example);
  expect(await findConfig({ ...none, from })).toEqual(found('deep/lockkeeper.yaml'));
});

test('without any configuration the error says how to name one', async () => {
  const from = await mkdtemp(join(tmpdir(), 'lockkeeper-none-'));
  await expect(findConfig({ ...none, from })).rejects.toMatchObject({
    code: 'not-found',
    hint: expect.stringContaining('--config'),
  });
  await rm(from, { recursive: true });
});

test('a file is read with its paths beginning at its own directory', async () => {
  const { file, config } = await loadConfig(join(directory, 'lockkeeper.yaml'));
  expect(file).toBe(join(directory, 'lockkeeper.yaml'));
  expect(config.stores.state).toEqual({ kind: 'file-system', path: join(directory, 'state') });
});

test('a file that is not there, and a directory in its place, are named', async () => {
  await expect(loadConfig(join(directory, 'x.yaml'))).rejects.toMatchObject({ code: 'not-found' });
  await expect(loadConfig(directory)).rejects.toMatchObject({ code: 'invalid', hint: 'It has to be a file.' });
});

test('a broken file is one error that lists every mistake with file, line, column and hint', async () => {
  const file = join(directory, 'broken.yaml');
  await writeFile(file, example.replace('network: office\n', 'network: ofice\n').replace('window:', 'windw:'));
  await expect(loadConfig(file)).rejects.toMatchObject({
    code: 'invalid',
    message: [
      `${file} has 2 mistakes:`,
      `  ${file}:16:14 services[0].network is not in \`networks\`. Did you mean networks.<name 1> (8:3).`,
      `  ${file}:38:3 idlePorts.<name 1> is not a key of this format. Did you mean "window"?`,
    ].join('\n'),
  });
});

test('a password is found in a file, in the environment and in a store, and comes sealed', async () => {
  const file = join(directory, 'password');
  await writeFile(file, 'from the file\n', { mode: 0o600 });
  const environment = { PASSWORD: 'from the environment' };
  expect((await openReference({ file }, places)).open()).toBe('from the file');
  expect((await openReference({ env: 'PASSWORD' }, { ...places, environment })).open()).toBe('from the environment');
  expect((await openReference({ secret: { store: 's', name: 'n' } }, places)).open()).toBe('from the store');
});

test('a password that is missing or empty is an error, never an empty password', async () => {
  await writeFile(join(directory, 'empty'), '\n', { mode: 0o600 });
  await expect(openReference({ env: 'NOTHING' }, places)).rejects.toMatchObject({ code: 'not-found' });
  await expect(openReference({ file: join(directory, 'nothing') }, places)).rejects.toMatchObject({
    code: 'not-found',
  });
  await expect(openReference({ file: join(directory, 'empty') }, places)).rejects.toMatchObject({ code: 'invalid' });
});
