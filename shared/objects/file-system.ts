import { resolve } from 'node:path';
import { systemWorld, type World } from '../base/world.ts';
import { type ObjectInfo, type ObjectStore, type SizeLimit, longestObject } from './contract.ts';
import { FileChange } from './file-change.ts';
import { createFile } from './file-create.ts';
import { fileError } from './file-errors.ts';
import { FilePlace } from './file-place.ts';
import { readObject } from './file-state.ts';
import { FileTurns } from './file-turns.ts';
import { walkFiles } from './file-walk.ts';

export interface FileSystemOptions {
  /** Made on the first write. On a local disk: several processes may share it, several machines may not. */
  readonly directory: string;
  readonly world?: World;
  /** How many bytes an object may have; a longer one is `conflict`. Far more than any has if it is left out. */
  readonly mostBytes?: SizeLimit | undefined;
}

/**
 * Objects as plain files of one directory, so that anybody reads it with any tool. Durable on return. An object cannot
 * be the folder of another one (`invalid`). What others put there is never followed, waited for or read without end:
 * a link, a FIFO, a socket, a device or a file longer than `mostBytes` under a key is `conflict`, which names it, and
 * `list` tells what it is.
 *
 * A version is the file's inode and modification time. Every write is a new file; replace and delete take turns (see
 * FileTurns) and give each state of a key a later time than all before it, deleted ones included. Two writes with one
 * version cannot be: created files that lived at the same time differ by inode, all others by time.
 *
 * Killed at any point:
 *
 *     create   before link     the object is absent, work is left over        replace  before rename   old bytes, work left over
 *              after link      it is there; the same create answers done               after rename    new bytes
 *     delete   before rename   it is there; its tombstone only moves times    any      holding a turn  taken away after 2 s
 *              after rename    it is gone
 *
 * After a power loss: an acknowledged write is there, an unacknowledged one is there whole or not at all.
 */
export function fileSystemObjects({
  directory,
  world = systemWorld(),
  mostBytes = () => longestObject,
}: FileSystemOptions): ObjectStore {
  const place = new FilePlace(resolve(directory), world);
  const turns = new FileTurns(place);
  return {
    get: (key) => attempt(`get ${key}`, () => readObject(place.pathOf(key), mostBytes(key))),
    create: (key, bytes) => attempt(`create ${key}`, (landed) => createFile(place, { key, bytes, landed })),
    replace: (key, bytes, held) =>
      attempt(`replace ${key}`, (landed) => new FileChange(place, turns, { key, held, landed }).replace(bytes)),
    delete: (key, held) =>
      attempt(`delete ${key}`, (landed) => new FileChange(place, turns, { key, held, landed }).delete()),
    list: (prefix, after = '') => listed(place, prefix, after),
  };
}

async function attempt<T>(tried: string, act: (landed: () => void) => Promise<T>): Promise<T> {
  let written = false;
  try {
    return await act(() => {
      written = true;
    });
  } catch (thrown) {
    throw fileError(thrown, tried, written);
  }
}

async function* listed(place: FilePlace, prefix: string, after: string): AsyncGenerator<ObjectInfo> {
  try {
    yield* walkFiles(place.directory, { prefix, after });
  } catch (thrown) {
    throw fileError(thrown, `list ${prefix}`, false);
  }
}
