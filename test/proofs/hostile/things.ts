import { spawnSync } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, renameSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Something hostile that can lie anywhere; `make` puts it to a path where nothing is. */
export interface Thing {
  readonly name: string;
  readonly make: (path: string | Buffer) => void;
}

/**
 * Every kind of thing that a directory can hold and no store writes. FIFOs, a socket and devices are made once in a
 * folder of their own and linked from there; `left` names those that this account or file system cannot make.
 */
export async function hostileThings(
  base: string,
): Promise<{ readonly things: readonly Thing[]; readonly left: readonly string[] }> {
  const at = mkdtempSync(join(base, 'things-'));
  const made = (name: string, words: readonly string[]) =>
    spawnSync(words[0] ?? '', words.slice(1), { cwd: at }).status === 0 ? [name] : [];
  const special = [
    ...made('FIFO', ['mkfifo', 'FIFO']),
    ...made('endless device', ['mknod', 'endless device', 'c', '1', '5']),
    ...made('empty device', ['mknod', 'empty device', 'c', '1', '3']),
    ...(await socketAt(join(at, 'socket'))),
  ];
  writeFileSync(join(at, 'huge sparse file'), '');
  truncateSync(join(at, 'huge sparse file'), 2 ** 40);
  writeFileSync(join(at, 'empty file'), '');
  writeFileSync(join(at, 'foreign file'), 'not of this log\n'.repeat(50));
  writeFileSync(join(at, 'holes'), '');
  truncateSync(join(at, 'holes'), 5_000);
  const linked = [...special, 'huge sparse file', 'empty file', 'foreign file', 'holes'].map((name): Thing => ({
    name,
    make: (path) => linkSync(join(at, name), path),
  }));
  const links = {
    'dangling link': './nowhere',
    'link to a device': '/dev/zero',
    'link out of the tree': '/etc/passwd',
    'link to a folder': '/etc',
    'link to its folder': '.',
  };
  const symbolic = Object.entries(links).map(([name, to]): Thing => ({ name, make: (path) => symlinkSync(to, path) }));
  const itself: Thing = { name: 'link to itself', make: (path) => symlinkSync(path, path) };
  const wanted = ['FIFO', 'endless device', 'empty device', 'socket'];
  return { things: [...linked, ...symbolic, itself], left: wanted.filter((name) => !special.includes(name)) };
}

/** A socket's name goes away as its server ends; one that was renamed stays. */
async function socketAt(path: string): Promise<readonly string[]> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(`${path}~`, resolve));
  renameSync(`${path}~`, path);
  await new Promise((resolve) => server.close(resolve));
  return ['socket'];
}

/** A name that no object has, and how it is told. */
export interface StrangeName {
  readonly bytes: Buffer;
  readonly told: string;
}

const texts = [
  'notes.txt',
  'new\nline',
  '\u001B[2Jclear',
  '\u202Eesrever',
  'a b',
  '.hidden',
  '~',
  '-rf',
  "it's",
  'ü',
  '😀',
  '$(id)',
  'x'.repeat(255),
  'CHECKPOINT',
  'Log.vkey',
  'INBOX',
  '..x',
  '\\',
  '"',
  '\u007F',
  '*',
  'core',
];

/** Names of every kind: with signs that steer a terminal, of 255 bytes, in another case, that are no UTF-8. */
export const strangeNames: readonly StrangeName[] = [
  ...texts.map((text) => ({ bytes: Buffer.from(text), told: text })),
  { bytes: Buffer.from([0x6e, 0xff, 0xfe]), told: 'n\\xff\\xfe' },
  { bytes: Buffer.from([0xc3, 0x28]), told: '\\xc3(' },
  { bytes: Buffer.from([0xed, 0xa0, 0x80, 0x0a]), told: '\\xed\\xa0\\x80\\x0a' },
];

/** Makes folders in each other with a file in the last; answers the first of them. */
export function nest(folder: string, name: string, depth: number): void {
  const deepest = join(folder, ...Array.from({ length: depth }, () => name));
  mkdirSync(deepest, { recursive: true });
  writeFileSync(join(deepest, 'file'), 'x');
}

/** Where tests have their directories: in memory where there is such a place. */
export function quickPlace(): string {
  try {
    return mkdtempSync('/dev/shm/lockkeeper-hostile-');
  } catch {
    return mkdtempSync(join(tmpdir(), 'lockkeeper-hostile-'));
  }
}

/** The folder of a path below a directory. */
export function folderOf(directory: string, path: string): string {
  return dirname(join(directory, path));
}
