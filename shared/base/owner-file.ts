import { link, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LockkeeperError } from './error.ts';
import type { World } from './world.ts';

/**
 * The text of a file that only its owner may read; undefined where there is no file. `denied` where group or others may
 * read or write it. Errors of the operating system come as they are.
 */
export async function readOwnerFile(path: string): Promise<string | undefined> {
  const file = await openIfThere(path);
  if (!file) return undefined;
  try {
    // Of the open file: another one may stand under this name a moment later.
    const { mode } = await file.stat();
    if ((mode & 0o077) === 0) return await file.readFile('utf8');
    throw new LockkeeperError('denied', `${path} can be read by others (mode ${(mode & 0o777).toString(8)})`, {
      hint: `Run: chmod 600 ${path}, and rotate what it protects.`,
    });
  } finally {
    await file.close();
  }
}

async function openIfThere(path: string) {
  try {
    return await open(path, 'r');
  } catch (thrown) {
    if (hasErrno(thrown, 'ENOENT')) return undefined;
    throw thrown;
  }
}

/**
 * Makes such a file where there is none, and leaves the one that is there; durable on return. Of several processes that
 * try at once one wins: the file appears complete, by link. A crash before that leaves a temporary file that nobody
 * reads.
 */
export async function createOwnerFile(path: string, text: string, world: World): Promise<void> {
  const temporary = `${path}.${Buffer.from(world.random(8)).toString('hex')}.new`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(temporary, path);
  } catch (thrown) {
    if (!hasErrno(thrown, 'EEXIST')) throw thrown;
  } finally {
    await unlink(temporary);
  }
  await syncDirectory(dirname(path));
}

/** Makes the names in a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Not instanceof: errors of Node itself come from another realm where code runs in a vm, as under jest. */
function hasErrno(thrown: unknown, name: string): boolean {
  return typeof thrown === 'object' && thrown !== null && 'code' in thrown && thrown.code === name;
}
