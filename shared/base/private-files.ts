import { chmod, lstat, mkdir, open, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasErrno } from './errno.ts';

/*
 * What lockkeeper writes is for its own account alone, whatever the umask: folders 0700, files 0600. The mode is there
 * before the content is. It also closes a file to the default ACL of its folder.
 */
const folderMode = 0o700;
const fileMode = 0o600;

/**
 * Makes `folder` and what is missing above it; what is there stays as it is. Answers the topmost folder that was made,
 * undefined where none was. Errors of the operating system come as they are.
 */
export async function makePrivateFolder(folder: string): Promise<string | undefined> {
  try {
    return (await makeOne(folder)) ? folder : undefined;
  } catch (thrown) {
    if (!hasErrno(thrown, 'ENOENT') || folder === dirname(folder)) throw thrown;
  }
  const above = await makePrivateFolder(dirname(folder));
  const isMade = await makeOne(folder);
  return above ?? (isMade ? folder : undefined);
}

/** Makes a folder that must not be there yet: EEXIST where it is. */
export async function makeEmptyFolder(folder: string): Promise<void> {
  await mkdir(folder, folderMode);
  // An umask may take rights from the owner too.
  if (((await lstat(folder)).mode & 0o777) !== folderMode) await chmod(folder, folderMode);
}

/** Creates a file that nobody else may open; EEXIST where there is one, a link included. The caller closes it. */
export async function createPrivateFile(path: string): Promise<FileHandle> {
  const file = await open(path, 'wx', fileMode);
  try {
    // An umask may take rights from the owner too.
    await file.chmod(fileMode);
    return file;
  } catch (thrown) {
    await file.close();
    throw thrown;
  }
}

/** How to write. */
export interface PrivateWrite {
  /** `create`: EEXIST where there is a file. `anew`: one that is there is thrown away first, and never written into. */
  readonly over: 'create' | 'anew';
  /** Durable on return, but for the name in its folder. */
  readonly sync?: boolean;
}

/** Writes a whole file that nobody else may open. */
export async function writePrivateFile(
  path: string,
  content: string | Uint8Array,
  { over, sync = false }: PrivateWrite,
): Promise<void> {
  if (over === 'anew') await rm(path, { force: true });
  const file = await createPrivateFile(path);
  try {
    await file.writeFile(content);
    if (sync) await file.sync();
  } finally {
    await file.close();
  }
}

/** True where it was made now. */
async function makeOne(folder: string): Promise<boolean> {
  try {
    await makeEmptyFolder(folder);
    return true;
  } catch (thrown) {
    if (hasErrno(thrown, 'EEXIST') && (await stat(folder)).isDirectory()) return false;
    throw thrown;
  }
}
