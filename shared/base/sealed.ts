import { createHmac, timingSafeEqual } from 'node:crypto';
import { inspect } from 'node:util';

/**
 * A secret text. It prints as `[sealed]` in strings, JSON, templates and inspect.
 * Only drivers call `open()`.
 */
export class Sealed {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The secret itself. Never put the answer into an error, a log, a journal or a command line. */
  open(): string {
    return this.#text;
  }

  /** Compares in constant time for texts of equal length. */
  equals(other: Sealed): boolean {
    const mine = Buffer.from(this.#text);
    const theirs = Buffer.from(other.#text);
    return mine.length === theirs.length && timingSafeEqual(mine, theirs);
  }

  /** HMAC-SHA-256 under `key`, first 16 hex digits: two log lines can be matched without the secret. */
  fingerprint(key: Uint8Array): string {
    return createHmac('sha256', key).update(this.#text).digest('hex').slice(0, 16);
  }

  toString(): string {
    return '[sealed]';
  }

  toJSON(): string {
    return '[sealed]';
  }

  [inspect.custom](): string {
    return '[sealed]';
  }
}
