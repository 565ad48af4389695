import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { hasErrno } from '../base/errno.ts';
import { LockkeeperError } from '../base/error.ts';
import { withoutLogins } from '../base/without-logins.ts';
import { ownerDoubt, wayTo, writersDoubt, type Doubt } from '../base/ownership.ts';

/** A configuration before it is read. */
export interface ConfigFile {
  /** Absolute. */
  readonly path: string;
  /** The directory from which it was found upward; undefined where a person named it. */
  readonly foundFrom: string | undefined;
}

/**
 * The text of a configuration, with errors that say what to do. One that nobody named is used only where it, every
 * folder and every link that leads to it belong to this account or root and nobody else may write them (`denied`), as
 * ssh asks of its own: else whoever may write above a working directory says where secrets go. Of one that a person
 * named only that not everybody may write it: whose it is the person knows.
 */
export async function readText(file: ConfigFile): Promise<string> {
  let handle: FileHandle | undefined;
  try {
    handle = file.foundFrom === undefined ? await openNamed(file.path) : await openFound(file.path, file.foundFrom);
    // The file that was judged, whatever stands under its name by now.
    return await handle.readFile('utf8');
  } catch (cause) {
    throw unreadable(file.path, cause);
  } finally {
    await handle?.close();
  }
}

async function openNamed(path: string): Promise<FileHandle> {
  const handle = await open(path, 'r');
  const { mode } = await handle.stat();
  if (process.geteuid === undefined || (mode & 0o002) === 0) return handle;
  await handle.close();
  const shown = withoutLogins(path);
  throw new LockkeeperError('denied', `the configuration ${shown} is not used: everybody can write it`, {
    hint: `See who changed it, then run: chmod go-w ${shown}`,
  });
}

async function openFound(path: string, foundFrom: string): Promise<FileHandle> {
  const { real, doubt: onTheWay } = await wayTo(path);
  if (onTheWay) throw unsafe(path, foundFrom, onTheWay);
  const handle = await open(real, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  const info = await handle.stat();
  const doubt = ownerDoubt(path, info) ?? writersDoubt(path, info);
  if (doubt === undefined) return handle;
  await handle.close();
  throw unsafe(path, foundFrom, doubt);
}

function unsafe(path: string, foundFrom: string, doubt: Doubt): LockkeeperError {
  const what = doubt.path === path ? 'it' : doubt.path;
  return new LockkeeperError(
    'denied',
    `the configuration ${path}, found in or above ${foundFrom}, is not used: ${what} ${doubt.why}`,
    {
      hint: `Whoever can write it says where secrets go. If you mean this file, name it: --config ${path}. ${doubt.fix}`,
    },
  );
}

function unreadable(named: string, thrown: unknown): LockkeeperError {
  if (thrown instanceof LockkeeperError) return thrown;
  const path = withoutLogins(named);
  // The system's own words have the path in them.
  const cause = path === named ? thrown : undefined;
  if (hasErrno(thrown, 'ENOENT'))
    return new LockkeeperError('not-found', `there is no configuration at ${path}`, {
      cause,
      hint: 'Check the path given by --config or LOCKKEEPER_CONFIG.',
    });
  if (hasErrno(thrown, 'EACCES'))
    return new LockkeeperError('denied', `the configuration at ${path} may not be read`, {
      cause,
      hint: 'Let the user that runs lockkeeper read it.',
    });
  return new LockkeeperError('invalid', `the configuration at ${path} cannot be read`, {
    cause,
    hint: 'It has to be a file.',
  });
}
