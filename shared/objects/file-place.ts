import { readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeEmptyFolder, makePrivateFolder } from '../base/private-files.ts';
import { hour } from '../base/time.ts';
import type { World } from '../base/world.ts';
import { isErrno } from './file-errors.ts';
import { expectOwnFolders } from './file-folders.ts';
import { infoAt, stateAt, syncFolder } from './file-state.ts';
import { checkKey } from './key.ts';

/** The store's own folder in the directory. "~" is in no key, so it can never be an object. */
export const ownFolder = '~lockkeeper';

/**
 * Paths and durable files of one file-system store:
 *
 *     KEY                          the object, plain bytes
 *     ~lockkeeper/unfinished/NONCE writes on their way; nothing in it counts
 *     ~lockkeeper/turns/NN/        whose turn it is to change an object
 *     ~lockkeeper/deleted/KEY~     empty; its modification time is later than that of anything deleted at KEY
 */
export class FilePlace {
  readonly directory: string;
  readonly world: World;
  readonly #durable = new Set<string>();
  #swept: Promise<void> | undefined;

  constructor(directory: string, world: World) {
    this.directory = directory;
    this.world = world;
  }

  /** Where the object of `key` is; `invalid` for a bad key. */
  pathOf(key: string): string {
    checkKey(key);
    return join(this.directory, key);
  }

  tombstoneOf(key: string): string {
    return join(this.directory, ownFolder, 'deleted', `${key}~`);
  }

  own(...parts: readonly string[]): string {
    return join(this.directory, ownFolder, ...parts);
  }

  /** A folder that only the caller uses, for one write. */
  async workFolder(): Promise<string> {
    await this.makeFolder(this.own('unfinished'));
    for (;;) {
      const folder = this.own('unfinished', Buffer.from(this.world.random(16)).toString('hex'));
      try {
        await makeEmptyFolder(folder);
      } catch (thrown) {
        if (isErrno(thrown, 'EEXIST')) continue;
        throw thrown;
      }
      this.#swept ??= this.#sweep(folder);
      await this.#swept;
      return folder;
    }
  }

  /**
   * Makes `folder` with everything above it; on return a power loss cannot take it away. `conflict` where a part of it
   * is a link, or anything else that is no folder.
   */
  async makeFolder(folder: string): Promise<void> {
    await expectOwnFolders(this.directory, folder);
    if (this.#durable.has(folder)) return;
    const first = await makePrivateFolder(folder);
    const madeStore = first !== undefined && first.length <= this.directory.length;
    const top = madeStore ? dirname(first) : this.directory;
    for (let below = folder; below.length > top.length; below = dirname(below)) await syncFolder(dirname(below));
    this.#durable.add(folder);
  }

  /** Forgets which folders exist: one of them turned out to be gone. */
  forgetFolders(): void {
    this.#durable.clear();
  }

  /** Modification time of what was last deleted at `key`, 0 if nothing ever was. */
  async deletedNs(key: string): Promise<bigint> {
    return (await stateAt(this.tombstoneOf(key)))?.modifiedNs ?? 0n;
  }

  /**
   * Removes work that a dead process left more than an hour ago. Should its owner live after all, its last step finds
   * the work gone and it begins again: nothing unfinished is ever taken for an object.
   */
  async #sweep(mine: string): Promise<void> {
    const now = (await stat(mine)).mtimeMs;
    for (const name of await readdir(this.own('unfinished'))) {
      const path = this.own('unfinished', name);
      const left = await infoAt(path);
      if (left && now - Number(left.mtimeNs / 1_000_000n) > hour) await rm(path, { recursive: true, force: true });
    }
  }
}
