import { cp, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { auditShowVerb, type AuditShowOptions } from '../../functions/cli/audit-show.ts';
import { auditVerifyVerb, type AuditVerifyOptions } from '../../functions/cli/audit-verify.ts';
import { auditDeps } from '../../functions/cli/audit-wire.ts';
import { run } from '../../functions/cli/main.ts';
import type { Terminal } from '../../functions/cli/io.ts';
import { checkpointKey, sequenceKey } from '../../shared/audit/layout.ts';
import { auditLog } from '../../shared/audit/log.ts';
import { verifierKey } from '../../shared/audit/tlog/note.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { fileSystemObjects } from '../../shared/objects/file-system.ts';
import { proveConditions } from '../../shared/objects/self-test.ts';
import { memorySigner } from '../../shared/signers/memory.ts';
import { memoryHost } from '../cli/memory-host.ts';
import { testWorld } from '../world.ts';
import { event, identity, writer } from './place.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockkeeper-audit-verbs-'));
  const stores = {
    log: fileSystemObjects({ directory: join(directory, 'log') }),
    state: fileSystemObjects({ directory: join(directory, 'state') }),
  };
  const world = testWorld();
  await proveConditions(stores.log, { world, writes: 'create-only' });
  const log = auditLog({ ...stores, ...identity, world, run: 'run' });
  await log.record(event(0));
  world.pass(60_000);
  await log.record(event(1, { stage: 'outcome', result: 'done' }));
  await log.record(
    event(2, {
      action: 'closure.apply',
      subject: { kind: 'opening', id: 'sgr-1' },
      actor: 'anna',
      details: { why: 'quiet\u001B[31m for \u202Edays\n' },
    }),
  );
  await log.end();
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

const deps = auditDeps(async () => await Promise.reject(new LockkeeperError('not-found', 'no configuration')));

function screen(json: boolean): { readonly terminal: Terminal; readonly lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    terminal: { out: (line) => lines.push(line), err: () => {}, json, signal: new AbortController().signal },
  };
}

async function verified(dir: string, json = false, options: AuditVerifyOptions = {}) {
  const { terminal, lines } = screen(json);
  const code = await auditVerifyVerb({ dir, ...options }, deps, terminal);
  return { code, lines };
}

/** Files of the log store below a folder, in order. */
async function filesIn(folder: string): Promise<readonly string[]> {
  const found = await readdir(join(directory, 'log', folder), { recursive: true, withFileTypes: true });
  return found
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name))
    .toSorted();
}

async function shown(options: AuditShowOptions, json = false) {
  const { terminal, lines } = screen(json);
  const code = await auditShowVerb({ dir: directory, ...options }, deps, terminal);
  return { code, lines };
}

