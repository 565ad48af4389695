/** One JSON value of a text, or a stretch of it that is none. `line` counts from 1. */
export type JsonPiece =
  | { readonly line: number; readonly value: unknown; readonly why?: undefined }
  | { readonly line: number; readonly value?: undefined; readonly why: string };

/**
 * The JSON values of a text however they are laid out: one a line, spread over lines, one after the other, or as the
 * members of arrays. Anything between them is given as a piece with a reason, never skipped.
 */
export async function* jsonValues(lines: AsyncIterable<string>): AsyncGenerator<JsonPiece> {
  const pending = new Pending();
  let number = 0;
  for await (const line of lines) {
    number += 1;
    if (pending.isEmpty && line.trim() === '') continue;
    // A whole entry in the middle of another means that the other was cut off: it must not swallow the rest.
    if (pending.isOpenObject && line.startsWith('{') && wholeValue(line) !== undefined) yield* pending.take();
    pending.add(line, number);
    if (pending.isOpen) continue;
    yield* pending.take();
  }
  if (!pending.isEmpty) yield* pending.take();
}

/** Lines that belong together: brackets open outside of strings keep it going. */
class Pending {
  #lines: string[] = [];
  #first = 0;
  #depth = 0;
  #inString = false;
  #whole: unknown;

  get isEmpty(): boolean {
    return this.#lines.length === 0;
  }

  get isOpen(): boolean {
    return this.#depth > 0;
  }

  get isOpenObject(): boolean {
    return this.isOpen && this.#lines[0]?.startsWith('{') === true;
  }

  add(line: string, number: number): void {
    if (this.isEmpty) this.#first = number;
    this.#lines.push(line);
    this.#whole = this.#lines.length === 1 ? wholeValue(line) : undefined;
    if (this.#whole === undefined) this.#follow(line);
  }

  *take(): Generator<JsonPiece> {
    const text = this.#lines.join('\n');
    const line = this.#first;
    const isCutOff = this.isOpen;
    const value = this.#whole ?? parsed(text);
    this.#lines = [];
    this.#depth = 0;
    this.#inString = false;
    const start = JSON.stringify(text.trim().slice(0, 60));
    if (value === undefined) yield { line, why: isCutOff ? `ends in the middle of ${start}` : `not JSON: ${start}` };
    else if (Array.isArray(value)) for (const member of value) yield { line, value: member };
    else yield { line, value };
  }

  /** A string cannot span lines, so a quote left open is closed by the line's end. */
  #follow(line: string): void {
    if (this.#depth === 0 && !/^\s*[[{]/.test(line)) return;
    this.#inString = false;
    for (let at = 0; at < line.length; at += 1) {
      const char = line[at];
      if (this.#inString && char === '\\') at += 1;
      else if (char === '"') this.#inString = !this.#inString;
      else if (!this.#inString && (char === '{' || char === '[')) this.#depth += 1;
      else if (!this.#inString && (char === '}' || char === ']')) this.#depth -= 1;
    }
  }
}

/** A line that begins and ends like a whole value is tried as one first: that is how exports look, and it is fast. */
function wholeValue(line: string): unknown {
  const trimmed = line.trim();
  const closes =
    (trimmed.startsWith('{') && trimmed.endsWith('}')) || (trimmed.startsWith('[') && trimmed.endsWith(']'));
  return closes ? parsed(trimmed) : undefined;
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
 * A whole number of 0 or more, written as number, float or text; undefined where absent, NaN where it is something
 * else.
 */
export function countOf(value: unknown): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const number =
    typeof value === 'number' ? value : typeof value === 'string' && /^\d+(\.0+)?$/.test(value) ? Number(value) : NaN;
  return Number.isInteger(number) && number >= 0 ? number : NaN;
}
