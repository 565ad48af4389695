import { createReadStream } from 'node:fs';
import { hasCode, LockkeeperError } from '../../shared/base/error.ts';
import { writePrivateFile } from '../../shared/base/private-files.ts';
import { loadConfig } from '../../shared/config/load.ts';
import { fileError, isErrno } from '../../shared/objects/file-errors.ts';
import type { AuditFiles } from './audit.ts';
import type { ConfigFile } from '../../shared/config/read-text.ts';

/** Files of this machine. */
export const auditFiles: AuditFiles = {
  async bytes(path) {
    try {
      return await readSmall(path);
    } catch (thrown) {
      if (thrown instanceof LockkeeperError) throw thrown;
      if (isErrno(thrown, 'ENOENT'))
        throw new LockkeeperError('not-found', `there is no file ${path}`, { cause: thrown, hint: 'Check the path.' });
      throw fileError(thrown, `read ${path}`, false);
    }
  },
  async create(path, bytes) {
    try {
      await writePrivateFile(path, bytes, { over: 'create', sync: true });
    } catch (thrown) {
      if (isErrno(thrown, 'ENOENT'))
        throw new LockkeeperError('not-found', `there is no folder for ${path}`, {
          cause: thrown,
          hint: 'Make it first, or name another one.',
        });
      if (!isErrno(thrown, 'EEXIST')) throw fileError(thrown, `write ${path}`, false);
      if (Buffer.compare(await auditFiles.bytes(path), bytes) === 0) return;
      throw new LockkeeperError('conflict', `${path} was not written: another file is there`, {
        hint: 'Name another one, or move that away.',
      });
    }
  },
};

/** Checkpoints, proofs and entries are a few kilobytes. A device never ends, and would fill the memory. */
const mostBytes = 1_048_576;

async function readSmall(path: string): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(path, { end: mostBytes })) if (chunk instanceof Buffer) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  if (bytes.length <= mostBytes) return bytes;
  throw new LockkeeperError('invalid', `${path} is longer than a megabyte`, {
    hint: 'Checkpoints, proofs and entries are a few kilobytes: it is another file.',
  });
}

/** The key that the configuration trusts; undefined where it names none, or where there is no configuration. */
export async function configuredKey(configFile: () => Promise<ConfigFile | string>): Promise<string | undefined> {
  try {
    return (await loadConfig(await configFile())).config.audit.verifyWith;
  } catch (thrown) {
    if (hasCode(thrown, 'not-found')) return undefined;
    throw thrown;
  }
}
