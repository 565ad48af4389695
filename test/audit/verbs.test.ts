import { cp, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { auditShowVerb, auditVerifyVerb, type AuditShowOptions } from '../../functions/cli/audit.ts';
import { auditRooms } from '../../functions/cli/audit-wire.ts';
import type { Terminal } from '../../functions/cli/io.ts';
import { entryKey } from '../../shared/audit/layout.ts';
import { auditLog } from '../../shared/audit/log.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { fileSystemObjects } from '../../shared/objects/file-system.ts';
import { proveConditions } from '../../shared/objects/self-test.ts';
import { testWorld } from '../world.ts';
import { event } from './place.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockkeeper-audit-verbs-'));
  const stores = { log: fileSystemObjects({ directory: join(directory, 'log') }), state: fileSystemObjects({ directory: join(directory, 'state') }) };
  const world = testWorld();
  await proveConditions(stores.log, { world, writes: 'create-only' });
  const log = auditLog({ ...stores, world, run: 'run' });
  await log.record(event(0));
  world.pass(60_000);
  await log.record(event(1, { stage: 'outcome', result: 'done' }));
  await log.record(event(2, { action: 'closure.apply', subject: { kind: 'opening', id: 'sgr-1' }, actor: 'anna', details: { why: 'quiet\u001B[31m for \u202Edays\n' } }));
  await log.flush();
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

const rooms = auditRooms(async () => await Promise.reject(new LockkeeperError('not-found', 'no configuration')));

function screen(json: boolean): { readonly terminal: Terminal; readonly lines: string[] } {
  const lines: string[] = [];
  return { lines, terminal: { out: (line) => lines.push(line), err: () => {}, json, signal: new AbortController().signal } };
}

async function verified(dir: string, json = false) {
  const { terminal, lines } = screen(json);
  const code = await auditVerifyVerb({ dir }, rooms, terminal);
  return { code, lines };
}

async function shown(options: AuditShowOptions, json = false) {
  const { terminal, lines } = screen(json);
  const code = await auditShowVerb({ dir: directory, ...options }, rooms, terminal);
  return { code, lines };
}

describe('audit verify', () => {
  test('says that nothing was changed, and exits 0', async () => {
    expect(await verified(directory)).toEqual({ code: 0, lines: [`${join(directory, 'log')}: 3 entries, none changed, none cut off`] });
    expect(await verified(join(directory, 'log'))).toEqual({ code: 0, lines: [`${join(directory, 'log')}: 3 entries, none changed, none cut off`] });
  });
  test('names the entry that was changed, and exits 1', async () => {
    const path = join(directory, 'log', entryKey(1));
    await writeFile(path, (await readFile(path, 'utf8')).replace('lockkeeper', 'lockkeepes'));
    const { code, lines } = await verified(directory);
    expect(code).toBe(1);
    expect(lines[0]).toBe(`${entryKey(1)} (entry 1) was changed: its hash does not fit its content`);
    expect(lines[1]).toContain('one thing was changed');
  });
  test('prints one object as JSON', async () => {
    const { code, lines } = await verified(directory, true);
    expect(code).toBe(0);
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual([{ entries: 3, ok: true, findings: [], covered: 3 }]);
    await rm(join(directory, 'log', entryKey(2)));
    const cut = await verified(directory, true);
    expect(cut.code).toBe(1);
    expect(JSON.parse(cut.lines[0] ?? '')).toMatchObject({ entries: 2, ok: false, findings: [{ key: entryKey(2), index: 2, kind: 'cut-off' }], covered: 3 });
  });
  test('works on a copy of the log alone, and says what it cannot tell then', async () => {
    const copy = join(directory, 'elsewhere', 'evidence');
    await cp(join(directory, 'log'), copy, { recursive: true });
    const { code, lines } = await verified(copy);
    expect(code).toBe(0);
    expect(lines[0]).toContain('3 entries, none changed; whether any were cut off the end cannot be told');
  });
  test('finds a log emptied, and a head taken away', async () => {
    await rename(join(directory, 'log', 'entries'), join(directory, 'kept'));
    expect((await verified(directory)).lines[0]).toContain('is cut off: the head knows of 3 entries, the log has 0');
    await rename(join(directory, 'kept'), join(directory, 'log', 'entries'));
    await rm(join(directory, 'state', 'audit'), { recursive: true });
    expect((await verified(directory)).lines[0]).toContain('is gone from the state store');
  });
  test('changes nothing in what it reads', async () => {
    const seen = async () => {
      const paths = await readdir(directory, { recursive: true });
      return await Promise.all(paths.toSorted().map(async (path) => [path, (await stat(join(directory, path))).mtimeMs]));
    };
    const before = await seen();
    await verified(directory);
    await shown({});
    expect(await seen()).toEqual(before);
  });
  test.each([['not/there'], ['']])('a directory without a log is an error with a hint (%j)', async (path) => {
    const elsewhere = await mkdtemp(join(tmpdir(), 'lockkeeper-audit-none-'));
    await expect(verified(join(elsewhere, path))).rejects.toMatchObject({ code: 'not-found', hint: expect.any(String) });
    await rm(elsewhere, { recursive: true });
  });
  test('without --dir the configuration says where', async () => {
    await expect(rooms.stores({})).rejects.toMatchObject({ message: 'no configuration' });
    const file = join(directory, 'lockkeeper.yaml');
    await writeFile(file, 'version: 1\nstores:\n  state: { kind: file-system, path: state }\n  log: { kind: file-system, path: log }\n');
    const { terminal, lines } = screen(false);
    expect(await auditVerifyVerb({}, auditRooms(async () => file), terminal)).toBe(0);
    expect(lines[0]).toContain('3 entries, none changed, none cut off');
  });
});

