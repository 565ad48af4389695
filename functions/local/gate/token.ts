import { mkdir, readFile, writeFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LockkeeperError } from '../../../shared/base/error.ts';
import { Sealed } from '../../../shared/base/sealed.ts';
import type { World } from '../../../shared/base/world.ts';
import { systemCode } from '../system-code.ts';

/**
 * The token in `path`; made on first use, readable by its owner only. `denied` where others can read the file. Two
 * processes that begin at once get the same token: the file is created once.
 */
export async function tokenFile(path: string, world: World): Promise<Sealed> {
  await mkdir(dirname(path), { recursive: true });
  const made = Buffer.from(world.random(32)).toString('hex');
  await writeFile(path, `${made}\n`, { mode: 0o600, flag: 'wx' }).catch((cause: unknown) => {
    if (systemCode(cause) !== 'EEXIST') {
      throw new LockkeeperError('denied', `making the token file ${path} failed`, {
        cause,
        hint: 'Check the rights of its directory.',
      });
    }
  });
  return readToken(path);
}

/** The token in `path`. `not-found` without the file, `denied` where others than its owner can read it. */
export async function readToken(path: string): Promise<Sealed> {
  const info = await stat(path).catch((cause: unknown) => {
    throw new LockkeeperError('not-found', `the token file ${path} cannot be read`, {
      cause,
      hint: 'Start the gate once: it makes the file.',
    });
  });
  if (process.platform !== 'win32' && (info.mode & 0o077) !== 0) {
    throw new LockkeeperError('denied', `the token file ${path} can be read by others`, {
      hint: `Run: chmod 600 ${path}`,
    });
  }
  return new Sealed((await readFile(path, 'utf8')).trim());
}
