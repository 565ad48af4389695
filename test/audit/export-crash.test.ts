import { cp } from 'node:fs/promises';
import { afterEach, expect, test } from '@jest/globals';
import type { Draft, ExportFolder } from '../../shared/audit/export/folder.ts';
import { verifyTiles } from '../../shared/audit/verify/verify.ts';
import { fileSystemObjects } from '../../shared/objects/file-system.ts';
import { event, filled, runOn } from './place.ts';
import { contentsOf, Directories, exportTo, folderAt, listingOf } from './export-place.ts';

const directories = new Directories();
afterEach(() => directories.remove());

/**
 * The process dies at write number `at`: nothing of it and nothing after it happens. `dead` waits for what was under
 * way.
 */
function dyingAt(folder: ExportFolder, at: number): ExportFolder & { readonly dead: () => Promise<unknown> } {
  let writes = 0;
  const begun: Promise<unknown>[] = [];
  const step = async <T>(act: () => Promise<T>): Promise<T> => {
    writes += 1;
    if (writes > at) throw new Error('killed');
    const work = act();
    begun.push(work);
    return await work;
  };
  const dying = (draft: Draft): Draft => ({
    file: draft.file,
    append: (text) => step(() => draft.append(text)),
    keep: (path) => step(() => draft.keep(path)),
    drop: () => step(() => draft.drop()),
  });
  return {
    ...folder,
    put: (path, bytes) => step(() => folder.put(path, bytes)),
    remove: (path) => step(() => folder.remove(path)),
    draft: async () => dying(await step(() => folder.draft())),
    settle: () => step(() => folder.settle()),
    begin: () => step(() => folder.begin()),
    end: () => step(() => folder.end()),
    dead: () => Promise.all(begun),
  };
}

const formats = ['tiles', 'csv'] as const;

test('an export that dies at any write is no export or the earlier one until it is run again, and then as if it had never died', async () => {
  const at = await filled(3);
  const [none, early, whole] = [await directories.make(), await directories.make(), await directories.make()];
  await exportTo(early, at, formats);
  const log = runOn(at, 'second');
  for (let number = 0; number < 2; number += 1) await log.record(event(number));
  await log.end();
  await exportTo(whole, at, formats);
  const expected = await listingOf(whole);
  for (const begun of [none, early]) {
    for (let write = 0, isDone = false; !isDone; write += 1) {
      const out = await directories.make();
      await cp(begun, out, { recursive: true });
      const folder = dyingAt(folderAt(out), write);
      isDone = await ended(exportTo(out, at, formats, folder));
      await folder.dead();
      const isExport = (await contentsOf(out)).has('checkpoint');
      expect(!isExport || (await verifyTiles({ store: fileSystemObjects({ directory: out }) })).ok).toBe(true);
      await exportTo(out, at, formats);
      expect(await listingOf(out)).toEqual(expected);
    }
  }
});

async function ended(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (thrown) {
    if (thrown instanceof Error && thrown.message === 'killed') return false;
    throw thrown;
  }
}
