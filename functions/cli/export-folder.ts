import { mkdtemp, open, readdir, rename, rm, rmdir, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Draft, ExportFolder } from '../../shared/audit/export/folder.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { createPrivateFile, makePrivateFolder, writePrivateFile } from '../../shared/base/private-files.ts';
import { fileError, isErrno } from '../../shared/objects/file-errors.ts';
import { expectOwnFolders } from '../../shared/objects/file-folders.ts';
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
    put: (path, bytes) => attempt(`write ${join(where, path)}`, () => files.put(path, bytes)),
    remove: (path) => attempt(`delete ${join(where, path)}`, () => removeFile(where, path)),
    draft: async () => new FileDraft(files, await attempt(`write to ${where}`, () => files.make())),
    settle: () => attempt(`write to ${where}`, () => files.settle()),
    begin: () => attempt(`write to ${where}`, () => files.begin()),
    end: () => attempt(`delete ${join(where, unfinished)}`, () => files.end()),
  };
}

/** Files that have no place yet, and folders whose names a power loss may still take away. */
class NewFiles {
  readonly #where: string;
  readonly #unsettled = new Set<string>();
  readonly #open = new Set<FileHandle>();
  readonly #underWay = new Set<Promise<void>>();
  /** Where this export's own are while it goes on. Never made again: once it is gone, another export has begun. */
  #own: string | undefined;

  constructor(where: string) {
    this.#where = where;
  }

  /**
   * Makes its own folder before it throws those of others away: of two that begin at once at most one goes on, and
   * whoever began before cannot put another file.
   */
  async begin(): Promise<void> {
    const all = join(this.#where, unfinished);
    this.#own = await this.#madeIn(all);
    for (const name of await readdir(all))
      if (join(all, name) !== this.#own) await rm(join(all, name), { recursive: true, force: true, maxRetries: 9 });
  }

  /** Another export that ends just now takes the folder away where it is empty. */
  async #madeIn(all: string, triesLeft = 9): Promise<string> {
    await this.#folder(all);
    try {
      return await mkdtemp(join(all, '-'));
    } catch (thrown) {
      if (triesLeft === 0 || !isErrno(thrown, 'ENOENT')) throw thrown;
      return await this.#madeIn(all, triesLeft - 1);
    }
  }

  /** The path of a file that nobody else writes; it is not there yet. */
  async make(): Promise<string> {
    if (this.#own === undefined) throw new LockkeeperError('bug', 'an export writes before its begin or after its end');
    return join(await mkdtemp(join(this.#own, '-')), 'file');
  }

  async put(path: string, bytes: Uint8Array): Promise<void> {
    const work = this.#put(path, bytes);
    this.#underWay.add(work);
    try {
      await work;
    } finally {
      this.#underWay.delete(work);
    }
  }

  async #put(path: string, bytes: Uint8Array): Promise<void> {
    const file = await this.make();
    await writePrivateFile(file, bytes, { over: 'create', sync: true });
    await this.place(file, path);
  }

  /** Opens a file for as long as it is not closed or swept. */
  async open(file: string, how: 'new' | 'written'): Promise<FileHandle> {
    const handle = how === 'new' ? await createPrivateFile(file) : await open(file, 'r+');
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

  /** Lets nothing more begin, and waits for what is under way: where one file failed others are still on their way. */
  async end(): Promise<void> {
    const own = this.#own;
    this.#own = undefined;
    await Promise.allSettled(this.#underWay);
    for (const handle of this.#open) await this.close(handle);
    if (own === undefined) return;
    await rm(own, { recursive: true, force: true });
    await removeEmpty(dirname(own));
  }

  async #folder(folder: string): Promise<void> {
    // A link would have files of others thrown away, and own ones put, where it leads.
    await expectOwnFolders(this.#where, folder);
    const first = await makePrivateFolder(folder);
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
      this.#handle ??= await this.#files.open(this.file, 'new');
      await this.#handle.appendFile(text);
    });
  }

  async keep(path: string): Promise<void> {
    await attempt(`write ${path}`, async () => {
      await this.#close();
      // Opened anew: a library may have put another file in its place.
      const written = await this.#files.open(this.file, 'written');
      await written.chmod(0o600);
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
    if (isErrno(thrown, 'ENOTDIR'))
      throw new LockkeeperError('invalid', `nothing is exported to ${where}: it is a file`, {
        hint: 'Name a directory.',
      });
    throw thrown;
  }
}

/** With the folder that has nothing else in it. */
async function removeFile(where: string, name: string): Promise<void> {
  const path = join(where, name);
  await expectOwnFolders(where, dirname(path));
  await rm(path, { force: true });
  await removeEmpty(dirname(path));
}

async function removeEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (thrown) {
    if (!isErrno(thrown, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw thrown;
  }
}

async function attempt<T>(tried: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (thrown) {
    if (!isErrno(thrown, 'ENOENT')) throw fileError(thrown, tried, false);
    const hint =
      'Another export to this directory began meanwhile, or somebody deleted there. Let one at a time write to it, and run it again.';
    throw new LockkeeperError('conflict', `${tried}: the files that this export had not finished are gone`, {
      cause: thrown,
      hint,
    });
  }
}
