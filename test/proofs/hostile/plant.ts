import { linkSync, mkdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nest, strangeNames, type Thing } from './things.ts';
import type { Template } from './ground.ts';

/** A directory that somebody changes. */
export interface Ground {
  readonly template: Template;
  /** Where its objects lie below the directory: '' or 'log/'. */
  readonly root: string;
  readonly things: readonly Thing[];
  readonly random: () => number;
  /** Files in whose place something was put already. */
  readonly taken?: ReadonlySet<string>;
}

/** What was planted. */
export interface Planted {
  readonly what: string;
  /** How it is told: its own key, or that of the folder it lies in. */
  readonly key: string;
  /** An empty folder is told as what it takes the place of is: by its absence, where that shows. */
  readonly isAbsence?: boolean;
  /** The object whose place it took. */
  readonly inPlaceOf?: string;
}

/** One of several. */
export function pick<Item>(from: readonly Item[], random: () => number): Item {
  const item = from[Math.floor(random() * from.length)];
  if (item === undefined) throw new Error('there is nothing to pick from');
  return item;
}

/** Plants one thing in `hostile`; undefined where another one is in its way. */
export function plantOne(ground: Ground, hostile: string): Planted | undefined {
  const { template, root, things, random } = ground;
  const inRoot = template.folders.filter((folder) => folder.startsWith(root) && !folder.includes('~lockkeeper'));
  const folders = [root.replace(/\/$/, ''), ...inRoot];
  const chance = random();
  try {
    if (chance < 0.35) return inPlace(ground, hostile);
    if (chance < 0.75) return foreign(pick(folders, random), pick(things, random), { ground, hostile });
    if (chance < 0.85) return folderOfFiles(pick(folders, random), ground, hostile);
    return double(pick(folders, random), ground, hostile);
  } catch (thrown) {
    // Another thing took the place before: then there is nothing more to plant.
    if (
      thrown instanceof Error &&
      'code' in thrown &&
      /^(EEXIST|ENOENT|ENOTDIR|ELOOP|EISDIR|ENAMETOOLONG|EINVAL|EPERM)$/.test(String(thrown.code))
    )
      return undefined;
    throw thrown;
  }
}

/** In the place of an object. Without its checkpoint a directory is no export at all: there is nothing to compare with. */
function inPlace({ template, root, things, random, taken }: Ground, hostile: string): Planted | undefined {
  const file = pick(
    objectsOf(template, root).filter((one) => one !== 'checkpoint'),
    random,
  );
  if (taken?.has(file) === true) return undefined;
  const thing = pick(
    things.filter(({ name }) => name !== 'foreign file' && name !== 'empty file' && name !== 'holes'),
    random,
  );
  unlinkSync(join(hostile, file));
  if (random() < 0.1) {
    mkdirSync(join(hostile, file));
    return { what: `a folder for ${file}`, key: file.slice(root.length), isAbsence: true, inPlaceOf: file };
  }
  thing.make(join(hostile, file));
  return { what: `${thing.name} for ${file}`, key: file.slice(root.length), inPlaceOf: file };
}

/** Objects that the log cannot do without. */
export function objectsOf(template: Template, root: string): readonly string[] {
  return template.files.filter(
    (file) =>
      file.startsWith(root) &&
      /^(inbox\/.*\/run-|seq\/|cp\/|tile\/|evidence\/|checkpoint|entries\.csv|ocsf\/)/.test(file.slice(root.length)),
  );
}

function foreign(
  folder: string,
  thing: Thing,
  { ground, hostile }: { readonly ground: Ground; readonly hostile: string },
): Planted {
  const isKey = ground.random() < 0.4;
  const name = isKey ? { bytes: Buffer.from(ownNameIn(folder, ground)), told: '' } : pick(strangeNames, ground.random);
  const path = Buffer.concat([Buffer.from(`${join(hostile, folder)}/`), name.bytes]);
  thing.make(path);
  const below = folder.slice(ground.root.length);
  return {
    what: `${thing.name} in ${folder}`,
    key: `${below === '' ? '' : `${below}/`}${isKey ? name.bytes.toString() : name.told}`,
  };
}

/** A name as own objects have them in this folder, of no object that there is. */
function ownNameIn(folder: string, { random }: Ground): string {
  const digits = String(Math.floor(random() * 1e6) + 5_000);
  if (/(seq|cp|cosig)$/.test(folder)) return digits.padStart(20, '0');
  if (/inbox\/.*\/./.test(folder)) return digits.padStart(8, '0');
  if (folder.includes('tile')) return String(900 + Math.floor(random() * 99));
  return `${digits}.json`;
}

function folderOfFiles(folder: string, { root, random }: Ground, hostile: string): Planted {
  const name = pick(['deep', 'sp ace', 'x'.repeat(200), 'new\nfolder'], random);
  nest(join(hostile, folder), name, name.length > 100 ? 3 : pick([1, 1, 2, 5, 20, 20, 20, 150], random));
  const below = folder.slice(root.length);
  return { what: `folders in ${folder}`, key: `${below === '' ? '' : `${below}/`}${name}` };
}

/** A genuine object under a foreign name, as a hard link of it. */
function double(folder: string, { template, root, random }: Ground, hostile: string): Planted {
  const name = pick(strangeNames, random);
  linkSync(
    join(template.directory, pick(objectsOf(template, root), random)),
    Buffer.concat([Buffer.from(`${join(hostile, folder)}/`), name.bytes]),
  );
  const below = folder.slice(root.length);
  return { what: `hard link in ${folder}`, key: `${below === '' ? '' : `${below}/`}${name.told}` };
}

/** An object one bit of which was turned. */
export interface Flipped {
  readonly file: string;
  /** Which bit of it. */
  readonly bit: number;
  /** Puts it into another copy of the same directory. */
  readonly writeTo: (directory: string) => void;
}

/** So many bits of an object are turned, spread over it, in one round or another. */
const bitsOfEach = 4;

/** Turns one bit of one object. */
export function flipOne({ template, root, random }: Ground, hostile: string): Flipped {
  const file = pick(objectsOf(template, root), random);
  const bytes = readFileSync(join(template.directory, file));
  const bit = Math.floor((Math.floor(random() * bitsOfEach) * bytes.length * 8) / bitsOfEach) + (file.length % 8);
  bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  const writeTo = (directory: string) => {
    rmSync(join(directory, file));
    writeFileSync(join(directory, file), bytes, { flag: 'wx' });
  };
  writeTo(hostile);
  return { file, bit, writeTo };
}
