import { dirname } from 'node:path';
import { asLockkeeperError, LockkeeperError } from '../../../shared/base/error.ts';
import { createOwnerFile, readOwnerFile } from '../../../shared/base/owner-file.ts';
import { makePrivateFolder } from '../../../shared/base/private-files.ts';
import { Sealed } from '../../../shared/base/sealed.ts';
import type { World } from '../../../shared/base/world.ts';

/** A shorter token could be guessed from one proof that somebody saw. */
const shortest = 32;

/**
 * The token in `path`; made on first use, readable by its owner only. `denied` where others can read the file, own it
 * or can exchange it. Two processes that begin at once get the same token: the file is created once.
 */
export async function tokenFile(path: string, world: World): Promise<Sealed> {
  try {
    await makePrivateFolder(dirname(path));
    await createOwnerFile(path, `${Buffer.from(world.random(32)).toString('hex')}\n`, world);
  } catch (cause) {
    const hint = 'Check the rights of its directory.';
    throw new LockkeeperError('denied', `making the token file ${path} failed`, { cause, hint });
  }
  return readToken(path);
}

/** The token in `path`. `not-found` without the file, `denied` where others can read it, own it or can exchange it. */
export async function readToken(path: string): Promise<Sealed> {
  const text = await readOwnerFile(path).catch((thrown: unknown) => {
    if (thrown instanceof LockkeeperError) throw thrown;
    const { message } = asLockkeeperError(thrown);
    throw new LockkeeperError('denied', `the token file ${path} cannot be read: ${message}`, { cause: thrown });
  });
  if (text === undefined)
    throw new LockkeeperError('not-found', `the token file ${path} is not there`, {
      hint: 'Start the gate once: it makes the file.',
    });
  const token = text.trim();
  if (token.length >= shortest) return new Sealed(token);
  throw new LockkeeperError('invalid', `the token in ${path} is shorter than ${shortest} characters`, {
    hint: 'Delete the file and start the gate once: it makes a new one.',
  });
}
