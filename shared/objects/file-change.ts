import { open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LockkeeperError } from '../base/error.ts';
import type { DeleteAnswer, ObjectVersion, ReplaceAnswer } from './contract.ts';
import { isErrno } from './file-errors.ts';
import { expectOwnFolders } from './file-folders.ts';
import type { FilePlace } from './file-place.ts';
import { makeLater, stateAt, syncFolder, writeFile, type FileState } from './file-state.ts';
import type { FileTurns } from './file-turns.ts';

type Refusal = { readonly outcome: 'stale' } | { readonly outcome: 'missing' };

const turnsLostAtMost = 10;

/** One conditional change of one object. `landed` is called once it has taken effect. */
export class FileChange {
  readonly #place: FilePlace;
  readonly #turns: FileTurns;
  readonly #path: string;
  readonly #key: string;
  readonly #held: ObjectVersion;
  readonly #landed: () => void;
  #done = false;

  constructor(place: FilePlace, turns: FileTurns, what: { key: string; held: ObjectVersion; landed: () => void }) {
    this.#place = place;
    this.#turns = turns;
    this.#path = place.pathOf(what.key);
    this.#key = what.key;
    this.#held = what.held;
    this.#landed = what.landed;
  }

  /** Writes and syncs the new bytes first, so that the turn takes no longer than two renames. */
  async replace(bytes: Uint8Array): Promise<ReplaceAnswer> {
    return await this.#inWork(async (work) => {
      const early = await this.#refusal();
      if (early) return early;
      const made = join(work, 'new');
      await writeFile(made, bytes, async () => 0n);
      return await this.#turns.take(this.#key, work, async () => {
        const refused = await this.#refusal();
        if (refused) return refused;
        const state = await laterThan(made, await this.#latestNs());
        await rename(made, this.#path);
        this.#land();
        return { outcome: 'done', version: state.version };
      });
    });
  }

  /** The tombstone first: it only moves the times of later writes, so it may stand alone. */
  async delete(): Promise<DeleteAnswer> {
    return await this.#inWork(async (work) => {
      const early = await this.#refusal();
      if (early) return early;
      const tombstone = this.#place.tombstoneOf(this.#key);
      await this.#place.makeFolder(dirname(tombstone));
      return await this.#turns.take(this.#key, work, async () => {
        const refused = await this.#refusal();
        if (refused) return refused;
        await writeFile(join(work, 'tombstone'), new Uint8Array(), () => this.#latestNs());
        await rename(join(work, 'tombstone'), tombstone);
        await rename(this.#path, join(work, 'gone'));
        this.#land();
        return { outcome: 'done' };
      });
    });
  }

  /** Begins again where a path was gone before the effect: the turn was lost, or somebody removed a folder. */
  async #inWork<T extends { readonly outcome: string }>(act: (work: string) => Promise<T>): Promise<T> {
    for (let lost = 0; lost < turnsLostAtMost; lost += 1) {
      const work = await this.#place.workFolder();
      try {
        const answer = await act(work);
        if (answer.outcome === 'done') await syncFolder(dirname(this.#path));
        return answer;
      } catch (thrown) {
        if (this.#done || !isErrno(thrown, 'ENOENT')) throw thrown;
        this.#place.forgetFolders();
      } finally {
        await rm(work, { recursive: true, force: true });
      }
    }
    throw new LockkeeperError('throttled', `${this.#key}: lost its turn ${turnsLostAtMost} times`, {
      hint: 'Nothing was written. The disk is very slow, or something keeps removing the files of the store.',
    });
  }

  async #refusal(): Promise<Refusal | undefined> {
    await expectOwnFolders(this.#place.directory, dirname(this.#path));
    const now = await stateAt(this.#path);
    if (!now) return { outcome: 'missing' };
    return now.version === this.#held ? undefined : { outcome: 'stale' };
  }

  /** No state of this key was ever modified later than this. */
  async #latestNs(): Promise<bigint> {
    const now = await stateAt(this.#path);
    const deleted = await this.#place.deletedNs(this.#key);
    return now && now.modifiedNs > deleted ? now.modifiedNs : deleted;
  }

  #land(): void {
    this.#done = true;
    this.#landed();
  }
}

async function laterThan(path: string, ns: bigint): Promise<FileState> {
  const file = await open(path, 'r+');
  try {
    return await makeLater(file, ns);
  } finally {
    await file.close();
  }
}
