import type { ObjectInfo } from './contract.ts';
import { lstat } from 'node:fs/promises';
import { fileError, isErrno } from './file-errors.ts';
import { noObject, oddKind } from './file-kind.ts';
import { inOrder, namesIn, type FileName } from './file-names.ts';
import { ownFolder } from './file-place.ts';
import { isKey, shownKey } from './key.ts';

interface Range {
  readonly prefix: string;
  readonly after: string;
}

/**
 * The files below `directory` whose path begins with `prefix` and comes after `after`, in the order of their paths'
 * UTF-8 bytes. Reads only folders that can hold such a path. Whatever could not be made by this store is listed too,
 * so that an auditor sees it: a file whose name no key could have, what is no file, and a folder that cannot be read
 * or that no key can lie in, which is not looked into. The store's own folder is not listed. What hides the whole range
 * is an error: `conflict` for a link in its place, `denied` for a folder that may not be read.
 */
export async function* walkFiles(directory: string, range: Range): AsyncGenerator<ObjectInfo> {
  const isWanted = (key: string) => key !== `${ownFolder}/` && mayLead(key, range);
  // A stack and no recursion: what somebody nested hundreds of folders deep costs no more than what lies flat.
  const open: { readonly folder: string; readonly names: AsyncIterator<readonly FileName[]> }[] = [];
  const enter = (folder: string) =>
    open.push({ folder, names: inGroups(namesIn(directory, folder, isWanted))[Symbol.asyncIterator]() });
  enter('');
  for (let at = open.at(-1); at; at = open.at(-1)) {
    const next = await nextOf(at.names, at.folder);
    if (next === undefined) open.pop();
    else if ('oddity' in next) {
      open.pop();
      if (range.prefix.startsWith(at.folder)) throw next.thrown;
      yield { key: at.folder.slice(0, -1), size: 0, oddity: next.oddity };
    } else if (next.length === 1 && next[0]?.key.endsWith('/') === true) {
      const key = next[0].key;
      if (isKey(key.slice(0, -1))) enter(key);
      else yield { key: key.slice(0, -1), size: 0, oddity: 'a folder of a name that no object has' };
    } else yield* await lookAt(next, range);
  }
}

type Unread = { readonly oddity: string; readonly thrown: unknown };

/** The next names of a folder; undefined after the last; what is wrong where the folder cannot be read. */
async function nextOf(
  names: AsyncIterator<readonly FileName[]>,
  folder: string,
): Promise<readonly FileName[] | Unread | undefined> {
  try {
    const next = await names.next();
    return next.done === true ? undefined : next.value;
  } catch (thrown) {
    if (!isErrno(thrown, 'EACCES', 'EPERM', 'ENAMETOOLONG', 'ELOOP')) throw thrown;
    const { message } = fileError(thrown, 'read it', false);
    const named = fileError(thrown, `list ${shownKey(folder)}`, false);
    return { oddity: `a folder that cannot be read: ${message}`, thrown: folder === '' ? thrown : named };
  }
}

/** So many files are looked at together: one after the other takes longer than the reading of small ones. */
const atOnce = 32;

/** Files in groups, each folder by itself. */
async function* inGroups(names: AsyncIterable<FileName>): AsyncGenerator<readonly FileName[]> {
  let group: FileName[] = [];
  for await (const name of names) {
    const isFolder = name.key.endsWith('/');
    if (group.length > 0 && (isFolder || group.length === atOnce)) {
      yield group;
      group = [];
    }
    if (isFolder) yield [name];
    else group.push(name);
  }
  if (group.length > 0) yield group;
}

async function lookAt(group: readonly FileName[], range: Range): Promise<readonly ObjectInfo[]> {
  const infos = await Promise.all(group.map(infoOf));
  return infos.flatMap((info) => {
    if (!info) return [];
    if (info.key.startsWith(range.prefix)) return inOrder(info.key, range.after) > 0 ? [info] : [];
    // It lies where a folder would be that holds the range.
    if (info.oddity === undefined) return [];
    throw noObject(shownKey(info.key), info.oddity);
  });
}

/** Undefined where it went away meanwhile. */
async function infoOf({ key, path, kind }: FileName): Promise<ObjectInfo | undefined> {
  if (kind !== undefined) return { key, size: 0, oddity: kind };
  try {
    const info = await lstat(path, { bigint: true });
    const odd = info.isDirectory() ? 'a folder' : oddKind(info);
    return { key, size: Number(info.size), ...(odd === undefined ? {} : { oddity: odd }) };
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT', 'ENOTDIR')) return undefined;
    if (!isErrno(thrown, 'EACCES', 'EPERM', 'ENAMETOOLONG')) throw thrown;
    return { key, size: 0, oddity: `a file that cannot be looked at: ${fileError(thrown, 'look', false).message}` };
  }
}

/** Whether a name is in the range, is a folder that may hold it, or lies where such a folder would. */
function mayLead(key: string, { prefix, after }: Range): boolean {
  if (!key.endsWith('/')) return (key.startsWith(prefix) && inOrder(key, after) > 0) || prefix.startsWith(`${key}/`);
  const hasPrefix = key.startsWith(prefix) || prefix.startsWith(key);
  return hasPrefix && (inOrder(key, after) > 0 || after.startsWith(key));
}
