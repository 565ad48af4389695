import { exec } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { run } from '../../functions/cli/main.ts';
import { execVariables } from '../../functions/cli/secret-exec.ts';
import { secretImportVerb } from '../../functions/cli/secret-import.ts';
import { secretCredentials } from '../../functions/cli/secret-wire.ts';
import { remindAll } from '../../functions/local/jobs.ts';
import { localDeps } from '../../functions/local/deps-wire.ts';
import { dayOf, day, instant } from '../../shared/base/time.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import { systemWorld } from '../../shared/base/world.ts';
import { loadConfig } from '../../shared/config/load.ts';
import { memoryHost } from './memory-host.ts';

const command = fileURLToPath(new URL('../../functions/cli/lockkeeper.js', import.meta.url));
const key = 'key-of-the-partner-0123456789';
const world = systemWorld();
let directory = '';

/** Today and so many days, as a date. */
const inDays = (days: number) => dayOf(instant(world.now() + days * day));

async function configure(end: string, secrets = '{ store: vault, name: partner, form: plain }'): Promise<void> {
  const text = `version: 1
stores: { state: { kind: file-system, path: state }, log: { kind: file-system, path: log } }
secrets: { vault: { kind: local-file, path: vault, keyFile: vault.key } }
networks: { office: { cloud: aws } }
services:
  - name: partner-api
    owner: olga
    network: office
    port: 443
    credential: { engine: manual, secrets: [${secrets}], ${end}, renew: ask ben }
`;
  await writeFile(join(directory, 'lockkeeper.yaml'), text, { mode: 0o600 });
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockkeeper-manual-'));
  await mkdir(join(directory, 'bin'));
  const shell = `#!/bin/sh\nexec '${process.execPath}' '${command}' "$@"\n`;
  await writeFile(join(directory, 'bin', 'lockkeeper'), shell, { mode: 0o700 });
});
afterAll(() => rm(directory, { recursive: true }));

/** One command line in this process, as the command runs it. */
async function lockkeeper(...words: readonly string[]) {
  const host = memoryHost(words, {}, directory);
  return { code: await run(host), out: host.out(), err: host.err() };
}

/** A line that was printed, in a shell, as somebody types it who reads it; `input` is what it reads. */
async function typed(line: string, input: string): Promise<string> {
  const env = { ...process.env, PATH: `${join(directory, 'bin')}:${process.env['PATH'] ?? ''}` };
  return await new Promise((resolve, reject) => {
    const child = exec(line, { cwd: directory, env, timeout: 30_000 }, (error, stdout) => {
      if (error) reject(new Error(error.message, { cause: error }));
      else resolve(stdout);
    });
    child.stdin?.end(input);
  });
}

/** What the verbs of secret get for the present configuration. */
async function withCredentials<T>(
  work: (all: Awaited<ReturnType<typeof secretCredentials>>) => Promise<T>,
): Promise<T> {
  const loaded = await loadConfig(join(directory, 'lockkeeper.yaml'));
  const deps = localDeps({ loaded, world, environment: {}, run: 'test' });
  try {
    return await work(await secretCredentials(deps, terminal()));
  } finally {
    await deps.close();
  }
}

function terminal(lines: string[] = []) {
  const signal = new AbortController().signal;
  return { json: false, signal, out: (line: string) => void lines.push(line), err: () => undefined };
}

async function renewed(text: string, user?: string): Promise<string> {
  const lines: string[] = [];
  await withCredentials((credentials) =>
    secretImportVerb(
      'partner-api',
      user === undefined ? {} : { user },
      { credentials, input: async () => new Sealed(text) },
      terminal(lines),
    ),
  );
  return lines.join('\n');
}

