import type { Dirent } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LockkeeperError } from '../base/error.ts';
import { after, hour, minute, type Instant } from '../base/time.ts';
import { systemCode } from './content.ts';
import { azureHour } from './formats/azure-vnet.ts';
import { existingTime } from './key-times.ts';
import type { Cloud } from '../base/cloud.ts';
import type { LogObject } from './contract.ts';

/** Names that may be log objects; a bucket holds other things too (test files, manifests). */
const logName = /\.(log|json|jsonl|ndjson|parquet|gz)$/;

/**
 * The log objects below a directory in the order of their keys' UTF-8 bytes. What has the name of one and is none (a link,
 * a FIFO, a name that is no UTF-8) is given with the reason. Errors: not-found, denied.
 */
export async function* logObjects(directory: string, cloud: Cloud, start = ''): AsyncGenerator<LogObject> {
  const found = await entriesBelow(directory);
  found.sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
  for (const { key, unreadable } of found) {
    if (Buffer.compare(Buffer.from(key), Buffer.from(start)) <= 0 && start !== '') continue;
    const object =
      unreadable === undefined ? await statOf(directory, key) : { size: 0, version: unreadable, unreadable };
    if (object !== undefined) yield { key, ...object, ends: endOf(key, cloud) };
  }
}

/** Undefined for what has gone since it was listed. */
async function statOf(directory: string, key: string): Promise<Pick<LogObject, 'size' | 'version'> | undefined> {
  try {
    const { size, mtimeMs } = await lstat(join(directory, key));
    return { size, version: `${size}-${Math.round(mtimeMs * 1000)}` };
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return undefined;
    throw unlisted(join(directory, key), cause);
  }
}

async function entriesBelow(directory: string): Promise<{ key: string; unreadable: string | undefined }[]> {
  try {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    const named = entries.filter((entry) => !entry.isDirectory() && logName.test(entry.name));
    return named.map((entry) => ({
      key: join(entry.parentPath, entry.name).slice(join(directory, '/').length),
      unreadable: troubleOf(entry),
    }));
  } catch (cause) {
    throw unlisted(directory, cause);
  }
}

function troubleOf(entry: Dirent): string | undefined {
  if (`${entry.parentPath}/${entry.name}`.includes('\u{fffd}')) return 'its name is no UTF-8';
  if (entry.isSymbolicLink()) return 'it is a link, and no file';
  return entry.isFile() ? undefined : 'it is a FIFO, a socket or a device, and no file';
}

function unlisted(place: string, cause: unknown): LockkeeperError {
  const isAbsent = systemCode(cause) === 'ENOENT';
  const hint = isAbsent ? 'Name the directory that the bucket was copied to.' : 'Let this user read the directory.';
  return new LockkeeperError(
    isAbsent ? 'not-found' : 'denied',
    `flow logs cannot be read from ${place}: ${String(cause)}`,
    { cause, hint },
  );
}

/**
 * End of the time that an object's rows are from, as its key tells: five minutes in AWS (the name has the start), the
 * hour in GCP and Azure. Undefined where it tells none, or one that there never was.
 */
export function endOf(key: string, cloud: Cloud): Instant | undefined {
  if (cloud === 'azure') return moved(azureHour(`/${key}`), hour);
  if (cloud === 'gcp') {
    const [, ...parts] = /(\d{4})\/(\d\d)\/(\d\d)\/(\d\d):\d\d:\d\d_/.exec(key) ?? [];
    return moved(timeOf(parts), hour);
  }
  const [, ...parts] = /_(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)Z_[^/]*$/.exec(key) ?? [];
  return moved(timeOf(parts), 5 * minute);
}

function timeOf([year, month, day, hours, minutes = '00']: readonly string[]): Instant | undefined {
  return year === undefined ? undefined : existingTime(`${year}-${month}-${day}T${hours}:${minutes}:00Z`);
}

function moved(at: Instant | undefined, ms: number): Instant | undefined {
  return at === undefined ? undefined : after(at, ms);
}
