import { constants, type BigIntStats } from 'node:fs';
import { lstat, open, type FileHandle } from 'node:fs/promises';
import { LockkeeperError } from '../base/error.ts';
import { createPrivateFile } from '../base/private-files.ts';
import type { ObjectVersion, StoredObject } from './contract.ts';
import { isErrno } from './file-errors.ts';
import { noObject, oddKind } from './file-kind.ts';
import { expectSize } from './size-limit.ts';

/** Which write of an object is stored: no two writes of one key share it. */
export interface FileState {
  readonly version: ObjectVersion;
  readonly modifiedNs: bigint;
}

/** Follows no link, waits for nobody who would open the other end, and makes no terminal its own. */
const readOnly = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

/**
 * Bytes and version of one and the same file: no writer ever changes a file that has a key. Undefined: no object.
 * `conflict` where something else than a file lies there, or one of more than `most` bytes.
 */
export async function readObject(path: string, most: number): Promise<StoredObject | undefined> {
  const file = await opened(path);
  if (!file) return undefined;
  try {
    const info = await file.stat({ bigint: true });
    if (info.isDirectory()) return undefined;
    const kind = oddKind(info);
    if (kind !== undefined) throw noObject(path, kind);
    expectSize(`read ${path}`, Number(info.size), most);
    return { bytes: await readWhole(file, Number(info.size)), version: stateOf(info).version };
  } finally {
    await file.close();
  }
}

/**
 * Opens what should be a plain file, to be read; undefined where nothing is. `conflict` for a link, a socket or a
 * device; that it is no FIFO and no folder is for the caller to see.
 */
export async function opened(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, readOnly);
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT', 'ENOTDIR')) return undefined;
    if (isErrno(thrown, 'ELOOP', 'EMLINK')) throw noObject(path, 'a symbolic link');
    if (isErrno(thrown, 'ENXIO', 'ENODEV', 'EOPNOTSUPP')) throw noObject(path, 'a socket or a device');
    throw thrown;
  }
}

/**
 * A file that nobody changes has as many bytes as it says, so its end need not be looked for. Of one that grows
 * meanwhile no more is read, so that what it is does not depend on who writes.
 */
async function readWhole(file: FileHandle, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size;) {
    const { bytesRead } = await file.read(bytes, at, size - at, at);
    if (bytesRead === 0) return bytes.subarray(0, at);
    at += bytesRead;
  }
  return bytes;
}

/** Writes a new file whose modification time is later than `after()`, and makes it durable. */
export async function writeFile(path: string, bytes: Uint8Array, after: () => Promise<bigint>): Promise<FileState> {
  const file = await createPrivateFile(path);
  try {
    await file.writeFile(bytes);
    await makeLater(file, await after());
    await file.sync();
    return stateOf(await file.stat({ bigint: true }));
  } finally {
    await file.close();
  }
}

/** Moves the modification time of an open file past `ns`, if it is not; file systems that cannot are `unsupported`. */
export async function makeLater(file: FileHandle, ns: bigint): Promise<FileState> {
  const now = await file.stat({ bigint: true });
  if (now.mtimeNs > ns) return stateOf(now);
  const seconds = Number(ns / 1_000n + 2n) / 1e6;
  await file.utimes(seconds, seconds);
  const later = await file.stat({ bigint: true });
  if (later.mtimeNs > ns) return stateOf(later);
  throw new LockkeeperError(
    'unsupported',
    'this file system keeps modification times too coarse to tell writes apart',
    {
      hint: 'Put the store on ext4, xfs, btrfs, APFS or another file system with nanosecond times.',
    },
  );
}

/** State of the file at `path`; undefined where there is none or a folder. `conflict` where it is neither. */
export async function stateAt(path: string): Promise<FileState | undefined> {
  const info = await infoAt(path);
  const kind = info && oddKind(info);
  if (kind !== undefined) throw noObject(path, kind);
  return info?.isFile() === true ? stateOf(info) : undefined;
}

/** What is at `path`, a link itself where one is; undefined where nothing is. */
export async function infoAt(path: string): Promise<BigIntStats | undefined> {
  try {
    return await lstat(path, { bigint: true });
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT', 'ENOTDIR')) return undefined;
    throw thrown;
  }
}

/** Version of a file: its inode and its modification time. */
export function stateOf(info: { readonly ino: bigint; readonly mtimeNs: bigint }): FileState {
  return { version: `${info.ino.toString(36)}-${info.mtimeNs.toString(36)}`, modifiedNs: info.mtimeNs };
}

/** Makes the names in `folder` durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
