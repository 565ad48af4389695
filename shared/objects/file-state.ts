import { constants, type BigIntStats } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { LockkeeperError } from '../base/error.ts';
import { createPrivateFile } from '../base/private-files.ts';
import type { ObjectVersion, StoredObject } from './contract.ts';
import { isErrno } from './file-errors.ts';

/** Which write of an object is stored: no two writes of one key share it. */
export interface FileState {
  readonly version: ObjectVersion;
  readonly modifiedNs: bigint;
}

/** Bytes and version of one and the same file: no writer ever changes a file that has a key. Undefined: no object. */
export async function readObject(path: string): Promise<StoredObject | undefined> {
  let file;
  try {
    file = await open(path, 'r');
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT', 'ENOTDIR')) return undefined;
    throw thrown;
  }
  try {
    const info = await file.stat({ bigint: true });
    if (!info.isFile()) return undefined;
    return { bytes: await readWhole(file, Number(info.size)), version: stateOf(info).version };
  } finally {
    await file.close();
  }
}

/** A file that nobody changes has as many bytes as it says, so its end need not be looked for. */
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

/** State of the file at `path`; undefined where there is none or a folder. */
export async function stateAt(path: string): Promise<FileState | undefined> {
  const info = await infoAt(path);
  return info?.isFile() === true ? stateOf(info) : undefined;
}

/** What is at `path`; undefined where nothing is. */
export async function infoAt(path: string): Promise<BigIntStats | undefined> {
  try {
    return await stat(path, { bigint: true });
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
