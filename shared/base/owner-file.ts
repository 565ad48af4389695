import { constants } from 'node:fs';
import { link, open, unlink, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasErrno } from './errno.ts';
import { LockkeeperError } from './error.ts';
import { ownerDoubt, wayTo, writersDoubt, type Doubt, type Owned } from './ownership.ts';
import { createPrivateFile } from './private-files.ts';
import type { World } from './world.ts';

/**
 * The text of a file that only its owner may read, who is this account or root; undefined where there is no file.
 * `denied` where others may read or write it, own it, or could put another one in its place. Errors of the operating
 * system come as they are.
 */
export async function readOwnerFile(path: string): Promise<string | undefined> {
  return await readGuarded(path, 'owner');
}

/**
 * Who may read a file. `owner`: its owner alone. `group-of-root`: also the group of a file that root owns, which is how
 * Kubernetes gives secrets to an account. `anyone`: it is no secret.
 */
export type Readers = 'owner' | 'group-of-root' | 'anyone';

/** As readOwnerFile, for files that others may read. */
export async function readGuarded(path: string, readers: Readers): Promise<string | undefined> {
  const file = await openGuarded(path);
  if (!file) return undefined;
  try {
    // Of the open file: another one may stand under this name a moment later.
    refuseUnlessGuarded(path, await file.stat(), readers);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

function refuseUnlessGuarded(path: string, info: Owned, readers: Readers): void {
  refuse(path, ownerDoubt(path, info), readers);
  if (readers === 'anyone') refuse(path, writersDoubt(path, info), readers);
  else if (isOpenToOthers(info, readers))
    throw new LockkeeperError('denied', `${path} can be read by others (mode ${(info.mode & 0o777).toString(8)})`, {
      hint: `Run: chmod 600 ${path}, and rotate what it protects.`,
    });
}

/** Never waits for a writer, as of a FIFO. */
async function openGuarded(path: string): Promise<FileHandle | undefined> {
  try {
    const { real, doubt } = await wayTo(path);
    if (doubt) refuse(path, doubt, 'owner');
    return await open(real, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  } catch (thrown) {
    if (hasErrno(thrown, 'ENOENT')) return undefined;
    throw thrown;
  }
}

/** Writing is counted too. */
function isOpenToOthers({ mode, uid }: Owned, readers: Readers): boolean {
  if (process.geteuid === undefined) return false;
  const isShared = readers === 'group-of-root' && uid === 0 && process.geteuid() !== 0;
  return (mode & (isShared ? 0o037 : 0o077)) !== 0;
}

function refuse(path: string, doubt: Doubt | undefined, readers: Readers): void {
  if (doubt === undefined) return;
  const whose = doubt.path === path ? '' : `, which leads to ${path}`;
  const harm = readers === 'anyone' ? '' : ', and rotate what it protects if others may have had it';
  throw new LockkeeperError('denied', `${path} is not used: ${doubt.path}${whose} ${doubt.why}`, {
    hint: `${doubt.fix}${harm}.`,
  });
}

/**
 * Makes such a file where there is none, and leaves the one that is there; durable on return. Of several processes that
 * try at once one wins: the file appears complete, by link. A crash before that leaves a temporary file that nobody
 * reads.
 */
export async function createOwnerFile(path: string, text: string, world: World): Promise<void> {
  const temporary = `${path}.${Buffer.from(world.random(8)).toString('hex')}.new`;
  const file = await createPrivateFile(temporary);
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
