import { LockkeeperError } from '../base/error.ts';
import { createOwnerFile, readOwnerFile } from '../base/owner-file.ts';
import type { World } from '../base/world.ts';

/**
 * The key in `path`: 32 bytes as 64 hex digits, readable by its owner only. `denied` where others may read it,
 * `invalid` where it is no key, undefined where there is no file.
 */
export async function readKey(path: string): Promise<Uint8Array | undefined> {
  const text = await readOwnerFile(path);
  if (text === undefined) return undefined;
  if (/^[0-9a-f]{64}\n?$/.test(text)) return Buffer.from(text.trim(), 'hex');
  throw new LockkeeperError('invalid', `${path} holds no key of 64 hex digits`, {
    hint: 'Restore the key file from a backup.',
  });
}

/**
 * Makes a key where there is none, durable on return. Of two processes that try at once one wins, and both use its key.
 */
export async function createKey(path: string, world: World): Promise<Uint8Array> {
  await createOwnerFile(path, `${Buffer.from(world.random(32)).toString('hex')}\n`, world);
  const key = await readKey(path);
  if (key) return key;
  throw new LockkeeperError('not-found', `${path} was removed while it was made`, { hint: 'Try again.' });
}