describe('audit verify', () => {
  const signed =
    'signed up to entry 4 by lockkeeper.test/log+01ad0a18, a key that came with the log: compare it with the one you were given';
  test('says that nothing was changed, who signed it, and exits 0', async () => {
    const lines = [`${join(directory, 'log')}: 5 entries, none changed, none cut off`, signed];
    expect(await verified(directory)).toEqual({ code: 0, lines });
    expect(await verified(join(directory, 'log'))).toEqual({ code: 0, lines });
  });
  test('names the object that was changed, and exits 1', async () => {
    const [, path = ''] = await filesIn('inbox');
    await writeFile(path, (await readFile(path, 'utf8')).replace('lockkeeper', 'lockkeepes'));
    const { code, lines } = await verified(directory);
    expect(code).toBe(1);
    expect(lines).toEqual([
      `${path.slice(join(directory, 'log').length + 1)} (entry 2) was changed: it is not what got its place`,
      expect.stringContaining('5 entries, one thing was changed'),
    ]);
  });
  test('prints one object as JSON', async () => {
    const { code, lines } = await verified(directory, true);
    expect(code).toBe(0);
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
      expect.objectContaining({
        entries: 5,
        size: 5,
        ok: true,
        findings: [],
        found: 0,
        waiting: { batches: 0 },
        runs: { began: 1, open: 0 },
      }),
    ]);
    await rm(join(directory, 'log', sequenceKey(0)));
    const cut = await verified(directory, true);
    expect(cut.code).toBe(1);
    expect(JSON.parse(cut.lines[0] ?? '')).toMatchObject({
      ok: false,
      findings: [{ key: sequenceKey(0), index: 0, kind: 'cut-off' }],
    });
  });
  test('works on a copy of the log alone, and says what it cannot tell then', async () => {
    const copy = join(directory, 'elsewhere', 'evidence');
    await cp(join(directory, 'log'), copy, { recursive: true });
    const { code, lines } = await verified(copy);
    expect(code).toBe(0);
    expect(lines[0]).toContain('5 entries, none changed; whether any were cut off the end cannot be told');
  });
  test('reads the whole log, whatever lies beside it under the name that plain tiles have their checkpoint', async () => {
    await cp(join(directory, 'log', checkpointKey(5)), join(directory, 'log', 'checkpoint'));
    const copy = join(directory, 'elsewhere');
    await cp(join(directory, 'log'), copy, { recursive: true });
    for (const dir of [directory, copy])
      expect(await verified(dir)).toMatchObject({
        code: 1,
        lines: ['checkpoint is no object of the log', expect.stringContaining('5 entries, one thing was changed')],
      });
    for (const folder of ['inbox', 'seq']) await rm(join(directory, 'log', folder), { recursive: true });
    expect((await verified(directory)).lines.join('\n')).toContain(
      '5 entries were signed, and only 0 have their place',
    );
  });
  test('says that it cannot tell whether the end is there where the published checkpoint is gone', async () => {
    await rm(join(directory, 'state', 'audit', 'checkpoint'));
    const { code, lines } = await verified(directory);
    expect(code).toBe(0);
    expect(lines[0]).toContain('the state store knows of no published checkpoint');
  });
  test('finds a log emptied, by what the state store knows', async () => {
    for (const folder of ['inbox', 'seq', 'cp']) await rename(join(directory, 'log', folder), join(directory, folder));
    const { code, lines } = await verified(directory);
    expect(code).toBe(1);
    expect(lines.join('\n')).toContain('5 entries were signed, and only 0 have their place');
  });
  test('goes on from a checkpoint that was saved, and refuses one of another log', async () => {
    const saved = join(directory, 'saved');
    await cp(join(directory, 'log', checkpointKey(5)), saved);
    expect(await verified(directory, false, { since: saved })).toMatchObject({ code: 0 });
    await writeFile(saved, (await readFile(saved, 'utf8')).replace('\n5\n', '\n6\n'));
    await expect(verified(directory, false, { since: saved })).rejects.toMatchObject({
      code: 'invalid',
      hint: expect.any(String),
    });
    await expect(verified(directory, false, { since: join(directory, 'nowhere') })).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('nowhere'),
    });
  });
  test('believes the key that it is given, and no other', async () => {
    const key = (await readFile(join(directory, 'log', 'log.vkey'), 'utf8')).trimEnd();
    expect((await verified(directory, false, { key })).lines[1]).toBe(`signed up to entry 4 by ${key}`);
    const other = verifierKey(identity.origin, await memorySigner(new Uint8Array(32)).publicKey());
    const { code, lines } = await verified(directory, false, { key: other });
    expect(code).toBe(1);
    expect(lines.join('\n')).toContain('log.vkey is another key than the one given');
  });
  test('changes nothing in what it reads', async () => {
    const seen = async () => {
      const paths = await readdir(directory, { recursive: true });
      return await Promise.all(
        paths.toSorted().map(async (path) => [path, (await stat(join(directory, path))).mtimeMs]),
      );
    };
    const before = await seen();
    await verified(directory);
    await shown({});
    expect(await seen()).toEqual(before);
  });
  test.each([['not/there'], ['']])('a directory without a log is an error with a hint (%j)', async (path) => {
    const elsewhere = await mkdtemp(join(tmpdir(), 'lockkeeper-audit-none-'));
    await expect(verified(join(elsewhere, path))).rejects.toMatchObject({
      code: 'not-found',
      hint: expect.any(String),
    });
    await rm(elsewhere, { recursive: true });
  });
  test('without --dir the configuration says where', async () => {
    await expect(deps.stores({})).rejects.toMatchObject({ message: 'no configuration' });
    const file = join(directory, 'lockkeeper.yaml');
    await writeFile(
      file,
      'version: 1\nstores:\n  state: { kind: file-system, path: state }\n  log: { kind: file-system, path: log }\n',
    );
    const { terminal, lines } = screen(false);
    expect(
      await auditVerifyVerb(
        {},
        auditDeps(async () => file),
        terminal,
      ),
    ).toBe(0);
    expect(lines[0]).toContain('5 entries, none changed, none cut off');
  });
});

describe('Ctrl-C', () => {
  test.each([['verify'], ['show'], ['prove', '1'], ['export', 'out']])(
    'ends audit %s at its next read, with 130 and no word of an error',
    async (...words) => {
      const host = memoryHost(
        ['audit', ...words.map((word) => (word === 'out' ? join(directory, word) : word)), '--dir', directory],
        {},
        directory,
      );
      const ended = run(host);
      while (host.listeners() === 0) await setImmediate();
      host.signal('SIGINT');
      expect(await ended).toBe(130);
      expect([host.out(), host.err()]).toEqual(['', '']);
    },
  );
  test('stops whatever reads the log, wherever it is', async () => {
    const stop = new AbortController();
    const { log, state } = await auditDeps(async () => '', stop.signal).stores({ dir: directory });
    const reading = log.list('')[Symbol.asyncIterator]();
    await reading.next();
    stop.abort();
    await expect(reading.next()).rejects.toBe(stop.signal.reason);
    await expect(log.get('log.vkey')).rejects.toBe(stop.signal.reason);
    await expect(state?.get('audit/checkpoint')).rejects.toBe(stop.signal.reason);
  });
});

