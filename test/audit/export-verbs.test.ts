import { mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { exportDeps } from '../../functions/cli/audit-export-wire.ts';
import { tilesOf } from '../../functions/cli/audit.ts';
import { run } from '../../functions/cli/main.ts';
import { exportLog } from '../../shared/audit/export/export.ts';
import { auditLog, type RunLog } from '../../shared/audit/log.ts';
import { fileSystemObjects } from '../../shared/objects/file-system.ts';
import { createKey, readKey } from '../../shared/secrets/key-file.ts';
import { keyFileSigner } from '../../shared/signers/key-file.ts';
import { memoryHost } from '../cli/memory-host.ts';
import { testWorld } from '../world.ts';
import { event } from './place.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockkeeper-export-verbs-'));
  await configure('');
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

const inside = (...path: readonly string[]) => join(directory, ...path);

async function configure(more: string): Promise<void> {
  const stores = 'stores:\n  state: { kind: file-system, path: state }\n  log: { kind: file-system, path: log }\n';
  await writeFile(
    inside('lockkeeper.yaml'),
    `version: 1\n${stores}audit:\n  origin: lockkeeper.test/log\n  key: { kind: file, path: audit.key }\n${more}`,
  );
}

function logOf(name: string): RunLog {
  const world = testWorld(undefined, name);
  const stores = {
    log: fileSystemObjects({ directory: inside('log') }),
    state: fileSystemObjects({ directory: inside('state') }),
  };
  return auditLog({
    ...stores,
    world,
    run: name,
    origin: 'lockkeeper.test/log',
    writerKey: async () => (await readKey(inside('writer.key'))) ?? (await createKey(inside('writer.key'), world)),
    signer: keyFileSigner({ path: inside('audit.key'), world }),
  });
}

async function lockkeeper(...words: readonly string[]) {
  const host = memoryHost(['--config', inside('lockkeeper.yaml'), ...words], {}, directory);
  const code = await run(host);
  return { code, out: host.out(), err: host.err() };
}

describe('audit seal', () => {
  test('puts what waits into the tree, and changes nothing where nothing waits', async () => {
    expect(await lockkeeper('audit', 'seal')).toMatchObject({ code: 0, out: 'nothing was logged yet\n' });
    await logOf('run').record(event(1));
    const sealed = await lockkeeper('audit', 'seal');
    expect(sealed).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^2 entries sealed, root [0-9a-f]{64}\n$/),
      err: '',
    });
    expect(await lockkeeper('audit', 'seal')).toEqual(sealed);
    expect(JSON.parse((await lockkeeper('audit', 'seal', '--output', 'json')).out)).toMatchObject({
      size: 2,
      root: expect.any(String),
      problems: [],
      refused: [],
    });
  });
  test('ends with 1 where an anchor did not take the checkpoint, or an object of the inbox was refused', async () => {
    await logOf('run').record(event(1));
    await writeFile(inside('file'), '');
    await configure(`  anchors: [{ kind: file-system, path: file/below }]\n`);
    expect(await lockkeeper('audit', 'seal')).toMatchObject({
      code: 1,
      out: expect.stringContaining('2 entries sealed'),
      err: expect.stringContaining(`anchor ${inside('file/below')}`),
    });
    await configure('');
    await fileSystemObjects({ directory: inside('log') }).create(
      'inbox/2100-01-01/stranger.1/00000000',
      Buffer.from('x'),
    );
    expect(await lockkeeper('audit', 'seal')).toMatchObject({
      code: 1,
      err: expect.stringContaining('inbox/2100-01-01/stranger.1/00000000 stays outside'),
    });
  });
});

