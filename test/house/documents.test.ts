import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { run } from '../../functions/cli/main.ts';
import { verbs } from '../../functions/cli/help.ts';
import { checkConfig, mistakeText } from '../../shared/config/check.ts';
import { configJsonSchema } from '../../shared/config/shape.ts';
import { memoryHost } from '../cli/memory-host.ts';
import { root } from './sources.ts';

const read = (path: string) => readFileSync(`${root}${path}`, 'utf8');
const packages = z.record(z.string(), z.string()).default({});
const manifest = z
  .object({
    scripts: packages,
    dependencies: packages,
    devDependencies: packages,
    optionalDependencies: packages,
    bin: packages,
  })
  .parse(JSON.parse(read('package.json')));
const documents = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'DECISIONS.md', 'CHANGELOG.md', 'docs/audit.md'].map(
  (path) => ({
    path,
    text: read(path),
  }),
);

test('the published JSON Schema is the one of the code; else run npm run schema', () => {
  expect(JSON.parse(read('docs/lockkeeper.schema.json'))).toEqual(configJsonSchema());
});

describe.each(documents)('$path', ({ text }) => {
  test('names npm scripts that exist', () => {
    const named = [...text.matchAll(/\bnpm run ([a-z-]+)/g)].map(([, name]) => name);
    expect(Object.keys(manifest.scripts)).toEqual(expect.arrayContaining(named));
  });

  test('names verbs that exist, with options they have', async () => {
    const commands = [...text.matchAll(/`(?:npx )?lockkeeper ([a-z][^`\n]*)`/g)].map(([, words]) =>
      (words ?? '').split(/\s+/),
    );
    for (const words of commands) {
      const [verb = ''] = words;
      expect(verbs.map(([name]) => name)).toContain(verb);
      const help = await helpOf(words);
      for (const option of words.filter((word) => word.startsWith('--')))
        expect(`${help} --config --output --help`).toContain(option);
    }
  });

  test('names files and folders that exist', () => {
    const named = [...text.matchAll(/`((?:shared|functions|infra|test|docs|\.ci)(?:\/[\w.-]+)*)`/g)].map(
      ([, path]) => path ?? '',
    );
    const planned = new Set([
      'shared/secrets/acme-vault.ts',
      'test/secrets/acme-vault.test.ts',
      'shared/config/secret-stores/acme-vault.ts',
    ]);
    expect(named.filter((path) => !planned.has(path) && !existsSync(`${root}${path}`))).toEqual([]);
  });
});

/** What --help says of a verb, and of the verb below it where there is one. */
async function helpOf([verb = '', below = '']: readonly string[]): Promise<string> {
  const words = ['audit', 'config', 'review', 'secret'].includes(verb)
    ? [verb, ...(/^[a-z]+$/.test(below) ? [below] : [])]
    : [verb];
  const host = memoryHost([...words, '--help']);
  expect(await run(host)).toBe(0);
  return host.out();
}

test('the configuration in README.md is right', () => {
  const [, text = ''] = /```yaml\n([^]*?)```/.exec(read('README.md')) ?? [];
  expect(text).toContain('version: 1');
  expect(checkConfig(text, '/').mistakes.map((mistake) => mistakeText('README.md', mistake))).toEqual([]);
});

test('every dependency has its reason in CONTRIBUTING.md, and no other is named', () => {
  const { dependencies, devDependencies, optionalDependencies } = manifest;
  const there = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies });
  const table = read('CONTRIBUTING.md').split('| package | why |')[1] ?? '';
  const reasoned = [...table.matchAll(/^\| ([@a-z][\w@/.-]*) \| \S/gm)].map(([, name = '']) => name);
  expect(new Set(reasoned)).toEqual(new Set(there));
});

test('every dependency is pinned to one version', () => {
  const { dependencies, devDependencies, optionalDependencies } = manifest;
  const loose = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies }).filter(
    ([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version),
  );
  expect(loose).toEqual([]);
});

test('the two commands of README.md are there, each as one line', () => {
  expect(read('README.md')).toContain('```sh\nnpm ci && npm run demo\n```');
  expect(read('README.md')).toContain('```sh\nnpm ci && npm test\n```');
});
