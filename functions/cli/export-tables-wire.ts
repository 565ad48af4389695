import { mkdtemp, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TablesPlace } from '../../shared/audit/export/check-export.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { fileError } from '../../shared/objects/file-errors.ts';
import { noObject, oddKind } from '../../shared/objects/file-kind.ts';
import { opened } from '../../shared/objects/file-state.ts';
import { fileSystemObjects } from '../../shared/objects/file-system.ts';
import { exportFolder } from './export-folder.ts';

/**
 * Compares the tables of an export in `directory` with those that are made again in a directory of its own, which
 * `remove` deletes. Both are read in pieces: memory does not grow with them.
 */
export async function tablesPlace(directory: string): Promise<TablesPlace & { remove(): Promise<void> }> {
  const made = await mkdtemp(join(tmpdir(), 'lockkeeper-verify-'));
  return {
    scratch: exportFolder(made, fileSystemObjects({ directory: made })),
    async firstDifference(path) {
      const [theirs, ours] = [await plainFile(join(directory, path)), await plainFile(join(made, path))];
      try {
        return await differenceOf(theirs, ours);
      } catch (thrown) {
        throw fileError(thrown, `read ${path}`, false);
      } finally {
        await theirs.close();
        await ours.close();
      }
    },
    linesBefore: (path, byte) => linesIn(join(made, path), byte),
    remove: () => rm(made, { recursive: true, force: true }),
  };
}

async function plainFile(path: string): Promise<FileHandle> {
  let file;
  try {
    file = await opened(path);
  } catch (thrown) {
    throw fileError(thrown, `read ${path}`, false);
  }
  if (!file) throw new LockkeeperError('conflict', `${path} went away while it was read`);
  const info = await file.stat({ bigint: true });
  if (info.isFile()) return file;
  await file.close();
  throw noObject(path, oddKind(info) ?? 'a folder');
}

const pieceBytes = 1_048_576;

/** No more is read than the derived file has, and a byte. */
async function differenceOf(theirs: FileHandle, ours: FileHandle): Promise<number | undefined> {
  for (let at = 0; ; at += pieceBytes) {
    const [a, b] = await Promise.all([pieceAt(theirs, at), pieceAt(ours, at)]);
    const length = Math.min(a.length, b.length);
    if (a.length !== b.length || Buffer.compare(a, b) !== 0) {
      const first = a.findIndex((byte, i) => i >= length || byte !== b[i]);
      return at + (first < 0 ? length : first);
    }
    if (a.length < pieceBytes) return undefined;
  }
}

async function pieceAt(file: FileHandle, from: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(pieceBytes);
  let length = 0;
  while (length < pieceBytes) {
    const { bytesRead } = await file.read(bytes, length, pieceBytes - length, from + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return bytes.subarray(0, length);
}

const [quote, newline] = [0x22, 0x0a];

/** Line ends of a CSV file; those between quotes are none. */
async function linesIn(path: string, byte: number): Promise<number> {
  const file = await plainFile(path);
  try {
    let [lines, isQuoted] = [0, false];
    for (let at = 0; at < byte; at += pieceBytes) {
      for (const one of (await pieceAt(file, at)).subarray(0, byte - at)) {
        if (one === quote) isQuoted = !isQuoted;
        else if (one === newline && !isQuoted) lines += 1;
      }
    }
    return lines;
  } finally {
    await file.close();
  }
}
