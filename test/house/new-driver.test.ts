import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { cruise } from './cruise.ts';
import { driversOf, suiteTests, testFiles } from './known-drivers.ts';
import { acmeEngine, addToy, copiedTree, toyBox } from './toy-drivers.ts';

const configuration = `version: 1
stores: { state: { kind: file-system, path: state }, log: { kind: file-system, path: log } }
secrets: { box: { kind: toy-box, label: shelf } }
networks: { office: { cloud: aws } }
services:
  - name: acme
    owner: anna
    network: office
    port: 7000
    credential:
      engine: acme
      users: [a, b]
      realm: toys
      endpoints: ["acme.internal:7000"]
      admin: { user: lockkeeper, password: { env: ADMIN } }
      secrets: [{ store: box, name: acme, form: url }]
`;

/** Run in the tree itself, as lockkeeper is. */
const program = `
import { checkConfig } from './shared/config/check.ts';
import { configJsonSchema } from './shared/config/shape.ts';
import { drivers } from './functions/local/credentials-wire.ts';
import { rotationDeps, secretStores } from './functions/local/credentials.ts';
const text = ${JSON.stringify(configuration)};
const said = (written) => checkConfig(written, '/').mistakes.map(({ path, what }) => path + ' ' + what);
const { config } = checkConfig(text, '/');
const host = { world: undefined, environment: {} };
const secrets = secretStores(config, drivers, host);
const deps = rotationDeps({ ...host, config, drivers, secrets, actor: 'anna' }).get('acme');
console.log(JSON.stringify({
  right: said(text),
  wrong: said(text.replace('realm: toys', 'realm: nowhere').replace('label: shelf', 'lable: shelf')),
  published: ['"acme"', '"toy-box"', 'Which realm.'].every((part) => JSON.stringify(configJsonSchema()).includes(part)),
  described: (await deps.service.describe()).endpoints,
  read: Object.keys(await deps.stores.box.read('acme')),
  plan: [deps.plan.address, deps.plan.stores[0].form.name],
}));
`;

const answer = z.object({
  right: z.array(z.string()),
  wrong: z.array(z.string()),
  published: z.boolean(),
  described: z.array(z.string()),
  read: z.array(z.string()),
  plan: z.array(z.unknown()),
});

describe('a new engine and a new secret store cost four files each: driver, test, kind, and one line in the table', () => {
  let tree = '';
  let touched: readonly (readonly string[])[] = [];

  beforeAll(async () => {
    tree = await copiedTree();
    touched = [await addToy(tree, acmeEngine), await addToy(tree, toyBox)];
  });
  afterAll(() => rm(tree, { recursive: true }));

  test('four files are touched, and the import rules know both drivers and have nothing against them', () => {
    expect(touched.map((files) => files.length)).toEqual([4, 4]);
    expect(driversOf(tree)).toEqual(expect.arrayContaining(['services/acme', 'secrets/toy-box']));
    const of = [...new Set(touched.flat())];
    const rules = join(tree, '.dependency-cruiser.cjs');
    const { modules, violations } = cruise(tree, { rules, of });
    expect(violations).toEqual([]);
    expect(modules).toBeGreaterThan(of.length);
  });

  test('their tests are found among those that show a driver to its suite', () => {
    const files = testFiles(tree);
    expect(suiteTests('services/acme', files)).toEqual(['test/services/acme.test.ts']);
    expect(suiteTests('secrets/toy-box', files)).toEqual(['test/secrets/toy-box.test.ts']);
  });

  test('the configuration takes them, finds their mistakes and publishes them, and the tables open them', async () => {
    const file = join(tree, 'ask.ts');
    await writeFile(file, program);
    const { stdout } = await promisify(execFile)(process.execPath, ['--no-warnings', file], { timeout: 20_000 });
    expect(answer.parse(JSON.parse(stdout))).toEqual({
      right: [],
      wrong: [
        'secrets.<name 1>.label is missing',
        'secrets.<name 1>.<name 2> is not a key of this format',
        'services[0].credential.realm is not a realm',
      ],
      published: true,
      described: ['toys'],
      read: ['current', 'previous', 'pending', 'asked'],
      plan: [{ engine: 'acme', host: 'acme.internal', port: 7000 }, 'url'],
    });
  });
});
