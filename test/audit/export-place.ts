import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { exportFolder } from '../../functions/cli/export-folder.ts';
import { exportLog, type ExportFormat, type ExportReport } from '../../shared/audit/export/export.ts';
import type { ExportFolder } from '../../shared/audit/export/folder.ts';
import type { LogPlaces } from '../../shared/audit/log-deps.ts';
import { tiledLog } from '../../shared/audit/export/tiled-log.ts';
import { sha256 } from '../../shared/base/canonical.ts';
import { fileSystemObjects } from '../../shared/objects/file-system.ts';

/** Empty directories, and an end of all of them. */
export class Directories {
  readonly #made: string[] = [];

  async make(): Promise<string> {
    const made = await mkdtemp(join(tmpdir(), 'lockkeeper-export-'));
    this.#made.push(made);
    return made;
  }

  async remove(): Promise<void> {
    for (const made of this.#made.splice(0)) await rm(made, { recursive: true, force: true });
  }
}

/** A directory as `audit export` writes to it. */
export function folderAt(directory: string): ExportFolder {
  return exportFolder(directory, fileSystemObjects({ directory }));
}

/** Exports a log to a directory. */
export async function exportTo(
  directory: string,
  at: LogPlaces,
  formats: readonly ExportFormat[] = ['tiles'],
  folder = folderAt(directory),
): Promise<ExportReport> {
  return await exportLog({ tiles: await tiledLog(at), log: at.log, folder, formats });
}

/** What is in a directory, as lines of a path and the hash of its bytes. */
export async function listingOf(directory: string): Promise<readonly string[]> {
  return [...(await contentsOf(directory))].map(([path, bytes]) => `${path} ${sha256(bytes)}`);
}

/** Everything in a directory: bytes by path, in order. */
export async function contentsOf(directory: string): Promise<ReadonlyMap<string, Buffer>> {
  const files = (await readdir(directory, { recursive: true, withFileTypes: true }))
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name));
  return new Map(
    await Promise.all(files.toSorted().map(async (path) => [relative(directory, path), await readFile(path)] as const)),
  );
}