describe('a credential that people renew', () => {
  test('is empty at first, and the command that is printed fills it', async () => {
    await configure(`expires: ${inDays(100)}`);
    const { code, out } = await lockkeeper('rotate', 'partner-api');
    expect({ code, out }).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^partner-api: expires .*; renew: ask ben\n  vault\/partner holds nothing/),
    });
    const [line = ''] = /lockkeeper secret import .*/.exec(out) ?? [];
    expect(await typed(line, `${key}\n`)).toBe(
      'partner-api: the new value is now in vault/partner. Nobody has tried it.\n',
    );
    expect(await lockkeeper('rotate', 'partner-api')).toMatchObject({
      code: 0,
      out: `partner-api: expires ${inDays(100)}, in 100 days; renew: ask ben\n`,
    });
  });

  test('is part of --all, and of its JSON', async () => {
    expect(await lockkeeper('rotate', '--all')).toMatchObject({ code: 0, out: expect.stringContaining('in 100 days') });
    for (const choice of [['--all'], ['--owner', 'olga']])
      expect(await lockkeeper('rotate', ...choice, '--now')).toMatchObject({ code: 0 });
    const { out } = await lockkeeper('rotate', '--all', '--rehearse', '--output', 'json');
    expect(JSON.parse(out)).toMatchObject({ rotations: [{ credential: 'partner-api', outcome: 'in-time', told: 0 }] });
  });

  test.each([[['--now']], [['--now', '--leaked', '--reason', 'seen']], [['--rehearse']], [['--adopt']]])(
    'cannot be rotated with %j: what to do instead is said',
    async (words) => {
      const { code, err } = await lockkeeper('rotate', 'partner-api', ...words);
      expect({ code, err }).toMatchObject({
        code: 1,
        err: expect.stringMatching(/nothing but people can change it[\s\S]*ask ben[\s\S]*secret import partner-api/),
      });
    },
  );

  test('is listed, printed whole or by field, and given to a command under its own name; the log says to whom', async () => {
    expect(await lockkeeper('secret', 'list')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/partner-api +vault\/partner +plain +partner-api/),
    });
    expect(await lockkeeper('secret', 'get', 'partner-api')).toMatchObject({ code: 0, out: `${key}\n` });
    expect(await lockkeeper('secret', 'get', 'partner-api', '--field', 'password')).toMatchObject({ out: `${key}\n` });
    expect(await lockkeeper('secret', 'get', 'partner-api', '--field', 'host')).toMatchObject({
      code: 1,
      err: expect.stringContaining('it has no host'),
    });
    const given = await withCredentials((all) =>
      execVariables({ name: 'partner-api', command: ['curl'] }, all, terminal()),
    );
    expect([...given].map(([name, value]) => [name, value?.open()])).toEqual([['PARTNER_API', key]]);
  });

  test('is renewed over what was there; the same value again changes nothing', async () => {
    expect(await renewed('second-key-0123456789')).toMatch(/new value is now in vault\/partner/);
    expect(await renewed('second-key-0123456789')).toMatch(/hands out this value already/);
    expect(await lockkeeper('secret', 'get', 'partner-api')).toMatchObject({ out: 'second-key-0123456789\n' });
  });

  test('is reminded of, and once it is expired the exit code is 1; serve does the same, and neither tells twice', async () => {
    await configure(`expires: ${inDays(3)}`);
    expect(await lockkeeper('rotate', '--all')).toMatchObject({
      code: 0,
      err: expect.stringMatching(/^warning: partner-api expires/),
    });
    expect(await lockkeeper('rotate', '--all')).toMatchObject({ code: 0, err: '' });
    await configure(`expires: ${inDays(-3)}`);
    const told: string[] = [];
    const loaded = await loadConfig(join(directory, 'lockkeeper.yaml'));
    const deps = localDeps({ loaded, world, environment: {}, run: 'test' });
    const { done, problems } = await remindAll(deps, async ({ text }) => void told.push(text));
    await deps.close();
    expect({ done, problems }).toMatchObject({
      done: [{ name: 'partner-api', report: { outcome: 'expired' } }],
      problems: [],
    });
    expect(told).toEqual([expect.stringMatching(/expired .*, 2 days ago/)]);
    expect(await lockkeeper('rotate', 'partner-api')).toMatchObject({ code: 1, err: '' });
  });

  test('keeps the rest of a JSON text, and takes a whole one with any members', async () => {
    await configure('lifetime: 90d', '{ store: vault, name: more }, { store: vault, name: bare, form: plain }');
    await expect(renewed('only-a-value-0123456789')).rejects.toThrow('needs the whole text');
    await renewed('{"username":"us","password":"one-0123456789","region":"eu"}', undefined);
    await renewed('two-0123456789');
    expect(await lockkeeper('secret', 'get', 'partner-api')).toMatchObject({
      out: '{"username":"us","password":"two-0123456789","region":"eu"}\n',
    });
    expect(await lockkeeper('rotate', 'partner-api')).toMatchObject({ code: 0 });
    await configure('lifetime: 90d', '{ store: vault, name: more }');
    await renewed('{"apiKey":"three-0123456789"}');
    expect(await lockkeeper('secret', 'get', 'partner-api')).toMatchObject({ out: '{"apiKey":"three-0123456789"}\n' });
    expect(await lockkeeper('secret', 'get', 'partner-api', '--field', 'password')).toMatchObject({
      code: 1,
      err: expect.stringContaining('names no password'),
    });
  });

  test('leaves no value in the state store and in the log', async () => {
    for (const store of ['state', 'log']) {
      const files = await readdir(join(directory, store), { recursive: true, withFileTypes: true });
      const texts = files
        .filter((file) => file.isFile())
        .map((file) => readFile(join(file.parentPath, file.name), 'utf8'));
      for (const text of await Promise.all(texts)) expect(text).not.toMatch(/(key|one|two|three)[\w-]*-0123456789/);
      expect(texts.length).toBeGreaterThan(0);
    }
  });
});