describe('audit show', () => {
  test('prints a table, a line an entry, and nothing that steers a terminal', async () => {
    const {
      code,
      lines: [head, ...lines],
    } = await shown({});
    expect(code).toBe(0);
    expect(head).toMatch(/^entry +time +action +result +subject +by +details$/);
    expect(lines).toHaveLength(5);
    const columns = ['rotation.set', 'run.end', 'closure.apply'].map((action) =>
      lines.find((line) => line.includes(action))?.indexOf(action),
    );
    expect(new Set(columns)).toEqual(new Set([head?.indexOf('action')]));
    expect(lines[1]).toMatch(
      /^1 +2026-10-01T00:00:00Z +rotation\.set +intent +credential orders-db +lockkeeper +number=0$/,
    );
    expect(lines[3]).toContain(String.raw`why=quiet\u001b[31m for \u202edays\u000a`);
  });
  test.each<[AuditShowOptions, readonly number[]]>([
    [{ service: 'orders-db' }, [1, 2]],
    [{ opening: 'sgr-1' }, [3]],
    [{ person: 'anna' }, [3]],
    [{ person: 'ann' }, []],
    [{ action: 'rotation' }, [1, 2]],
    [{ action: 'closure.apply' }, [3]],
    [{ action: 'rot' }, []],
    [{ action: 'run' }, [0, 4]],
    [{ since: '2026-10-01T00:00:30Z' }, [2, 3, 4]],
    [{ until: '2026-10-01T00:01:00Z' }, [0, 1]],
    [{ since: '2026-10-01T00:00:30Z', service: 'orders-db' }, [2]],
    [{ run: 'run.' }, [0, 1, 2, 3, 4]],
    [{ run: 'other' }, []],
    [{ correlation: 'r-1' }, [1, 2, 3]],
  ])('%j shows entries %j', async (options, expected) => {
    const { lines } = await shown(options, true);
    const indexes = lines
      .map((line): unknown => JSON.parse(line))
      .map((entry) => (typeof entry === 'object' && entry !== null && 'index' in entry ? entry.index : entry));
    expect(indexes).toEqual(expected);
  });
  test('JSON lines hold the whole entry', async () => {
    const { lines } = await shown({ person: 'anna' }, true);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      index: 3,
      n: 3,
      at: '2026-10-01T00:01:00Z',
      action: 'closure.apply',
      subject: { kind: 'opening', id: 'sgr-1' },
      details: { why: 'quiet\u001B[31m for \u202Edays\n' },
    });
  });
  test('shows what waits for its place last, as waiting', async () => {
    const stores = {
      log: fileSystemObjects({ directory: join(directory, 'log') }),
      state: fileSystemObjects({ directory: join(directory, 'state') }),
    };
    await auditLog({ ...stores, ...identity, world: testWorld(undefined, 'later'), run: 'later' }).record(event(9));
    const writerKey = join(directory, 'writer.key');
    await writeFile(writerKey, Buffer.from(writer.key).toString('hex'), { mode: 0o600 });
    const firstWords = async (options: AuditShowOptions) =>
      (await shown(options)).lines.slice(1).map((line) => line.split(' ')[0]);
    expect(await firstWords({ run: 'later', writerKey })).toEqual(['waits', 'waits']);
    expect(await firstWords({ run: 'later' })).toEqual(['unproven', 'unproven']);
    expect((await shown({ run: 'later' }, true)).lines.map((line): unknown => JSON.parse(line))).toEqual([
      expect.not.objectContaining({ index: expect.anything() }),
      expect.objectContaining({ run: expect.stringContaining('later') }),
    ]);
  });
  test('says so where no entry fits', async () => {
    expect(await shown({ person: 'nobody' })).toMatchObject({ code: 0, lines: [] });
  });
  test('a time that is none is an error, before anything is printed', async () => {
    await expect(shown({ since: 'yesterday' })).rejects.toMatchObject({ code: 'invalid' });
  });
  test('an object that was changed ends it with an error that names it', async () => {
    const [, path = ''] = await filesIn('inbox');
    await writeFile(path, 'x');
    await expect(shown({})).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(path.slice(join(directory, 'log').length + 1)),
      hint: expect.stringContaining('audit verify'),
    });
  });
});
