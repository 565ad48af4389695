import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { Sealed } from '../shared/base/sealed.ts';
import type { ObjectStore } from '../shared/objects/contract.ts';

/**
 * A secret whose text is known, to be handed to the code as a value; afterwards everything that came out is searched
 * for it. Found also where it is in base64, hex, UTF-16, percent encoding, JSON escapes, doubled quotes, or gzip, and cut off
 * where it is long.
 */
export class PlantedSecret {
  readonly #text: string;
  readonly #leaks: string[] = [];
  #searched = 0;

  /** Letters, digits and signs, so that escapes and encodings show. */
  constructor(text = 'pl4nted+secret/"ü&7Qz') {
    this.#text = text;
  }

  /** The secret for code that takes it sealed. */
  sealed(): Sealed {
    return new Sealed(this.#text);
  }

  /** The secret for what takes it bare: a file, a variable, a database. */
  bare(): string {
    return this.#text;
  }

  /** Searches anything: bytes, a text, an error with its causes, any value as it prints and as JSON. */
  search(where: string, came: unknown): this {
    this.#searched += 1;
    const texts = came instanceof Uint8Array ? [...bytesAsText(came)] : [printed(came), asJson(came)];
    for (const form of encodings(this.#text)) {
      if (texts.some((text) => text.includes(form))) {
        this.#leaks.push(where);
        break;
      }
    }
    return this;
  }

  /** Searches keys and bytes of every object. */
  async searchObjects(where: string, store: ObjectStore): Promise<this> {
    for await (const { key } of store.list(''))
      this.search(`${where}: ${key}`, key).search(`${where}: ${key}`, (await store.get(key))?.bytes);
    return this;
  }

  /** Searches names and bytes of every file below `directory`, except those whose path contains one of `except`. */
  async searchDirectory(directory: string, ...except: readonly string[]): Promise<this> {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      const path = join(entry.parentPath, entry.name);
      this.search(`the name ${path}`, path);
      if (entry.isFile() && !except.some((part) => path.includes(part))) this.search(path, await readFile(path));
    }
    return this;
  }

  /** Where it was found. */
  get leaks(): readonly string[] {
    return [...new Set(this.#leaks)];
  }

  /** Throws where the secret was found, or where nothing was searched at all. */
  expectNowhere(): void {
    if (this.#searched === 0) throw new Error('nothing was searched for the planted secret');
    if (this.#leaks.length > 0) throw new Error(`the planted secret came out in: ${this.leaks.join(', ')}`);
  }
}

function encodings(text: string): readonly string[] {
  const bytes = Buffer.from(text);
  const json = JSON.stringify(text).slice(1, -1);
  return [
    text,
    json,
    JSON.stringify(json).slice(1, -1),
    encodeURIComponent(text),
    encodeURIComponent(text).replaceAll(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase()),
    new URLSearchParams([['', text]]).toString().slice(1),
    text.replaceAll('"', '""'),
    text.replaceAll("'", "''"),
    asAscii(text),
    inspect(text).slice(1, -1),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    ...beginningOf(text),
    ...base64Forms(bytes),
    ...utf16Forms(text),
  ];
}

/** JSON that keeps to ASCII, as other languages write it. */
function asAscii(text: string): string {
  return JSON.stringify(text)
    .slice(1, -1)
    .replaceAll(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A message that is cut in the middle of a long secret tells enough of it. */
function beginningOf(text: string): readonly string[] {
  return text.length > 64 ? [text.slice(0, 32)] : [];
}

/** What base64 makes of the bytes, wherever in a longer text they stand: the middle of each of the three alignments. */
function base64Forms(bytes: Buffer): readonly string[] {
  return [0, 1, 2].flatMap((shift) => {
    const whole = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    const middle = whole.replace(/=+$/, '').slice(shift === 0 ? 0 : 4, -3);
    return [middle, middle.replaceAll('+', '-').replaceAll('/', '_')];
  });
}

/** UTF-16 either way round, as bytes that are read one by one. */
function utf16Forms(text: string): readonly string[] {
  const bytes = Buffer.from(text, 'utf16le');
  return [bytes.toString('latin1'), Buffer.from(bytes).swap16().toString('latin1'), ...base64Forms(bytes)];
}

function* bytesAsText(bytes: Uint8Array): Generator<string> {
  yield Buffer.from(bytes).toString('latin1');
  yield Buffer.from(bytes).toString('utf8');
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) yield gunzipSync(bytes).toString('utf8');
}

/** As it prints, every property at any depth; texts as they are. */
function printed(value: unknown): string {
  return typeof value === 'string'
    ? value
    : inspect(value, { depth: null, showHidden: true, maxStringLength: null, maxArrayLength: null });
}

function asJson(value: unknown): string {
  const parts: unknown[] = [value];
  for (let error = value; error instanceof Error; error = error.cause)
    parts.push(error.message, error.stack, Object.entries(error));
  return JSON.stringify(parts, (_, one: unknown) => (typeof one === 'bigint' ? String(one) : one));
}
