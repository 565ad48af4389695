import { basename, dirname, join, resolve } from 'node:path';
import { LockkeeperError } from '../../shared/base/error.ts';
import { headKey } from '../../shared/audit/layout.ts';
import { fileError } from '../../shared/objects/file-errors.ts';
import { infoAt } from '../../shared/objects/file-state.ts';
import { fileSystemObjects } from '../../shared/objects/file-system.ts';
import type { AuditRooms, AuditStores } from './audit.ts';

/**
 * Where the audit verbs read. `--dir` takes what `demo --keep` left (a folder with `log` and `state`), or a copy of the log
 * store alone; `configFile` gives the configuration that counts without it. Nothing is ever written.
 */
export function auditRooms(configFile: () => Promise<string>): AuditRooms {
  return {
    stores: async (directory) => (directory === undefined ? await configured(await configFile()) : await below(resolve(directory))),
  };
}

async function configured(file: string): Promise<AuditStores> {
  const { loadConfig } = await import('../../shared/config/load.ts');
  const { stores } = (await loadConfig(file)).config;
  if (!(await isThere(stores.log.path))) throw noLog(stores.log.path, 'Nothing was logged there yet; check stores.log in the configuration.');
  return { log: fileSystemObjects({ directory: stores.log.path }), state: fileSystemObjects({ directory: stores.state.path }), where: stores.log.path };
}

async function below(directory: string): Promise<AuditStores> {
  if (!(await isThere(directory))) throw noLog(directory, 'Check the path.');
  const inside = join(directory, 'log');
  if (await isThere(inside)) return await opened(inside, join(directory, 'state'));
  const beside = join(dirname(directory), 'state');
  const isLog = (await isThere(join(directory, 'entries'))) || basename(directory) === 'log';
  if (isLog) return await opened(directory, beside);
  throw noLog(directory, 'Name the folder that holds `entries`, or the one above it that holds `log` and `state`.');
}

/** A state store counts where it has a head, or belongs to the folder of the log. */
async function opened(log: string, state: string): Promise<AuditStores> {
  const hasState = (await isThere(join(state, headKey))) || ((await isThere(state)) && basename(log) === 'log');
  return { log: fileSystemObjects({ directory: log }), state: hasState ? fileSystemObjects({ directory: state }) : undefined, where: log };
}

async function isThere(path: string): Promise<boolean> {
  try {
    return (await infoAt(path)) !== undefined;
  } catch (thrown) {
    throw fileError(thrown, `look at ${path}`, false);
  }
}

function noLog(path: string, hint: string): LockkeeperError {
  return new LockkeeperError('not-found', `there is no audit log in ${path}`, { hint });
}
