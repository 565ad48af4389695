import { link, open, readFile, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LockkeeperError } from '../base/error.ts';
import type { World } from '../base/world.ts';
import { isErrno } from './file-lock.ts';

/**
 * The key in `path`: 32 bytes as 64 hex digits, readable by its owner only. `denied` where others may read it, `invalid`
 * where it is no key, undefined where there is no file.
 */
export async function readKey(path: string): Promise<Uint8Array | undefined> {
  let text: string;
  try {
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0) {
      throw new LockkeeperError('denied', `${path} can be read by others (mode ${(mode & 0o777).toString(8)})`, { hint: `Run: chmod 600 ${path}, and rotate what it protects.` });
    }
    text = await readFile(path, 'utf8');
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT')) return undefined;
    throw thrown;
  }
  if (/^[0-9a-f]{64}\n?$/.test(text)) return Buffer.from(text.trim(), 'hex');
  throw new LockkeeperError('invalid', `${path} holds no key of 64 hex digits`, { hint: 'Restore the key file from a backup.' });
}

/**
 * Makes a key where there is none, durable on return. Of two processes that try at once one wins, and both use its key: the
 * file appears complete, by link. A crash before that leaves a temporary file that nobody reads.
 */
export async function createKey(path: string, world: World): Promise<Uint8Array> {
  const temporary = `${path}.${Buffer.from(world.random(8)).toString('hex')}.new`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(`${Buffer.from(world.random(32)).toString('hex')}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(temporary, path);
  } catch (thrown) {
    if (!isErrno(thrown, 'EEXIST')) throw thrown;
  } finally {
    await unlink(temporary);
  }
  await syncDirectory(dirname(path));
  const key = await readKey(path);
  if (key) return key;
  throw new LockkeeperError('not-found', `${path} was removed while it was made`, { hint: 'Try again.' });
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
