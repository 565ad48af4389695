import { readFile, writeFile } from 'node:fs/promises';
import { hasCode, LockkeeperError } from '../../shared/base/error.ts';
import { loadConfig } from '../../shared/config/load.ts';
import { fileError, isErrno } from '../../shared/objects/file-errors.ts';
import type { AuditFiles } from './audit.ts';

/** Files of this machine. */
export const auditFiles: AuditFiles = {
  async bytes(path) {
    try {
      return await readFile(path);
    } catch (thrown) {
      if (isErrno(thrown, 'ENOENT')) throw new LockkeeperError('not-found', `there is no file ${path}`, { cause: thrown, hint: 'Check the path.' });
      throw fileError(thrown, `read ${path}`, false);
    }
  },
  async create(path, bytes) {
    try {
      await writeFile(path, bytes, { flag: 'wx', flush: true });
    } catch (thrown) {
      if (!isErrno(thrown, 'EEXIST')) throw fileError(thrown, `write ${path}`, false);
      if (Buffer.compare(await auditFiles.bytes(path), bytes) === 0) return;
      throw new LockkeeperError('conflict', `${path} was not written: another file is there`, { hint: 'Name another one, or move that away.' });
    }
  },
};

/** The key that the configuration trusts; undefined where it names none, or where there is no configuration. */
export async function configuredKey(configFile: () => Promise<string>): Promise<string | undefined> {
  try {
    return (await loadConfig(await configFile())).config.audit.verifyWith;
  } catch (thrown) {
    if (hasCode(thrown, 'not-found')) return undefined;
    throw thrown;
  }
}
