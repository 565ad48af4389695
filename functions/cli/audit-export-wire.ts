import { isAbsolute, relative, resolve } from 'node:path';
import { LockkeeperError } from '../../shared/base/error.ts';
import { fileSystemObjects } from '../../shared/objects/file-system.ts';
import type { ExportRooms } from './audit-export.ts';
import { auditRooms } from './audit-wire.ts';
import { exportFolder } from './export-folder.ts';

/** Where `audit export` reads and writes. */
export function exportRooms(configFile: () => Promise<string>, signal?: AbortSignal): ExportRooms {
  return {
    ...auditRooms(configFile, signal),
    folder(out, { where }) {
      const directory = resolve(out);
      if (isWithin(directory, where)) {
        throw new LockkeeperError('invalid', `nothing is exported to ${directory}: it lies within the log itself, ${where}`, { hint: 'Name a directory elsewhere.' });
      }
      return exportFolder(directory, fileSystemObjects({ directory }));
    },
  };
}

/** An address in a cloud is no path that anything lies within. */
function isWithin(directory: string, log: string): boolean {
  const path = relative(log, directory);
  return isAbsolute(log) && !path.startsWith('..') && !isAbsolute(path);
}
