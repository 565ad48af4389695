import { link, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LockkeeperError } from '../base/error.ts';
import { longestObject, type CreateAnswer, type StoredObject } from './contract.ts';
import { isErrno } from './file-errors.ts';
import { noObject, oddKind } from './file-kind.ts';
import type { FilePlace } from './file-place.ts';
import { infoAt, readObject, syncFolder, writeFile } from './file-state.ts';

export interface NewFile {
  readonly key: string;
  readonly bytes: Uint8Array;
  /** Called once the object is there. */
  readonly landed: () => void;
}

/**
 * The store's `create`. Needs no turn: link(2) never replaces anything. The new file's time is set after its inode
 * exists: what was deleted before has an earlier time, what lives from now on has another inode.
 */
export async function createFile(place: FilePlace, { key, bytes, landed }: NewFile): Promise<CreateAnswer> {
  const path = place.pathOf(key);
  for (let tries = 0; tries < 10; tries += 1) {
    const there = await infoAt(path);
    if (there?.isDirectory() === true)
      throw new LockkeeperError('invalid', `create ${key}: it is a folder of other objects`);
    const kind = there && oddKind(there);
    if (kind !== undefined) throw noObject(path, kind);
    if (there && there.size !== BigInt(bytes.length)) return { outcome: 'exists' };
    // Somebody may replace it by a longer one right now: that is no less an answer.
    const held = there && (await readObject(path, longestObject));
    if (held) return await meet(path, held, bytes);
    const work = await place.workFolder();
    try {
      const made = await writeFile(join(work, 'new'), bytes, () => place.deletedNs(key));
      await place.makeFolder(dirname(path));
      if (!(await linked(join(work, 'new'), path))) {
        place.forgetFolders();
        continue;
      }
      landed();
      await syncFolder(dirname(path));
      return { outcome: 'done', version: made.version };
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
  throw new LockkeeperError('throttled', `create ${key}: others kept creating and deleting it`, {
    hint: 'Run it again.',
  });
}

/** Own bytes met again are a success, once they are durable: whoever wrote them may have died before that. */
async function meet(path: string, held: StoredObject, bytes: Uint8Array): Promise<CreateAnswer> {
  if (Buffer.compare(held.bytes, bytes) !== 0) return { outcome: 'exists' };
  await syncFolder(dirname(path));
  return { outcome: 'done', version: held.version };
}

/** False where the object is there by now, or one of the folders went away. */
async function linked(made: string, path: string): Promise<boolean> {
  try {
    await link(made, path);
    return true;
  } catch (thrown) {
    if (isErrno(thrown, 'EEXIST', 'ENOENT')) return false;
    throw thrown;
  }
}
