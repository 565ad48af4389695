import { readdir, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LockkeeperError, type ErrorCode } from '../base/error.ts';
import { syncDirectory } from '../base/owner-file.ts';
import { makePrivateFolder, writePrivateFile } from '../base/private-files.ts';
import type { World } from '../base/world.ts';
import type { SecretStore, SecretVersion } from './contract.ts';
import { isErrno, withFileLock } from './file-lock.ts';
import { createKey, readKey } from './key-file.ts';
import { openFile, sealFile, type ShelfFile } from './sealed-file.ts';
import {
  abandoned,
  emptyShelf,
  promoted,
  retired,
  sealed,
  staged,
  stateOf,
  type ShelfChange,
  type Shelf,
} from './shelf.ts';

/** Where the secrets of one machine lie. */
export interface LocalFileOptions {
  /** One file a secret; made, for its owner only, where missing. */
  readonly directory: string;
  /** 0600; made where missing, unless secrets are there already. Keep it away from backups of the directory. */
  readonly keyFile: string;
  readonly world: World;
}

/** A store of encrypted files, with the one thing the contract leaves to each store: making a secret. */
export interface LocalFileSecrets extends SecretStore {
  /** Makes an empty secret, unless it is there. */
  add(secret: string): Promise<void>;
}

/**
 * Secrets in encrypted files, for one machine and any number of its processes. Every write is a temporary file, fsync,
 * rename, fsync of the directory, under the secret's lock file; reading takes no lock. What holds after a crash:
 *
 * | killed                        | the secret is | left behind                                             |
 * |-------------------------------|---------------|---------------------------------------------------------|
 * | before the rename             | the old one   | a `.tmp` that the next write throws away, a dead lock     |
 * | after the rename              | the new one   | a dead lock, which the next writer removes               |
 * | power lost before the last fsync | old or new, whole | the write was not acknowledged: `uncertain` or nothing |
 */
export function localFileSecrets(options: LocalFileOptions): LocalFileSecrets {
  const directory = new SecretDirectory(options);
  return {
    add: (secret) => directory.add(secret),
    writes: 'conditional',
    settlesMs: 0,
    async read(secret, ids = []) {
      return stateOf((await directory.read(secret)).shelf, ids);
    },
    async stage(secret, rotation, value) {
      return await directory.change(secret, (file) =>
        staged(file.shelf, { id: directory.versionAfter(file), text: value.open(), rotation }),
      );
    },
    async promote(secret, name, from) {
      return await directory.change(secret, ({ shelf }) => promoted(shelf, name, from));
    },
    async abandon(secret, rotation) {
      await directory.rewrite(secret, ({ shelf }) => abandoned(shelf, rotation));
    },
    async retire(secret, id) {
      await directory.rewrite(secret, ({ shelf }) => retired(shelf, id));
    },
  };
}

class SecretDirectory {
  readonly #options: LocalFileOptions;

  constructor(options: LocalFileOptions) {
    this.#options = options;
  }

