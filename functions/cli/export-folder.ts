import { mkdir, mkdtemp, open, readdir, rename, rm, rmdir, writeFile, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Draft, ExportFolder } from '../../shared/audit/export/folder.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { fileError, isErrno } from '../../shared/objects/file-errors.ts';
import { syncFolder } from '../../shared/objects/file-state.ts';

/** Where files are until they have their place. "~" is in no object's key. */
const unfinished = '~unfinished';

/** A directory of plain files to export to; it is made with the first of them. `objects` reads it. */
export function exportFolder(where: string, objects: ExportFolder['objects']): ExportFolder {
  const files = new NewFiles(where);
  return {
    where,
    objects,
    names: () => attempt(`look into ${where}`, () => namesIn(where)),
    put: (path, bytes) =>
      attempt(`write ${join(where, path)}`, async () => {
        const file = await files.make();
        await writeFile(file, bytes, { flush: true });
        await files.place(file, path);
      }),
    remove: (path) => attempt(`delete ${join(where, path)}`, () => removeFile(join(where, path))),
    draft: async () => new FileDraft(files, await attempt(`write to ${where}`, () => files.make())),
    settle: () => attempt(`write to ${where}`, () => files.settle()),
    sweep: () => attempt(`delete ${join(where, unfinished)}`, () => files.sweep()),
  };
}

/** Files that have no place yet, and folders whose names a power loss may still take away. */
class NewFiles {
  readonly #where: string;
  readonly #unsettled = new Set<string>();
  readonly #open = new Set<FileHandle>();

  constructor(where: string) {
    this.#where = where;
  }

  /** The path of a file that nobody else writes; it is not there yet. */
  async make(): Promise<string> {
    await this.#folder(join(this.#where, unfinished));
    return join(await mkdtemp(join(this.#where, unfinished, '-')), 'file');
  }

  /** Opens a file for as long as it is not closed or swept. */
  async open(file: string, flags: string): Promise<FileHandle> {
    const handle = await open(file, flags);
    this.#open.add(handle);
    return handle;
  }

  async close(handle: FileHandle): Promise<void> {
    this.#open.delete(handle);
    await handle.close();
  }

  /** Gives a file its place, over what was there. */
  async place(file: string, path: string): Promise<void> {
    const to = join(this.#where, path);
    await this.#folder(dirname(to));
    await rename(file, to);
    this.#unsettled.add(dirname(to));
    await rmdir(dirname(file));
  }

  async settle(): Promise<void> {
    for (const folder of this.#unsettled) await syncFolder(folder);
    this.#unsettled.clear();
  }

  async sweep(): Promise<void> {
    for (const handle of this.#open) await this.close(handle);
    await rm(join(this.#where, unfinished), { recursive: true, force: true });
  }

  async #folder(folder: string): Promise<void> {
    const first = await mkdir(folder, { recursive: true });
    if (first === undefined) return;
    for (let made = folder; made.length >= first.length; made = dirname(made)) this.#unsettled.add(dirname(made));
  }
}

/** See Draft. */
class FileDraft implements Draft {
  readonly file: string;
  readonly #files: NewFiles;
  #handle: FileHandle | undefined;

  constructor(files: NewFiles, file: string) {
    this.#files = files;
    this.file = file;
  }

  async append(text: string): Promise<void> {
    await attempt(`write ${this.file}`, async () => {
      this.#handle ??= await this.#files.open(this.file, 'a');
      await this.#handle.appendFile(text);
    });
  }

  async keep(path: string): Promise<void> {
    await attempt(`write ${path}`, async () => {
      await this.#close();
      // Opened anew: a library may have put another file in its place.
      const written = await this.#files.open(this.file, 'r+');
      await written.sync();
      await this.#files.close(written);
      await this.#files.place(this.file, path);
    });
  }

  async drop(): Promise<void> {
    await attempt(`delete ${this.file}`, async () => {
      await this.#close();
      await rm(this.file, { force: true });
    });
  }

  async #close(): Promise<void> {
    if (this.#handle) await this.#files.close(this.#handle);
    this.#handle = undefined;
  }
}

async function namesIn(where: string): Promise<readonly string[]> {
  try {
    return (await readdir(where)).filter((name) => name !== unfinished).toSorted();
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT')) return [];
    if (isErrno(thrown, 'ENOTDIR')) throw new LockkeeperError('invalid', `nothing is exported to ${where}: it is a file`, { hint: 'Name a directory.' });
    throw thrown;
  }
}

/** With the folder that has nothing else in it. */
async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true });
  try {
    await rmdir(dirname(path));
  } catch (thrown) {
    if (!isErrno(thrown, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw thrown;
  }
}

async function attempt<T>(tried: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (thrown) {
    throw fileError(thrown, tried, false);
  }
}
