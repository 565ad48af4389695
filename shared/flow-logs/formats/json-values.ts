import { most } from '../limits.ts';
import type { Part } from '../content.ts';

/** One JSON value of a text, or a stretch of it that is none. `line` counts from 1. */
export type JsonPiece =
  | { readonly line: number; readonly value: unknown; readonly why?: undefined }
  | { readonly line: number; readonly value?: undefined; readonly why: string };

/**
 * The JSON values of a text however they are laid out: one a line, spread over lines, one after the other, or as the
 * members of arrays. Anything between them is given as a piece with a reason, never skipped. A value that is too large to
 * be parsed at once is read member by member, so memory is bounded however long the text is.
 */
export async function* jsonValues(parts: AsyncIterable<Iterable<Part>>): AsyncGenerator<JsonPiece> {
  const pending = new Pending();
  let number = 1;
  for await (const some of parts) {
    for (const part of some) {
      const line = number;
      if (part.ends) number += 1;
      // Between values and inside of one a blank line says nothing.
      if (part.ends && pending.isAtLineStart && part.text.trim() === '') continue;
      for (const piece of piecesOf(pending, part, line)) yield piece;
    }
  }
  if (!pending.isEmpty) yield* pending.take();
}

function* piecesOf(pending: Pending, { text, ends }: Part, line: number): Generator<JsonPiece> {
  // A whole entry in the middle of another means that the other was cut off: it must not swallow the rest.
  if (pending.isOpenObject && ends && text.startsWith('{') && wholeValue(text) !== undefined) yield* pending.take();
  yield* pending.add(text, line);
  if (!ends) return;
  pending.endLine();
  if (!pending.isOpen) yield* pending.take();
}

/** Lines that belong together: brackets open outside of strings keep it going. */
class Pending {
  #parts: string[] = [];
  #chars = 0;
  #first = 0;
  #open = new Brackets();
  #whole: unknown;
  #isAtLineStart = true;
  /** The lines so far were too many to be parsed at once, and went here. */
  #members: Members | undefined;

  get isEmpty(): boolean {
    return this.#parts.length === 0 && this.#members === undefined;
  }

  /** The line before has ended. */
  get isAtLineStart(): boolean {
    return this.#isAtLineStart;
  }

  get isOpen(): boolean {
    return this.#open.depth > 0;
  }

  get isOpenObject(): boolean {
    return this.isOpen && this.#members === undefined && this.#parts[0]?.startsWith('{') === true;
  }

