import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { auditShowVerb, type AuditShowOptions } from '../../functions/cli/audit-show.ts';
import { auditDeps } from '../../functions/cli/audit-wire.ts';
import type { Terminal } from '../../functions/cli/io.ts';
import { auditLog } from '../../shared/audit/log.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { fileSystemObjects } from '../../shared/objects/file-system.ts';
import { proveConditions } from '../../shared/objects/self-test.ts';
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