  async read(secret: string): Promise<ShelfFile> {
    const found = await filed(`reading secret ${secret}`, this.#options.directory, () => this.#find(secret));
    if (found) return found;
    throw new LockkeeperError(
      'not-found',
      `there is no secret ${JSON.stringify(secret)} in ${this.#options.directory}`,
      {
        hint: 'Import the login that consumers use now, or correct the name.',
      },
    );
  }

  async add(secret: string): Promise<void> {
    const { directory, world } = this.#options;
    await filed(`making secret ${secret}`, directory, async () => {
      await makePrivateFolder(directory);
      await withFileLock(`${this.#path(secret)}.lock`, world, async () => {
        if (!(await this.#find(secret))) await this.#write(secret, { generation: 1, shelf: emptyShelf });
      });
    });
  }

  /** Reads, decides and writes under the secret's lock; writes only what differs. */
  async change(secret: string, decide: (file: ShelfFile) => ShelfChange): Promise<SecretVersion> {
    let version: ShelfChange['version'] | undefined;
    await this.rewrite(secret, (file) => {
      const change = decide(file);
      version = change.version;
      return change.shelf;
    });
    if (version) return sealed(version);
    throw new LockkeeperError('bug', `secret ${secret} was changed to nothing`);
  }

  async rewrite(secret: string, decide: (file: ShelfFile) => Shelf): Promise<void> {
    await this.read(secret);
    await filed(`writing secret ${secret}`, this.#options.directory, () =>
      withFileLock(`${this.#path(secret)}.lock`, this.#options.world, async () => {
        const file = await this.read(secret);
        const shelf = decide(file);
        if (shelf !== file.shelf) await this.#write(secret, { generation: file.generation + 1, shelf });
      }),
    );
  }

  /** An id that no other version has, not even one written after the file was restored from a backup. */
  versionAfter({ generation }: ShelfFile): string {
    return `g${generation + 1}-${Buffer.from(this.#options.world.random(4)).toString('hex')}`;
  }

  async #find(secret: string): Promise<ShelfFile | undefined> {
    let bytes: Uint8Array;
    try {
      bytes = await readFile(this.#path(secret));
    } catch (thrown) {
      if (isErrno(thrown, 'ENOENT')) return undefined;
      throw thrown;
    }
    return openFile(await this.#key(), secret, bytes);
  }

  async #write(secret: string, content: ShelfFile): Promise<void> {
    const { directory, world } = this.#options;
    const path = this.#path(secret);
    const bytes = sealFile(await this.#key(), secret, { ...content, world });
    await writePrivateFile(`${path}.tmp`, bytes, { over: 'anew', sync: true });
    await rename(`${path}.tmp`, path);
    await acknowledged(secret, () => syncDirectory(directory));
  }

  /** A new key only where it cannot be the wrong one: secrets without their key are lost, and must be said to be. */
  async #key(): Promise<Uint8Array> {
    const { directory, keyFile, world } = this.#options;
    const key = await readKey(keyFile);
    if (key) return key;
    if ((await readdir(directory)).some((name) => name.endsWith('.secret'))) {
      throw new LockkeeperError(
        'unreachable',
        `${keyFile} is gone, and ${directory} holds secrets that only it opens`,
        { hint: 'Restore the key file from a backup.' },
      );
    }
    await makePrivateFolder(dirname(keyFile));
    return await createKey(keyFile, world);
  }

  #path(secret: string): string {
    const name = encodeURIComponent(secret);
    if (secret.length > 0 && name.length <= 180 && !name.startsWith('.'))
      return join(this.#options.directory, `${name}.secret`);
    throw new LockkeeperError('invalid', `${JSON.stringify(secret)} cannot name a secret`, {
      hint: 'Use 1 to 180 plain characters, not a dot first.',
    });
  }
}

/** After the rename the new content may be durable or not: nobody knows until it is read again. */
async function acknowledged(secret: string, sync: () => Promise<void>): Promise<void> {
  try {
    await sync();
  } catch (cause) {
    throw new LockkeeperError(
      'uncertain',
      `secret ${secret} was written, but the disk did not say that it is durable`,
      { hint: 'Check the disk; the next run reads what is there.', cause },
    );
  }
}

const codes: Readonly<Record<string, readonly [ErrorCode, string] | undefined>> = {
  EACCES: ['denied', 'Give this user the right to read and write the directory and the key file.'],
  EPERM: ['denied', 'Give this user the right to read and write the directory and the key file.'],
  EROFS: ['denied', 'The file system is read-only; mount it for writing.'],
  ENOSPC: ['unreachable', 'The disk is full; nothing was changed. Make room.'],
  EDQUOT: ['unreachable', 'The quota is used up; nothing was changed. Make room.'],
  EIO: ['unreachable', 'The disk fails; check it.'],
  ENOENT: ['unreachable', 'The directory is gone; restore it.'],
  EEXIST: ['unreachable', 'Something else stands where the directory belongs; move it away.'],
  ENOTDIR: ['unreachable', 'Something else stands where the directory belongs; move it away.'],
};

/** File-system errors as ours, once. */
async function filed<T>(tried: string, directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    const errno = errnoOf(thrown);
    if (errno === undefined) throw thrown;
    const [code, hint] = codes[errno] ?? [
      'unreachable',
      'The file system did not do it; see what the code stands for.',
    ];
    throw new LockkeeperError(code, `${tried} in ${directory}: ${errno}`, { hint, cause: thrown });
  }
}

/** The code that the system gave; undefined for what is no failure of the file system. */
function errnoOf(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' && /^E[A-Z0-9]+$/.test(thrown.code) ? thrown.code : undefined;
}
