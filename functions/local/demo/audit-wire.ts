import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { verify, type VerifyReport } from '../../../shared/audit/verify.ts';
import { fileSystemObjects } from '../../../shared/objects/file-system.ts';

/** Verifies the log in `directory`/log against `directory`/state. Reads only. */
export async function verifyLog(directory: string): Promise<VerifyReport> {
  return verify({ log: fileSystemObjects({ directory: join(directory, 'log') }), state: fileSystemObjects({ directory: join(directory, 'state') }) });
}

/** Verifies a copy of the log in which one byte of the entry in the middle was changed; the copy is removed. */
export async function verifyTampered(directory: string, scratch: string): Promise<{ readonly entry: string; readonly report: VerifyReport }> {
  const copy = join(scratch, 'tampered');
  await Promise.all(['log', 'state'].map((name) => cp(join(directory, name), join(copy, name), { recursive: true })));
  const files = (await readdir(join(copy, 'log', 'entries'))).filter((name) => name.endsWith('.json')).toSorted();
  const entry = files[Math.floor(files.length / 2)] ?? '';
  const path = join(copy, 'log', 'entries', entry);
  const bytes = await readFile(path);
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  await writeFile(path, bytes);
  const report = await verifyLog(copy);
  await rm(copy, { recursive: true });
  return { entry, report };
}