describe('audit show', () => {
  test('prints a line an entry, and nothing that steers a terminal', async () => {
    const { code, lines } = await shown({});
    expect(code).toBe(0);
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(/^0 +2026-10-01T00:00:00Z +rotation\.set +intent +credential orders-db +lockkeeper +number=0$/);
    expect(lines[2]).toContain(String.raw`why=quiet\x1b[31m for \u{202e}days\x0a`);
  });
  test.each<[AuditShowOptions, readonly number[]]>([
    [{ service: 'orders-db' }, [0, 1]],
    [{ opening: 'sgr-1' }, [2]],
    [{ actor: 'anna' }, [2]],
    [{ actor: 'ann' }, []],
    [{ action: 'rotation' }, [0, 1]],
    [{ action: 'closure.apply' }, [2]],
    [{ action: 'rot' }, []],
    [{ since: '2026-10-01T00:00:30Z' }, [1, 2]],
    [{ until: '2026-10-01T00:01:00Z' }, [0]],
    [{ since: '2026-10-01T00:00:30Z', service: 'orders-db' }, [1]],
  ])('%j shows entries %j', async (options, expected) => {
    const { lines } = await shown(options, true);
    const indexes = lines.map((line): unknown => JSON.parse(line)).map((entry) => (typeof entry === 'object' && entry !== null && 'index' in entry ? entry.index : entry));
    expect(indexes).toEqual(expected);
  });
  test('JSON lines hold the whole entry', async () => {
    const { lines } = await shown({ actor: 'anna' }, true);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ index: 2, n: 2, at: '2026-10-01T00:01:00Z', action: 'closure.apply', subject: { kind: 'opening', id: 'sgr-1' }, details: { why: 'quiet\u001B[31m for \u202Edays\n' } });
  });
  test('a time that is none is an error, before anything is printed', async () => {
    await expect(shown({ since: 'yesterday' })).rejects.toMatchObject({ code: 'invalid' });
  });
  test('an entry that was changed ends it with an error that names it', async () => {
    const path = join(directory, 'log', entryKey(1));
    await writeFile(path, 'x');
    await expect(shown({})).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining(entryKey(1)), hint: expect.stringContaining('audit verify') });
  });
});
