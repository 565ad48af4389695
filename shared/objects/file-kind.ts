import type { BigIntStats, Dirent } from 'node:fs';
import { LockkeeperError } from '../base/error.ts';

/** What is where an object or a folder of objects might be, for people; undefined for a plain file or a folder. */
export function oddKind(
  info: Pick<
    Dirent | BigIntStats,
    'isSymbolicLink' | 'isFIFO' | 'isSocket' | 'isCharacterDevice' | 'isBlockDevice' | 'isFile' | 'isDirectory'
  >,
): string | undefined {
  if (info.isFile() || info.isDirectory()) return undefined;
  if (info.isSymbolicLink()) return 'a symbolic link';
  if (info.isFIFO()) return 'a FIFO';
  if (info.isSocket()) return 'a socket';
  return info.isCharacterDevice() || info.isBlockDevice() ? 'a device' : 'no plain file';
}

/** Something else than a file lies where an object should, or would be made. `path` is for people. */
export function noObject(path: string, kind: string): LockkeeperError {
  return new LockkeeperError('conflict', `${path} is ${kind}, and no object`, {
    hint: 'lockkeeper did not put it there: find out who did, and remove it. `lockkeeper audit verify` names all of them.',
  });
}
