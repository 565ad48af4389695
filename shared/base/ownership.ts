import { readFileSync } from 'node:fs';
import { lstat, readlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** What a file system says about who may do what; as fs.Stats has it. */
export interface Owned {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** Why something is not in the hands of this account and root alone. */
export interface Doubt {
  readonly path: string;
  /** As the rest of a sentence that begins with the path. */
  readonly why: string;
  /** What to do about it, as a sentence. */
  readonly fix: string;
}

/** True for this account and for root; always true where the system has no accounts of this kind (Windows). */
export function isTrusted(uid: number): boolean {
  const me = process.geteuid?.();
  return me === undefined || uid === 0 || uid === me;
}

/**
 * True where another account may write: everybody, or a group that has other members than this account. POSIX ACLs
 * are in it, for the bits of the group are their mask; an ACL on a file of this account's own private group is taken
 * for its owner's wish.
 */
export function isWritableByOthers({ mode, gid }: Owned): boolean {
  if (process.geteuid === undefined) return false;
  return (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && !isPrivateGroup(gid));
}

/** Where a path leads, and the first thing on the way that others could exchange. */
export interface Way {
  /** Without links. */
  readonly real: string;
  readonly doubt: Doubt | undefined;
}

const mostLinks = 40;

/**
 * Walks to `path` from the top, folder by folder and link by link. With no doubt nobody but this account and root can
 * lead it elsewhere, from now on: so what is opened at `real` afterwards is what stood there. The last part itself is
 * not judged, unless it is a folder or a link. Errors of the operating system come as they are (ENOENT, ELOOP).
 */
export async function wayTo(path: string): Promise<Way> {
  let at = resolve('/');
  let rest = parts(resolve(path));
  let doubt = folderDoubt(at, await lstat(at));
  for (let links = 0; rest.length > 0;) {
    const [name = '', ...more] = rest;
    const next = join(at, name);
    const info = await lstat(next);
    if (info.isSymbolicLink()) {
      links += 1;
      if (links > mostLinks) throw Object.assign(new Error(`too many links on the way to ${path}`), { code: 'ELOOP' });
      doubt ??= ownerDoubt(next, info);
      rest = [...parts(resolve(at, await readlink(next))), ...more];
      at = resolve('/');
    } else {
      if (info.isDirectory()) doubt ??= folderDoubt(next, info);
      at = next;
      rest = more;
    }
  }
  return { real: at, doubt };
}

/** Why this folder lets others put another thing under a name in it; in a sticky one (/tmp) only owners may. */
function folderDoubt(path: string, info: Owned): Doubt | undefined {
  const isSticky = (info.mode & 0o1000) !== 0;
  return ownerDoubt(path, info) ?? (isSticky ? undefined : writersDoubt(path, info));
}

/** Why this belongs to somebody else. */
export function ownerDoubt(path: string, { uid }: Owned): Doubt | undefined {
  if (isTrusted(uid)) return undefined;
  const me = process.geteuid?.() ?? 0;
  return {
    path,
    why: `belongs to account ${uid}, and this is account ${me}`,
    fix: `If it should be yours, run: chown ${me} ${path}`,
  };
}

/** Why others may write it. */
export function writersDoubt(path: string, info: Owned): Doubt | undefined {
  if (!isWritableByOthers(info)) return undefined;
  const mode = (info.mode & 0o7777).toString(8).padStart(4, '0');
  const who = (info.mode & 0o002) === 0 ? `the group ${info.gid}` : 'everybody';
  return { path, why: `can be written by ${who} (mode ${mode})`, fix: `Run: chmod go-w ${path}` };
}

function parts(path: string): readonly string[] {
  return path.split(/[\\/]/).filter((part) => part !== '');
}

let accounts: { readonly users: string; readonly groups: string } | undefined;

/**
 * True for the group that many systems give to each account for itself, with an umask that lets it write: it is no
 * other account's first group, and has no members besides. A group that is not listed here (LDAP) may have any.
 */
function isPrivateGroup(gid: number): boolean {
  const me = process.geteuid?.();
  accounts ??= { users: listed('/etc/passwd'), groups: listed('/etc/group') };
  const users = accounts.users.split('\n').map((line) => line.split(':'));
  const mine = users.find(([, , uid]) => uid === String(me))?.[0];
  const group = accounts.groups
    .split('\n')
    .map((line) => line.split(':'))
    .find(([, , id]) => id === String(gid));
  if (mine === undefined || group === undefined) return false;
  const members = (group[3] ?? '').split(',').filter((name) => name !== '');
  const others = users.filter(([name, , , first]) => name !== mine && first === String(gid));
  return others.length === 0 && members.every((name) => name === mine);
}

/** Nothing where it cannot be read: then no group counts as private. */
function listed(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (thrown) {
    if (typeof thrown === 'object' && thrown !== null && 'code' in thrown) return '';
    throw thrown;
  }
}
