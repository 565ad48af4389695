import { readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { LockkeeperError } from '../base/error.ts';
import { sha256 } from '../base/canonical.ts';
import { makeEmptyFolder, writePrivateFile } from '../base/private-files.ts';
import { isErrno } from './file-errors.ts';
import type { FilePlace } from './file-place.ts';

/** How long a turn may stay with one owner before others take it away, in milliseconds. A turn takes less than one. */
const patienceMs = 2_000;
/** How long anybody waits for a turn in all. */
const longestWaitMs = 30_000;

/**
 * Turns at changing an object, one process at a time, without any judgement about who is alive.
 *
 * A turn is a file name: `turns/NN/free` becomes `turns/NN/held.WORK` by rename(2), which only one process can do.
 * WORK is the owner's folder in `work/`, and **every effect of a turn is a rename out of or into that folder**.
 * So whoever waits too long may take any turn away, in this order:
 *
 *     1. rename work/WORK to work/WORK~     from here on the old owner's effects fail: they find no folder
 *     2. rename held.WORK to held.MINE      of several that wait one succeeds
 *
 * Killed before 1: nothing happened. Between 1 and 2: the next one repeats 1, which finds nothing, and does 2.
 * An owner that was only slow finds its folder gone and begins again; it cannot overwrite what came after it.
 */
export class FileTurns {
  readonly #place: FilePlace;

  constructor(place: FilePlace) {
    this.#place = place;
  }

  /** Runs `act` in the turn for `key`. `work` must be a folder of place.workFolder(). `throttled` after 30 s. */
  async take<T>(key: string, work: string, act: () => Promise<T>): Promise<T> {
    const turns = this.#place.own('turns', sha256(key).slice(0, 1));
    const mine = join(turns, `held.${basename(work)}`);
    await this.#wait(key, turns, mine);
    try {
      return await act();
    } finally {
      await renamed(mine, join(turns, 'free'));
    }
  }

  async #wait(key: string, turns: string, mine: string): Promise<void> {
    let seen: string | undefined;
    let patience = patienceMs;
    for (let waited = 0; waited < longestWaitMs;) {
      if (await renamed(join(turns, 'free'), mine)) return;
      const names = await namesIn(turns);
      const holder = names.find((name) => name.startsWith('held.'));
      if (names.length === 0) await this.#install(turns);
      if (holder === undefined) continue;
      if (holder !== seen) patience = patienceMs;
      else if (patience <= 0 && (await this.#takeAway(turns, holder, mine))) return;
      seen = holder;
      const pauseMs = 1 + ((this.#place.world.random(1)[0] ?? 0) & 7);
      await wait(pauseMs);
      patience -= pauseMs;
      waited += pauseMs;
    }
    throw new LockkeeperError(
      'throttled',
      `other processes kept changing objects next to ${key} for ${longestWaitMs / 1_000} s`,
      {
        hint: 'Nothing was written: run it again when fewer processes use this store.',
      },
    );
  }

  async #takeAway(turns: string, holder: string, mine: string): Promise<boolean> {
    const theirs = this.#place.own('unfinished', holder.slice('held.'.length));
    await renamed(theirs, `${theirs}~`);
    const taken = await renamed(join(turns, holder), mine);
    await rm(`${theirs}~`, { recursive: true, force: true });
    return taken;
  }

  /** Puts the one `free` in place. Renaming a folder onto another succeeds only while that one is empty. */
  async #install(turns: string): Promise<void> {
    const made = await this.#place.workFolder();
    await makeEmptyFolder(join(made, 'turns'));
    await writePrivateFile(join(made, 'turns', 'free'), '', { over: 'create' });
    await this.#place.makeFolder(this.#place.own('turns'));
    try {
      await rename(join(made, 'turns'), turns);
    } catch (thrown) {
      if (!isErrno(thrown, 'ENOTEMPTY', 'EEXIST')) throw thrown;
    } finally {
      await rm(made, { recursive: true, force: true });
    }
  }
}

/** True if it was renamed, false where `from` is not there (any more). */
async function renamed(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT')) return false;
    throw thrown;
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT')) return [];
    throw thrown;
  }
}
