import { lstat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { isErrno } from './file-errors.ts';
import { noObject, oddKind } from './file-kind.ts';

/**
 * `conflict` unless each part of `folder` below `directory` is a folder or is not there yet. A link among them would
 * have files made, renamed and swept somewhere else, with the rights of whoever runs lockkeeper.
 */
export async function expectOwnFolders(directory: string, folder: string): Promise<void> {
  let path = directory;
  for (const part of relative(directory, folder).split(sep)) {
    if (part === '') continue;
    path = join(path, part);
    const kind = await kindAt(path);
    if (kind === 'absent') return;
    if (kind !== undefined) throw noObject(path, kind);
  }
}

async function kindAt(path: string): Promise<string | undefined> {
  try {
    return oddKind(await lstat(path));
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT', 'ENOTDIR')) return 'absent';
    throw thrown;
  }
}
