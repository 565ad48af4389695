import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import { exportLog } from '../../shared/audit/export/export.ts';
import type { ExportFolder } from '../../shared/audit/export/folder.ts';
import { tiledLog } from '../../shared/audit/export/tiled-log.ts';
import { verifyTiles } from '../../shared/audit/verify/verify.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { fileSystemObjects } from '../../shared/objects/file-system.ts';
import { Directories, exportTo, folderAt, listingOf } from './export-place.ts';
import { filled, grow } from './place.ts';

const directories = new Directories();
afterEach(() => directories.remove());

const formats = ['tiles', 'csv'] as const;

/**
 * An export that does something else before write number `at`, as if this process had slept there; tells whether it
 * came so far.
 */
function sleepingAt(folder: ExportFolder, at: number, meanwhile: () => Promise<unknown>) {
  let writes = 0;
  const step = async <T>(act: () => Promise<T>): Promise<T> => {
    writes += 1;
    if (writes === at) await meanwhile();
    return await act();
  };
  const sleeping: ExportFolder = {
    ...folder,
    begin: () => step(() => folder.begin()),
    put: (path, bytes) => step(() => folder.put(path, bytes)),
    remove: (path) => step(() => folder.remove(path)),
    draft: async () => {
      const draft = await step(() => folder.draft());
      return {
        ...draft,
        append: (text) => step(() => draft.append(text)),
        keep: (path) => step(() => draft.keep(path)),
        drop: () => draft.drop(),
      };
    },
    settle: () => step(() => folder.settle()),
    end: () => step(() => folder.end()),
  };
  return { sleeping, came: () => writes >= at };
}

describe('of two exports to one directory', () => {
  test('the later one stands, and the one that slept says so, wherever it slept', async () => {
    const at = await filled(250);
    const older = await tiledLog(at);
    await grow(at, 20);
    const whole = await directories.make();
    await exportTo(whole, at, formats);
    for (let write = 1, came = true; came; write += 1) {
      const out = await directories.make();
      let late: Promise<string> = Promise.resolve('done');
      const { sleeping, came: hasCome } = sleepingAt(
        folderAt(out),
        write,
        async () => await (late = codeOf(exportTo(out, at, formats))),
      );
      const code = await codeOf(exportLog({ tiles: older, log: at.log, folder: sleeping, formats }));
      // Others of its files fail while one of them sleeps, so it may be the first to say so.
      expect(await late).toBe('done');
      came = hasCome();
      if (!came) break;
      // Where its own checkpoint was there before, the later export went on from it.
      expect(['conflict', 'done']).toContain(code);
      expect(await listingOf(out)).toEqual(await listingOf(whole));
      expect(await verifyTiles({ store: fileSystemObjects({ directory: out }) })).toMatchObject({
        ok: true,
        size: 273,
      });
    }
  });
  test('that begin at once at most one goes on, the other says so, and running again finishes', async () => {
    const at = await filled(300, 100);
    const whole = await directories.make();
    await exportTo(whole, at, formats);
    for (let turn = 0; turn < 5; turn += 1) {
      const out = await directories.make();
      const codes = await Promise.all([codeOf(exportTo(out, at, formats)), codeOf(exportTo(out, at, formats))]);
      expect(codes).toContain('conflict');
      expect(await codeOf(exportTo(out, at, formats))).toBe('done');
      expect(await listingOf(out)).toEqual(await listingOf(whole));
    }
  });
});

test('an export to a directory that goes away says so, and not that the disk is broken', async () => {
  const at = await filled(300);
  const out = join(await directories.make(), 'out');
  const { sleeping } = sleepingAt(folderAt(out), 4, () => rename(out, `${out}-gone`));
  expect(await codeOf(exportLog({ tiles: await tiledLog(at), log: at.log, folder: sleeping, formats }))).toBe(
    'conflict',
  );
});

test('an export that fails tells why, and leaves nothing unfinished, though other files are still on their way', async () => {
  const at = await filled(3_000, 500);
  const out = await directories.make();
  const folder = folderAt(out);
  const full = new LockkeeperError('rejected', 'store full');
  const puts: Promise<void>[] = [];
  const failing: ExportFolder = {
    ...folder,
    put: async (path, bytes) => {
      if (path === 'tile/0/000') throw full;
      puts.push(folder.put(path, bytes));
      await puts.at(-1);
    },
  };
  const tiles = await tiledLog(at);
  const slow = {
    ...tiles,
    tile: async (path: string) => (await pause(path === 'tile/0/000' ? 0 : 20), await tiles.tile(path)),
  };
  await expect(exportLog({ tiles: slow, log: at.log, folder: failing, formats })).rejects.toBe(full);
  await pause(50);
  await Promise.allSettled(puts);
  expect(await readdir(out)).not.toContain('~unfinished');
});

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'done';
  } catch (thrown) {
    if (thrown instanceof LockkeeperError) return thrown.code;
    throw thrown;
  }
}
