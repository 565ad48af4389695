import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { inspect } from 'node:util';
import { partsHolding, type Part } from './value-forms.ts';

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

  /** Where a text of somebody else holds the secret, a telling part or an encoding of it: from and to, in any order. */
  partsIn(text: string): readonly Part[] {
    return partsHolding(text, this.#text);
  }

  /**
   * `KEYID:DIGITS`, so that two log lines can be matched without the secret. DIGITS are the first 16 hex digits of
   * HMAC-SHA-256 under `key`. KEYID, the first 8 of the key's SHA-256, tells fingerprints apart that were made under
   * different keys.
   */
  fingerprint(key: Uint8Array): string {
    const digits = createHmac('sha256', key).update(this.#text).digest('hex').slice(0, 16);
    return `${createHash('sha256').update(key).digest('hex').slice(0, 8)}:${digits}`;
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
