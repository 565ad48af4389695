import { createPrivateKey, sign, type KeyObject } from 'node:crypto';
import { dirname } from 'node:path';
import { ed25519PrivateKey, rawEd25519 } from '../base/ed25519.ts';
import { LockkeeperError, asLockkeeperError, type ErrorCode } from '../base/error.ts';
import { createOwnerFile, readOwnerFile } from '../base/owner-file.ts';
import { makePrivateFolder } from '../base/private-files.ts';
import type { World } from '../base/world.ts';
import type { Signer } from './contract.ts';

/** Which file, and where the randomness of a new key comes from. */
export interface KeyFileOptions {
  readonly path: string;
  readonly world: World;
}

/**
 * The key in a file: PKCS#8 in PEM, as `openssl genpkey -algorithm ed25519` writes it, readable by its owner only. It
 * is read at first use, and made where there is none: of two processes that do so at once one wins, and both sign with
 * its key.
 * `denied` where others may read it, `invalid` where it is no Ed25519 key.
 */
export function keyFileSigner({ path, world }: KeyFileOptions): Signer {
  let kept: KeyObject | undefined;
  const key = async () =>
    (kept ??= await filed(path, async () => (await readKey(path)) ?? (await makeKey(path, world))));
  return {
    publicKey: async () => rawEd25519(await key()),
    sign: async (message) => Uint8Array.from(sign(null, message, await key())),
  };
}

async function makeKey(path: string, world: World): Promise<KeyObject> {
  const pem = ed25519PrivateKey(world.random(32)).export({ format: 'pem', type: 'pkcs8' });
  await makePrivateFolder(dirname(path));
  await createOwnerFile(path, String(pem), world);
  // Not the one just made: another process may have been first.
  const key = await readKey(path);
  if (key) return key;
  throw new LockkeeperError('not-found', `${path} was removed while it was made`, { hint: 'Try again.' });
}

async function readKey(path: string): Promise<KeyObject | undefined> {
  const pem = await readOwnerFile(path);
  if (pem === undefined) return undefined;
  const hint = 'Restore the key of this log from a backup, or make one: openssl genpkey -algorithm ed25519.';
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (cause) {
    throw new LockkeeperError('invalid', `${path} holds no private key in PEM without a pass phrase`, { hint, cause });
  }
  if (key.asymmetricKeyType === 'ed25519') return key;
  throw new LockkeeperError('invalid', `${path} holds a key of the kind ${key.asymmetricKeyType}, not Ed25519`, {
    hint,
  });
}

const codes: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  EACCES: ['denied', 'Give the user that runs lockkeeper the right to read it.'],
  EPERM: ['denied', 'Give the user that runs lockkeeper the right to read it.'],
  EROFS: ['denied', 'There is no key, and the file system is read-only: put one there, or name another path.'],
  EISDIR: ['invalid', 'It is a directory: name a file.'],
  ENOTDIR: ['invalid', 'Part of the path is a file: name another path.'],
  ENOSPC: ['rejected', 'The disk is full, and no key was made: make room.'],
  EDQUOT: ['rejected', 'The quota is used up, and no key was made: make room.'],
};

/** Errors of the file system as ours; what is not in the table is `unreachable`. */
async function filed<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    const isOfSystem = typeof thrown === 'object' && thrown !== null && 'syscall' in thrown && 'code' in thrown;
    if (!isOfSystem) throw asLockkeeperError(thrown);
    const [code, hint] = codes[String(thrown.code)] ?? ['unreachable', 'Check the disk and its mount.'];
    throw new LockkeeperError(code, `the signing key ${path}: ${String(thrown.code)}`, { hint, cause: thrown });
  }
}
