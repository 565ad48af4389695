import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { run } from '../../functions/cli/main.ts';
import { verbs } from '../../functions/cli/help.ts';
import { example } from '../config/example.ts';
import { memoryHost } from './memory-host.ts';

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockkeeper-cli-'));
  await writeFile(join(directory, 'lockkeeper.yaml'), example);
  await writeFile(
    join(directory, 'broken.yaml'),
    example.replace('cloud: aws', 'cloud: asw').replace('port: 8080', 'prot: 8080'),
  );
});
afterAll(() => rm(directory, { recursive: true }));

/** Runs one command line in the directory of the example. */
async function lockkeeper(...words: readonly string[]) {
  const host = memoryHost(words, {}, directory);
  const code = await run(host);
  return { code, out: host.out(), err: host.err() };
}

describe('help', () => {
  test('names every verb and examples, on stdout, with 0', async () => {
    const { code, out, err } = await lockkeeper('--help');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    for (const [name, about] of verbs) {
      expect(out).toContain(`\n  ${name} `);
      expect(out.replaceAll(/\s+/g, ' ')).toContain(about);
    }
    expect(out).toContain('Examples:');
  });

  test('is the same text, however it is asked for', async () => {
    const { out } = await lockkeeper('--help');
    for (const words of [['-h'], ['--no-color', '--help'], ['--output', 'json', '-h']]) {
      expect(await lockkeeper(...words)).toEqual({ code: 0, out, err: '' });
    }
    expect((await lockkeeper()).err).toBe(out);
  });

  test.each(verbs.map(([name, about]) => ({ name, about })))(
    'of $name says what it does and takes',
    async ({ name, about }) => {
      const { code, out } = await lockkeeper(name, '--help');
      expect(code).toBe(0);
      expect(out).toContain(`Usage: lockkeeper ${name}`);
      expect(out.replaceAll(/\s+/g, ' ')).toContain(about);
    },
  );

  test('without any word is shown on stderr, with 1', async () => {
    const { code, out, err } = await lockkeeper();
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain('Usage: lockkeeper');
  });
});

describe('words that make no sense end with 1 and a suggestion', () => {
  test.each([
    [['rotat'], "unknown command 'rotat'", 'rotate'],
    [['audit', 'verifi'], "unknown command 'verifi'", 'verify'],
    [['rotate', '--rehears'], "unknown option '--rehears'", '--rehearse'],
    [['scan', '--snapshto', 'x'], "unknown option '--snapshto'", '--snapshot'],
    [['--output', 'xml', 'scan'], "argument 'xml' is invalid", 'json'],
    [['approve'], "missing required argument 'hash'", '--help'],
    [['config', 'check', 'surplus'], 'too many arguments', '--help'],
    [['scan', '--window', '3d'], '--as-of and --window belong to --snapshot', '--snapshot DIR'],
  ])('%j', async (words, what, hint) => {
    const text = await lockkeeper(...words);
    expect(text).toMatchObject({ code: 1, out: '' });
    expect(text.err).toContain(what);
    expect(text.err).toContain(hint);
  });

  test('as one JSON object with --output json', async () => {
    const { code, out, err } = await lockkeeper('rotat', '--output', 'json');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(JSON.parse(err)).toEqual({
      error: {
        code: 'invalid',
        message: "unknown command 'rotat' (Did you mean rotate?)",
        why: [],
        hint: expect.any(String),
      },
    });
  });
});

describe('config check', () => {
  test('finds the nearest file, and says what it holds', async () => {
    const { code, out, err } = await lockkeeper('config', 'check');
    expect({ code, out }).toEqual({ code: 0, out: '' });
    expect(err).toBe(`${directory}/lockkeeper.yaml is right: 2 services (1 with a credential), 1 networks.\n`);
  });

  test('lists every mistake with its line, and ends with 1', async () => {
    const { code, out } = await lockkeeper('config', 'check', '--config', 'broken.yaml');
    expect(code).toBe(1);
    expect(out.trim().split('\n')).toEqual([
      expect.stringMatching(/broken\.yaml:9:12 networks\.<name 1>\.cloud is not one of/),
      expect.stringMatching(/broken\.yaml:36:5 services\[1\]\.port is missing/),
      expect.stringMatching(/broken\.yaml:36:50 services\[1\]\.<name 4> is not a key .* Did you mean "port"\?/),
    ]);
  });

  test('as JSON gives the same with line and column', async () => {
    const { code, out } = await lockkeeper('--output', 'json', 'config', 'check', '--config', 'broken.yaml');
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      ok: false,
      mistakes: [{ line: 9, column: 12 }, { path: 'services[1].port' }, { path: 'services[1].<name 4>' }],
    });
  });
});

describe('a verb that fails', () => {
  test('says what happened, what to do and the code, on stderr', async () => {
    const { code, out, err } = await lockkeeper('rotate', '--all', '--config', 'nowhere.yaml');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain(`lockkeeper: there is no configuration at ${directory}/nowhere.yaml\n`);
    expect(err).toContain('  why:  ENOENT: no such file or directory');
    expect(err).toContain('  do:   Check the path given by --config');
    expect(err).toMatch(/ {2}code: not-found\n$/);
  });

  test('says the same as one JSON object', async () => {
    const { err } = await lockkeeper('rotate', '--all', '--config', 'nowhere.yaml', '--output', 'json');
    expect(JSON.parse(err)).toMatchObject({
      error: { code: 'not-found', hint: expect.stringContaining('--config'), why: [expect.stringContaining('ENOENT')] },
    });
  });
});
