import { LockkeeperError, asLockkeeperError, type ErrorCode } from '../base/error.ts';

/** True for an error of the operating system with one of these names (ENOENT, EEXIST, …). */
export function isErrno(thrown: unknown, ...names: readonly string[]): boolean {
  const name = errnoOf(thrown);
  return name !== undefined && names.includes(name);
}

const meanings: Readonly<Record<string, { readonly code: ErrorCode; readonly came: string; readonly hint: string }>> = {
  EACCES: {
    code: 'denied',
    came: 'permission denied',
    hint: 'Give the user that runs lockkeeper the right to read and write there.',
  },
  EPERM: {
    code: 'denied',
    came: 'not permitted',
    hint: 'Give the user that runs lockkeeper the right to read and write there.',
  },
  EROFS: {
    code: 'denied',
    came: 'the file system is read-only',
    hint: 'Mount it writable, or choose another directory.',
  },
  ENOSPC: {
    code: 'rejected',
    came: 'store full: no space left',
    hint: 'Free space on this file system; nothing was written.',
  },
  EDQUOT: {
    code: 'rejected',
    came: 'store full: quota used up',
    hint: 'Raise the quota of this user; nothing was written.',
  },
  EFBIG: {
    code: 'rejected',
    came: 'store full: the file would be too large',
    hint: 'Raise the file size limit; nothing was written.',
  },
  ENOTDIR: {
    code: 'invalid',
    came: 'part of the path is an object',
    hint: 'An object cannot be the folder of another one here.',
  },
  EEXIST: {
    code: 'invalid',
    came: 'part of the path is an object',
    hint: 'An object cannot be the folder of another one here.',
  },
  EISDIR: {
    code: 'invalid',
    came: 'the path is a folder',
    hint: 'An object cannot be the folder of another one here.',
  },
  ENAMETOOLONG: { code: 'invalid', came: 'the name is too long', hint: 'Use segments of at most 250 characters.' },
  EMFILE: { code: 'throttled', came: 'too many open files', hint: 'Raise the limit of open files (ulimit -n).' },
  ENFILE: { code: 'throttled', came: 'too many open files on this machine', hint: 'Raise the limit of open files.' },
};

/**
 * An error of the operating system in our codes; `written`: the effect had taken place before, so it is `uncertain`.
 * What is not in the table (EIO, a vanished device) is `unreachable`; what is no such error stays what it is.
 */
export function fileError(thrown: unknown, tried: string, written: boolean): LockkeeperError {
  const name = errnoOf(thrown);
  if (name === undefined) return asLockkeeperError(thrown);
  const known = meanings[name];
  const came = known?.came ?? 'the file system failed';
  if (written) {
    const hint = 'It may have been written: read it back.';
    return new LockkeeperError('uncertain', `${tried}: ${came} (${name}) after the write`, { cause: thrown, hint });
  }
  const hint = known?.hint ?? 'Check the disk and its mount; nothing was written.';
  return new LockkeeperError(known?.code ?? 'unreachable', `${tried}: ${came} (${name})`, { cause: thrown, hint });
}

/** Not instanceof: errors of Node itself come from another realm where code runs in a vm, as under jest. */
function errnoOf(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('syscall' in thrown && 'code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}
