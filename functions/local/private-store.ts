import { constants } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrno } from '../../shared/base/errno.ts';
import { isTrusted, ownerDoubt, writersDoubt, type Owned } from '../../shared/base/ownership.ts';
import { ownFolder } from '../../shared/objects/file-place.ts';

/**
 * Sees to it that a store in `directory` is for this account alone. One that an earlier version made for others to read
 * too, as the umask had it, is closed: from its own folder's mode it is known, which is changed last, so that a crash is
 * finished by the next start. A directory that somebody else made is left as it is. Answers what people should know, as
 * sentences; nothing where all is well.
 */
export async function closeToOthers(directory: string): Promise<readonly string[]> {
  if (process.geteuid === undefined) return [];
  const top = await infoAt(directory);
  if (top === undefined) return [];
  const own = await infoAt(join(directory, ownFolder));
  const doubt = ownerDoubt(directory, top) ?? writersDoubt(directory, top);
  const doubts = doubt ? [`${doubt.path} ${doubt.why}: they can exchange what is in it. ${doubt.fix}`] : [];
  if (own !== undefined && isOpen(own) && isMine(own) && isMine(top)) {
    await closeAll(directory);
    return [...doubts, `${directory} could be read by others: an earlier version made it so. Its mode is 0700 now.`];
  }
  if (own !== undefined || doubt !== undefined || !isOpen(top)) return doubts;
  return [
    `${directory} was made by somebody else, and others can list it. If they should not, run: chmod 700 ${directory}`,
  ];
}

async function closeAll(directory: string): Promise<void> {
  await close(directory, 'folder');
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (entry.name === ownFolder) continue;
    if (entry.isDirectory() || entry.isFile())
      await close(join(directory, entry.name), entry.isFile() ? 'file' : 'folder');
  }
  await close(join(directory, ownFolder), 'folder');
}

/** By an open handle, never through a link: what is changed is what was looked at. */
async function close(path: string, kind: 'file' | 'folder'): Promise<void> {
  const only = kind === 'folder' ? constants.O_DIRECTORY : constants.O_NONBLOCK;
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | only);
  try {
    if (isMine(await handle.stat())) await handle.chmod(kind === 'folder' ? 0o700 : 0o600);
  } finally {
    await handle.close();
  }
}

function isOpen({ mode }: Owned): boolean {
  return (mode & 0o077) !== 0;
}

/** Root may change the mode of everything; of what belongs to another account it does not. */
function isMine({ uid }: Owned): boolean {
  return isTrusted(uid) && (process.geteuid?.() === 0 || uid !== 0);
}

async function infoAt(path: string): Promise<Owned | undefined> {
  try {
    return await stat(path);
  } catch (thrown) {
    if (hasErrno(thrown, 'ENOENT', 'ENOTDIR')) return undefined;
    throw thrown;
  }
}