  *add(text: string, number: number): Generator<JsonPiece> {
    if (this.isEmpty) this.#first = number;
    this.#isAtLineStart = false;
    // Of what is no JSON at all the beginning is enough to say so.
    if (!this.isOpen && this.#chars > most.valueChars) return;
    if (this.#members !== undefined) {
      this.#open.follow(text);
      yield* this.#members.add(text);
      return;
    }
    this.#parts.push(text);
    // Each string costs more than its characters.
    this.#chars += text.length + 16;
    this.#whole = this.#parts.length === 1 ? wholeValue(text) : undefined;
    if (this.#whole === undefined && (this.isOpen || /^\s*[[{]/.test(text))) this.#open.follow(text);
    const isTooDense = this.#open.opened > most.brackets;
    if (this.#whole !== undefined || !(isTooDense || (this.isOpen && this.#chars > most.valueChars))) return;
    this.#members = new Members(this.#first);
    for (const part of this.#parts.splice(0)) yield* this.#members.add(part);
  }

  /** A string cannot span lines, so a quote left open is closed by the line's end. */
  endLine(): void {
    this.#open.isInString = false;
    this.#isAtLineStart = true;
    this.#members?.endLine();
    if (this.#members === undefined) this.#parts.push('\n');
  }

  *take(): Generator<JsonPiece> {
    const isCutOff = this.isOpen;
    const line = this.#first;
    const members = this.#members;
    const text = this.#parts.join('');
    const value = this.#whole ?? (members === undefined ? parsed(text) : undefined);
    this.#parts = [];
    this.#chars = 0;
    this.#members = undefined;
    this.#whole = undefined;
    this.#open = new Brackets();
    if (members !== undefined) {
      yield* members.end(isCutOff);
      return;
    }
    const start = JSON.stringify(text.slice(0, 600).trim().slice(0, 60));
    if (value === undefined) yield { line, why: isCutOff ? `ends in the middle of ${start}` : `not JSON: ${start}` };
    else if (Array.isArray(value)) for (const member of value) yield { line, value: member };
    else yield { line, value };
  }
}

/** How deep a text is in brackets so far. */
class Brackets {
  depth = 0;
  opened = 0;
  isInString = false;
  #isEscaped = false;

  follow(text: string): void {
    for (let at = 0; at < text.length; at += 1) this.step(text.charCodeAt(at));
  }

  /** 1: a bracket opened, -1: one closed, 0: neither. */
  step(char: number): number {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (this.isInString && char === backslash) this.#isEscaped = true;
    else if (char === quote) this.isInString = !this.isInString;
    else if (!this.isInString && (char === braceOpen || char === bracketOpen)) return this.#moved(1);
    else if (!this.isInString && (char === braceClose || char === bracketClose)) return this.#moved(-1);
    return 0;
  }

  #moved(by: number): number {
    this.depth += by;
    if (by > 0) this.opened += 1;
    return by;
  }
}

const [quote, backslash, bracketOpen, bracketClose, braceOpen, braceClose] = [34, 92, 91, 93, 123, 125];

/**
 * The objects in the lists of one large value: the members of an array, or of the arrays that an object holds
 * (`records`, `logEvents`). Each alone is parsed at once, and must not be too large itself.
 */
class Members {
  readonly #line: number;
  readonly #at = new Brackets();
  #level: number | undefined;
  #parts: string[] = [];
  #chars = 0;
  #found = 0;
  /** Brackets opened before the member. */
  #before = 0;

  constructor(line: number) {
    this.#line = line;
  }

  *add(text: string): Generator<JsonPiece> {
    let from = this.#isInside ? 0 : text.length;
    for (let at = 0; at < text.length; at += 1) {
      const char = text.charCodeAt(at);
      const moved = this.#at.step(char);
      if (moved === 0) continue;
      this.#level ??= char === bracketOpen ? 1 : 2;
      if (moved > 0 && this.#at.depth === this.#level + 1) [from, this.#before] = [at, this.#at.opened];
      else if (moved < 0 && this.#at.depth === this.#level) {
        this.#keep(text.slice(from, at + 1));
        from = text.length;
        yield this.#member();
      }
    }
    if (this.#isInside) this.#keep(text.slice(from));
  }

  endLine(): void {
    this.#at.isInString = false;
    if (this.#isInside) this.#keep('\n');
  }

  *end(isCutOff: boolean): Generator<JsonPiece> {
    if (isCutOff) yield { line: this.#line, why: 'ends in the middle of a value' };
    else if (this.#found === 0) yield { line: this.#line, why: 'a value without members that is too large' };
  }

  get #isInside(): boolean {
    return this.#level !== undefined && this.#at.depth > this.#level;
  }

  #keep(text: string): void {
    this.#chars += text.length + 16;
    if (this.#chars <= most.valueChars) this.#parts.push(text);
  }

  #member(): JsonPiece {
    this.#found += 1;
    const isTooLarge = this.#chars > most.valueChars || this.#at.opened - this.#before > most.brackets;
    const value = isTooLarge ? undefined : parsed(this.#parts.join(''));
    this.#parts = [];
    this.#chars = 0;
    const line = this.#line;
    if (value !== undefined) return { line, value };
    return {
      line,
      why: isTooLarge
        ? `a value of more than ${most.valueChars} characters or ${most.brackets} brackets`
        : 'a member that is no JSON',
    };
  }
}

/** A line that begins and ends like a whole value is tried as one first: that is how exports look, and it is fast. */
function wholeValue(line: string): unknown {
  if (line.length > most.valueChars || (line.length > most.brackets && isDense(line))) return undefined;
  const trimmed = line.trim();
  const closes =
    (trimmed.startsWith('{') && trimmed.endsWith('}')) || (trimmed.startsWith('[') && trimmed.endsWith(']'));
  return closes ? parsed(trimmed) : undefined;
}

/** More brackets than is parsed at once; those in strings are counted too. */
function isDense(text: string): boolean {
  let opened = 0;
  for (let at = 0; at < text.length && opened <= most.brackets; at += 1) {
    const char = text.charCodeAt(at);
    if (char === braceOpen || char === bracketOpen) opened += 1;
  }
  return opened > most.brackets;
}

/** Undefined for what is no JSON, and for a bare scalar, which no log is made of. */
function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}

/** `value` as an object to read members of; an empty one where it is none. */
export function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {};
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `value` as a list; empty where it is none. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A text; undefined for anything else and for the empty one. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/**
 * A whole number of 0 or more and no more than any counter, written as number, float or text; undefined where absent, NaN where it is something
 * else.
 */
export function countOf(value: unknown): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const number =
    typeof value === 'number' ? value : typeof value === 'string' && /^\d+(\.0+)?$/.test(value) ? Number(value) : NaN;
  return Number.isInteger(number) && number >= 0 && number <= most.counter ? number : NaN;
}
