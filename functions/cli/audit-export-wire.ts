import { realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { LockkeeperError } from '../../shared/base/error.ts';
import { fileError, isErrno } from '../../shared/objects/file-errors.ts';
import { fileSystemObjects } from '../../shared/objects/file-system.ts';
import type { ExportDeps } from './audit-export.ts';
import { auditDeps } from './audit-wire.ts';
import { exportFolder } from './export-folder.ts';
import { stoppable } from './until-stopped.ts';
import type { ConfigFile } from '../../shared/config/read-text.ts';

/**
 * Where `audit export` reads and writes. Most of its time it reads back what it wrote: that too ends once `signal` is
 * aborted.
 */
export function exportDeps(
  configFile: () => Promise<ConfigFile | string>,
  signal: AbortSignal = new AbortController().signal,
): ExportDeps {
  return {
    ...auditDeps(configFile, signal),
    async folder(out, { where, stateWhere }) {
      const directory = resolve(out);
      await expectOutside(directory, where, 'the log itself');
      if (stateWhere !== undefined) await expectOutside(directory, stateWhere, "the log's state store");
      return exportFolder(directory, stoppable(fileSystemObjects({ directory }), signal));
    },
  };
}

/** What is put into a log by mistake stays there for good, and looks like tampering. */
async function expectOutside(directory: string, store: string, what: string): Promise<void> {
  if (!isAbsolute(store) || !isWithin(await realPath(directory), await realPath(store))) return;
  throw new LockkeeperError('invalid', `nothing is exported to ${directory}: it lies within ${what}, ${store}`, {
    hint: 'Name a directory elsewhere.',
  });
}

/** Where the path leads, through all links; the part of it that is not there yet stays as it is. */
async function realPath(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (thrown) {
    if (!isErrno(thrown, 'ENOENT', 'ENOTDIR')) throw fileError(thrown, `look at ${path}`, false);
    const above = dirname(path);
    return above === path ? path : join(await realPath(above), basename(path));
  }
}

function isWithin(directory: string, store: string): boolean {
  const path = relative(store, directory);
  return path !== '..' && !path.startsWith(`..${sep}`) && !isAbsolute(path);
}
