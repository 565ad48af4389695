import { isUtf8 } from 'node:buffer';
import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from './file-errors.ts';
import { oddKind } from './file-kind.ts';

/** One name in a folder. */
export interface FileName {
  /** Its key; a folder's has a "/" at its end. Bytes that are no UTF-8 are told as \xHH, which no key has. */
  readonly key: string;
  /** Where it is, as the operating system takes it. */
  readonly path: string | Buffer;
  /** What it is, where it is neither a file nor a folder. */
  readonly kind: string | undefined;
}

/** How many names of one folder are held at once; a folder of more is read again for each so many. */
const mostHeld = 250_000;

/**
 * The names in one folder whose key passes `isWanted`, in the order of their keys, folders with "/" at their end, so
 * that "a.b" sorts before "a/b" as it does in a bucket. Memory does not grow with the folder. None where there is no
 * folder.
 */
export async function* namesIn(
  directory: string,
  folder: string,
  isWanted: (key: string) => boolean,
): AsyncGenerator<FileName> {
  let last = '';
  for (;;) {
    const smallest = new Smallest(mostHeld);
    await eachName(join(directory, folder), folder, (name) => {
      if (isWanted(name.key) && (last === '' || inOrder(name.key, last) > 0)) smallest.add(name);
    });
    const names = smallest.end();
    yield* names;
    if (!smallest.isCut) return;
    last = names.at(-1)?.key ?? '';
  }
}

/** The first so many names of those that come in any order. */
class Smallest {
  readonly #most: number;
  #names: FileName[] = [];
  isCut = false;

  constructor(most: number) {
    this.#most = most;
  }

  add(name: FileName): void {
    this.#names.push(name);
    if (this.#names.length >= 2 * this.#most) this.end();
  }

  end(): readonly FileName[] {
    this.#names.sort((a, b) => inOrder(a.key, b.key));
    if (this.#names.length <= this.#most) return this.#names;
    this.isCut = true;
    this.#names.length = this.#most;
    return this.#names;
  }
}

async function eachName(path: string, folder: string, take: (name: FileName) => void): Promise<void> {
  try {
    // Each byte of a name as one letter: a name need not be UTF-8.
    for await (const entry of await opendir(path, { encoding: 'latin1', bufferSize: 512 })) {
      const bytes = Buffer.from(entry.name, 'latin1');
      const name = isUtf8(bytes) ? bytes.toString() : undefined;
      const key = `${folder}${name ?? escaped(bytes)}`;
      take({
        key: entry.isDirectory() ? `${key}/` : key,
        path: name === undefined ? Buffer.concat([Buffer.from(`${path}/`), bytes]) : join(path, name),
        kind: oddKind(entry),
      });
    }
  } catch (thrown) {
    if (!isErrno(thrown, 'ENOENT', 'ENOTDIR')) throw thrown;
  }
}

function escaped(name: Buffer): string {
  return [...name].map(escapedByte).join('');
}

function escapedByte(byte: number): string {
  const isPlain = byte > 0x20 && byte < 0x7f && byte !== 0x5c;
  return isPlain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
}

const outsideTheFirstPlane = /[\uD800-\uDFFF]/;

/** The order of the texts' UTF-8 bytes. It is that of their UTF-16 units, but for letters that take two of these. */
export function inOrder(a: string, b: string): number {
  if (a === b) return 0;
  if (outsideTheFirstPlane.test(a) || outsideTheFirstPlane.test(b))
    return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : 1;
}
