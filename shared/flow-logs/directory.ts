import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LockkeeperError } from '../base/error.ts';
import { after, hour, minute, parseInstant, type Instant } from '../base/time.ts';
import { systemCode } from './content.ts';
import { azureHour } from './formats/azure-vnet.ts';
import type { Cloud } from '../base/cloud.ts';
import type { LogObject } from './contract.ts';

/** Names that may be log objects; a bucket holds other things too (test files, manifests). */
const logName = /\.(log|json|jsonl|ndjson|parquet|gz)$/;

/** The log objects below a directory in the order of their keys' UTF-8 bytes. Errors: not-found, denied. */
export async function* logObjects(directory: string, cloud: Cloud, start = ''): AsyncGenerator<LogObject> {
  const keys = await filesBelow(directory);
  keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  for (const key of keys) {
    if (Buffer.compare(Buffer.from(key), Buffer.from(start)) <= 0 && start !== '') continue;
    const { size, mtimeMs } = await stat(join(directory, key));
    yield { key, size, version: `${size}-${Math.round(mtimeMs * 1000)}`, ends: endOf(key, cloud) };
  }
}

async function filesBelow(directory: string): Promise<string[]> {
  try {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile() && logName.test(entry.name));
    return files.map((entry) => join(entry.parentPath, entry.name).slice(join(directory, '/').length));
  } catch (cause) {
    const isAbsent = systemCode(cause) === 'ENOENT';
    throw new LockkeeperError(
      isAbsent ? 'not-found' : 'denied',
      `flow logs cannot be read from ${directory}: ${String(cause)}`,
      {
        cause,
        hint: isAbsent ? 'Name the directory that the bucket was copied to.' : 'Let this user read the directory.',
      },
    );
  }
}

/**
 * End of the time that an object's rows are from, as its key tells: five minutes in AWS (the name has the start), the
 * hour in GCP and Azure.
 */
export function endOf(key: string, cloud: Cloud): Instant | undefined {
  if (cloud === 'azure') {
    const start = azureHour(`/${key}`);
    return start && after(start, hour);
  }
  if (cloud === 'gcp') {
    const found = /(\d{4})\/(\d\d)\/(\d\d)\/(\d\d):\d\d:\d\d_/.exec(key);
    return found ? after(parseInstant(`${found[1]}-${found[2]}-${found[3]}T${found[4]}:00:00Z`), hour) : undefined;
  }
  const found = /_(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)Z_[^/]*$/.exec(key);
  return found
    ? after(parseInstant(`${found[1]}-${found[2]}-${found[3]}T${found[4]}:${found[5]}:00Z`), 5 * minute)
    : undefined;
}
