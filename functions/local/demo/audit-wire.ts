import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { VerifyReport } from '../../../shared/audit/verify/report.ts';
import { verifyLog } from '../../../shared/audit/verify/verify.ts';
import { fileSystemObjects } from '../../../shared/objects/file-system.ts';

/**
 * Verifies the log in `directory`/log against `directory`/state, and against a text with a checkpoint that somebody
 * saved. Reads only.
 */
export async function verifyBelow(directory: string, since?: string): Promise<VerifyReport> {
  return verifyLog({
    log: fileSystemObjects({ directory: join(directory, 'log') }),
    state: fileSystemObjects({ directory: join(directory, 'state') }),
    since,
  });
}

/** Verifies a copy of the log in which one byte of an entry in the middle was changed; the copy is removed. */
export async function verifyTampered(
  directory: string,
  scratch: string,
): Promise<{ readonly object: string; readonly report: VerifyReport }> {
  const copy = join(scratch, 'tampered');
  await Promise.all(['log', 'state'].map((name) => cp(join(directory, name), join(copy, name), { recursive: true })));
  const inbox = join(copy, 'log', 'inbox');
  const files = (await readdir(inbox, { recursive: true, withFileTypes: true }))
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name));
  const path = files.toSorted()[Math.floor(files.length / 2)] ?? '';
  const bytes = await readFile(path);
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  await writeFile(path, bytes);
  const report = await verifyBelow(copy);
  await rm(copy, { recursive: true });
  return { object: path.slice(join(copy, 'log').length + 1), report };
}