describe('audit export', () => {
  test('says what was written and by whom it is signed, and what waits', async () => {
    const log = logOf('run');
    await log.record(event(1));
    await log.end();
    await log.record(event(2));
    const { code, out, err } = await lockkeeper('audit', 'export', inside('out'));
    expect(code).toBe(0);
    expect(out.split('\n')).toEqual([
      `${inside('out')}: 3 entries of lockkeeper.test/log, verified against the checkpoint`,
      'holds checkpoint, log.vkey, tile/, entries.csv, ocsf/',
      expect.stringMatching(
        /^signed by lockkeeper\.test\/log\+[0-9a-f]{8}\+\S+, a key that came with the log: compare it with the one you were given$/,
      ),
      '',
    ]);
    expect(err).toBe('2 more entries wait for a place in the tree: run `lockkeeper audit seal`, and export again.\n');
    expect((await readdir(inside('out'))).toSorted()).toEqual([
      'checkpoint',
      'entries.csv',
      'log.vkey',
      'ocsf',
      'tile',
    ]);
    expect(await lockkeeper('audit', 'verify', '--dir', inside('out'))).toMatchObject({
      code: 0,
      out: expect.stringContaining('3 entries, none changed, all 3 that were signed'),
    });
    expect(await lockkeeper('audit', 'show', '--dir', inside('out'), '--action', 'rotation')).toMatchObject({
      code: 0,
      out: expect.stringContaining('number=1'),
    });
    await lockkeeper('audit', 'seal');
    expect((await lockkeeper('audit', 'export', inside('out'))).out).toContain(
      '5 entries of lockkeeper.test/log, 2 of them new',
    );
    expect(JSON.parse((await lockkeeper('audit', 'export', inside('out'), '--output', 'json')).out)).toMatchObject({
      size: 5,
      earlier: 5,
      waiting: 0,
      origin: 'lockkeeper.test/log',
      files: expect.any(Array),
    });
  });
  test('takes one format, and refuses one that it does not know', async () => {
    await logOf('run').record(event(1));
    await lockkeeper('audit', 'seal');
    expect((await lockkeeper('audit', 'export', inside('out'), '--format', 'csv')).code).toBe(0);
    expect((await readdir(inside('out'))).toSorted()).toEqual(['entries.csv', 'log.vkey']);
    expect(await lockkeeper('audit', 'export', inside('other'), '--format', 'xlsx')).toMatchObject({
      code: 1,
      err: expect.stringContaining('tiles, parquet, csv or all'),
    });
    expect(await readdir(directory)).not.toContain('other');
  });
  test.each(['log', 'log/below', 'link/below', 'state/below', 'state-link/below', 'lockkeeper.yaml', '.'])(
    'writes nothing to %s',
    async (out) => {
      await logOf('run').record(event(1));
      await lockkeeper('audit', 'seal');
      await symlink(inside('log/inbox'), inside('link'));
      await symlink('state', inside('state-link'));
      const before = (await readdir(directory, { recursive: true })).toSorted();
      expect(await lockkeeper('audit', 'export', inside(out))).toMatchObject({
        code: 1,
        out: '',
        err: expect.stringContaining('nothing is exported to'),
      });
      expect((await readdir(directory, { recursive: true })).toSorted()).toEqual(before);
    },
  );
  test.each(['begin', 'draft', 'settle'] as const)(
    'ends at Ctrl-C, even while it reads what it wrote, and finishes when it is run again (%s)',
    async (step) => {
      const log = logOf('run');
      await Promise.all(Array.from({ length: 300 }, (_, number) => log.record(event(number))));
      await log.end();
      const stop = new AbortController();
      const deps = exportDeps(async () => inside('lockkeeper.yaml'), stop.signal);
      const stores = await deps.stores({});
      const [tiles, folder] = [await tilesOf(stores, undefined), await deps.folder(inside('out'), stores)];
      const pressed =
        <T>(act: () => Promise<T>) =>
        async () => (stop.abort(new Error('stopped')), await act());
      const stopped = { ...folder, [step]: pressed<unknown>(() => folder[step]()) };
      await expect(exportLog({ tiles, log: stores.log, folder: stopped, formats: ['tiles', 'csv'] })).rejects.toThrow(
        'stopped',
      );
      expect(await readdir(inside('out'))).not.toContain('~unfinished');
      expect((await lockkeeper('audit', 'export', inside('out'))).code).toBe(0);
      expect((await lockkeeper('audit', 'verify', '--dir', inside('out'))).code).toBe(0);
    },
  );
  test('goes beside a log that is itself behind a link, and to a name that begins with two dots', async () => {
    await logOf('run').record(event(1));
    await lockkeeper('audit', 'seal');
    await rename(inside('log'), inside('elsewhere'));
    await symlink('elsewhere', inside('log'));
    expect(await lockkeeper('audit', 'export', inside('elsewhere/below'))).toMatchObject({
      code: 1,
      err: expect.stringContaining('within the log itself'),
    });
    expect(await lockkeeper('audit', 'export', inside('log/..out'))).toMatchObject({
      code: 1,
      err: expect.stringContaining('within the log itself'),
    });
    expect(await lockkeeper('audit', 'export', inside('..out'))).toMatchObject({ code: 0 });
  });
});

describe('audit prove and audit check', () => {
  test('work from the command line, and never write over a file', async () => {
    await logOf('run').record(event(1));
    await lockkeeper('audit', 'seal');
    const [proof, entry] = [inside('one.tlog-proof'), inside('one.json')];
    expect(await lockkeeper('audit', 'prove', '1', '--out', proof, '--entry', entry)).toMatchObject({
      code: 0,
      out: `${proof}: entry 1 is in lockkeeper.test/log as of 2 entries\n`,
    });
    const key = (await readFile(inside('log', 'log.vkey'), 'utf8')).trimEnd();
    expect(await lockkeeper('audit', 'check', '--key', key, proof, '--entry', entry)).toMatchObject({
      code: 0,
      out: expect.stringContaining('proven: this is entry 1'),
    });
    expect(await lockkeeper('audit', 'check', proof, '--entry', entry)).toMatchObject({
      code: 1,
      err: expect.stringContaining('log.vkey'),
    });
    expect(await lockkeeper('audit', 'prove', '0', '--out', inside('zero'), '--entry', entry)).toMatchObject({
      code: 1,
      err: expect.stringContaining('another file is there'),
    });
    expect(await lockkeeper('audit', 'check', inside('nowhere'), '--entry', entry, '--key', key)).toMatchObject({
      code: 1,
      err: expect.stringContaining('there is no file'),
    });
    await configure(`  verifyWith: ${key}\n`);
    expect(await lockkeeper('audit', 'check', proof, '--entry', entry)).toMatchObject({ code: 0 });
  });
});
