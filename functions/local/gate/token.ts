import { dirname } from 'node:path';
import { LockkeeperError } from '../../../shared/base/error.ts';
import { createOwnerFile, readOwnerFile } from '../../../shared/base/owner-file.ts';
import { makePrivateFolder } from '../../../shared/base/private-files.ts';
import { Sealed } from '../../../shared/base/sealed.ts';
import type { World } from '../../../shared/base/world.ts';

/**
 * The token in `path`; made on first use, readable by its owner only. `denied` where others can read the file, own it
 * or can exchange it. Two processes that begin at once get the same token: the file is created once.
 */
export async function tokenFile(path: string, world: World): Promise<Sealed> {
  if ((await readIfThere(path)) !== undefined) return readToken(path);
  try {
    await makePrivateFolder(dirname(path));
    await createOwnerFile(path, `${Buffer.from(world.random(32)).toString('hex')}\n`, world);
  } catch (cause) {
    throw new LockkeeperError('denied', `making the token file ${path} failed`, {
      cause,
      hint: 'Check the rights of its directory.',
    });
  }
  return readToken(path);
}

/** The token in `path`. `not-found` without the file, `denied` where others can read it, own it or can exchange it. */
export async function readToken(path: string): Promise<Sealed> {
  const text = await readIfThere(path);
  if (text !== undefined) return new Sealed(text.trim());
  throw new LockkeeperError('not-found', `there is no token file ${path}`, {
    hint: 'Start the gate once: it makes the file.',
  });
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readOwnerFile(path);
  } catch (cause) {
    if (cause instanceof LockkeeperError) throw cause;
    throw new LockkeeperError('denied', `the token file ${path} cannot be read`, {
      cause,
      hint: 'It has to be a file that the user that runs lockkeeper may read.',
    });
  }
}
