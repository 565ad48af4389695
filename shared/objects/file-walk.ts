import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dirent } from 'node:fs';
import type { ObjectInfo } from './contract.ts';
import { isErrno } from './file-errors.ts';
import { ownFolder } from './file-place.ts';
import { infoAt } from './file-state.ts';

interface Range {
  readonly prefix: string;
  readonly after: string;
}

/**
 * The files below `directory` whose path begins with `prefix` and comes after `after`, in the order of their paths'
 * UTF-8 bytes. Reads only folders that can hold such a path. A file whose name no key could have is listed too, so that
 * an auditor sees it; the store's own folder is not.
 */
export async function* walkFiles(directory: string, range: Range, folder = ''): AsyncGenerator<ObjectInfo> {
  const keys = (await keysIn(directory, folder)).filter((key) =>
    key.endsWith('/') ? mayHold(key, range) : key.startsWith(range.prefix) && inOrder(key, range.after) > 0,
  );
  for (let at = 0; at < keys.length; at += atOnce) {
    const group = keys.slice(at, at + atOnce);
    const infos = await Promise.all(
      group.map(async (key) => (key.endsWith('/') ? undefined : await infoAt(join(directory, key)))),
    );
    for (const [index, key] of group.entries()) {
      const info = infos[index];
      if (key.endsWith('/')) yield* walkFiles(directory, range, key);
      else if (info) yield { key, size: Number(info.size) };
    }
  }
}

/** So many files are looked at together: one after the other takes longer than the reading of small ones. */
const atOnce = 32;

function mayHold(folder: string, { prefix, after }: Range): boolean {
  const hasPrefix = folder.startsWith(prefix) || prefix.startsWith(folder);
  return hasPrefix && (inOrder(folder, after) > 0 || after.startsWith(folder));
}

/**
 * Names of one folder as keys, folders with "/" at their end, so that "a.b" sorts before "a/b" as it does in a bucket.
 */
async function keysIn(directory: string, folder: string): Promise<readonly string[]> {
  const names = await namesIn(join(directory, folder));
  return names
    .filter((entry) => folder !== '' || entry.name !== ownFolder)
    .map((entry) => `${folder}${entry.name}${entry.isDirectory() ? '/' : ''}`)
    .toSorted(inOrder);
}

async function namesIn(path: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT')) return [];
    throw thrown;
  }
}

function inOrder(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
