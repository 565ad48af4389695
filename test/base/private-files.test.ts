import { chmod, chown, lstat, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readGuarded, readOwnerFile } from '../../shared/base/owner-file.ts';
import { isWritableByOthers, wayTo } from '../../shared/base/ownership.ts';
import { makeEmptyFolder, makePrivateFolder, writePrivateFile } from '../../shared/base/private-files.ts';
import { closeToOthers } from '../../functions/local/private-store.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockkeeper-private-'));
});
afterEach(() => rm(directory, { recursive: true }));

const modeOf = async (path: string): Promise<string> => ((await lstat(path)).mode & 0o7777).toString(8);

describe('what lockkeeper writes', () => {
  test('tells the topmost folder that it made, and leaves those that were there', async () => {
    await chmod(directory, 0o755);
    expect(await makePrivateFolder(join(directory, 'a/b/c'))).toBe(join(directory, 'a'));
    expect(await makePrivateFolder(join(directory, 'a/b/c'))).toBeUndefined();
    expect(await Promise.all(['', 'a', 'a/b', 'a/b/c'].map((name) => modeOf(join(directory, name))))).toEqual([
      '755',
      '700',
      '700',
      '700',
    ]);
    await expect(makeEmptyFolder(join(directory, 'a'))).rejects.toMatchObject({ code: 'EEXIST' });
  });

  test('of many that make one folder at once none fails', async () => {
    const path = join(directory, 'x/y/z');
    const made = await Promise.all(Array.from({ length: 20 }, () => makePrivateFolder(path)));
    expect(made.filter((first) => first === join(directory, 'x')).length).toBeGreaterThanOrEqual(1);
  });

  test('a file in the place of a folder is an error', async () => {
    await writePrivateFile(join(directory, 'f'), 'x', { over: 'create' });
    await expect(makePrivateFolder(join(directory, 'f'))).rejects.toMatchObject({ code: 'EEXIST' });
    await expect(makePrivateFolder(join(directory, 'f/g'))).rejects.toMatchObject({ code: 'ENOTDIR' });
  });

  test('a left-over is thrown away and never written into, be it open to all or a link', async () => {
    const [path, elsewhere] = [join(directory, 'f'), join(directory, 'elsewhere')];
    await writeFile(elsewhere, 'untouched');
    await symlink(elsewhere, path);
    await expect(writePrivateFile(path, 'x', { over: 'create' })).rejects.toMatchObject({ code: 'EEXIST' });
    await writePrivateFile(path, 'new', { over: 'anew', sync: true });
    expect([await readFile(path, 'utf8'), await readFile(elsewhere, 'utf8'), await modeOf(path)]).toEqual([
      'new',
      'untouched',
      '600',
    ]);
  });
});

describe('a guarded file', () => {
  test('is read where it is this account’s, whatever links of this account lead to it; a missing one is none', async () => {
    await writePrivateFile(join(directory, 'key'), 'text', { over: 'create' });
    await symlink('key', join(directory, 'link'));
    expect(await readOwnerFile(join(directory, 'link'))).toBe('text');
    expect(await readOwnerFile(join(directory, 'none'))).toBeUndefined();
    expect(await wayTo(join(directory, 'link'))).toEqual({ real: join(directory, 'key'), doubt: undefined });
  });

  test('that all may read is none, unless it is no secret; links in a circle end', async () => {
    await writeFile(join(directory, 'ca.pem'), 'text');
    await chmod(join(directory, 'ca.pem'), 0o644);
    expect(await readGuarded(join(directory, 'ca.pem'), 'anyone')).toBe('text');
    await expect(readOwnerFile(join(directory, 'ca.pem'))).rejects.toMatchObject({
      code: 'denied',
      message: expect.stringContaining('mode 644'),
    });
    await symlink('b', join(directory, 'a'));
    await symlink('a', join(directory, 'b'));
    await expect(readOwnerFile(join(directory, 'a'))).rejects.toMatchObject({ code: 'ELOOP' });
  });

  test('a group that others are in counts as others', () => {
    expect(isWritableByOthers({ uid: 0, gid: 4_000_000, mode: 0o100664 })).toBe(true);
    expect(isWritableByOthers({ uid: 0, gid: 4_000_000, mode: 0o100644 })).toBe(false);
    expect(isWritableByOthers({ uid: 0, gid: 0, mode: 0o100646 })).toBe(true);
  });
});

describe('a store that lies in a directory', () => {
  test('nothing is said of one that is not there, or is closed', async () => {
    expect(await closeToOthers(join(directory, 'none'))).toEqual([]);
    expect(await closeToOthers(directory)).toEqual([]);
  });

  test('of an earlier version is closed once, its own folder last', async () => {
    await mkdir(join(directory, '~lockkeeper/turns'), { recursive: true });
    await mkdir(join(directory, 'closing'));
    await writeFile(join(directory, 'checkpoint'), 'x');
    for (const name of ['', '~lockkeeper', 'closing', 'checkpoint']) await chmod(join(directory, name), 0o755);
    expect(await closeToOthers(directory)).toEqual([expect.stringContaining('Its mode is 0700 now')]);
    expect(
      await Promise.all(['', '~lockkeeper', 'closing', 'checkpoint'].map((one) => modeOf(join(directory, one)))),
    ).toEqual(['700', '700', '700', '600']);
    expect(await closeToOthers(directory)).toEqual([]);
  });

  test('and was made by a person stays as it is, and the person is told what others can do', async () => {
    await chmod(directory, 0o755);
    expect(await closeToOthers(directory)).toEqual([expect.stringContaining(`chmod 700 ${directory}`)]);
    await mkdir(join(directory, '~lockkeeper'), { mode: 0o700 });
    expect(await closeToOthers(directory)).toEqual([]);
    await chmod(directory, 0o777);
    expect(await closeToOthers(directory)).toEqual([expect.stringContaining('can be written by everybody')]);
    expect(await modeOf(directory)).toBe('777');
    if (process.geteuid?.() !== 0) return;
    await chown(directory, 65_534, 65_534);
    expect(await closeToOthers(directory)).toEqual([expect.stringContaining('belongs to account 65534')]);
  });
});
