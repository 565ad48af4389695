/**
 * True for a message of a server that lockkeeper can be sent and that is whole: every text ends, every count fits, and
 * nothing is left over. pg's own reader takes that for granted, and looks for the end of a text for ever.
 * https://www.postgresql.org/docs/18/protocol-message-formats.html
 */
export function isWellFormed(type: string, body: Buffer): boolean {
  const shape = shapes[type];
  if (!shape) return false;
  const cursor = new Cursor(body);
  return shape(cursor) && cursor.isAtEnd();
}

const empty = () => true;

/** By type. What only copies, notifications and named portals need is not among them. */
const shapes: Readonly<Record<string, (cursor: Cursor) => boolean>> = {
  R: authentication,
  S: (cursor) => cursor.text() && cursor.text(),
  K: (cursor) => cursor.skip(8) && cursor.rest(),
  Z: (cursor) => cursor.skip(1),
  C: (cursor) => cursor.text(),
  E: fields,
  N: fields,
  T: (cursor) => cursor.repeated(() => cursor.text() && cursor.skip(18)),
  D: (cursor) => cursor.repeated(() => value(cursor)),
  I: empty,
  n: empty,
  s: empty,
  1: empty,
  2: empty,
  3: empty,
};

/** A code, and what belongs to it: nothing, a salt, names that end with an empty one, or SCRAM's text. */
function authentication(cursor: Cursor): boolean {
  const code = cursor.int32();
  if (code === 5) return cursor.skip(4);
  if (code === 10) {
    while (!cursor.isEmptyText()) if (!cursor.text()) return false;
    return cursor.text();
  }
  return code !== undefined && cursor.rest();
}

function fields(cursor: Cursor): boolean {
  while (!cursor.isEmptyText()) if (!cursor.text()) return false;
  return cursor.text();
}

function value(cursor: Cursor): boolean {
  const length = cursor.int32();
  return length !== undefined && (length === -1 || (length >= 0 && cursor.skip(length)));
}

class Cursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  isEmptyText(): boolean {
    return this.#bytes[this.#at] === 0;
  }

  /** Passes a text and the zero at its end; false where there is none. */
  text(): boolean {
    const end = this.#bytes.indexOf(0, this.#at);
    if (end < 0) return false;
    this.#at = end + 1;
    return true;
  }

  skip(count: number): boolean {
    this.#at += count;
    return this.#at <= this.#bytes.length;
  }

  rest(): boolean {
    this.#at = this.#bytes.length;
    return true;
  }

  int32(): number | undefined {
    const from = this.#at;
    return this.skip(4) ? this.#bytes.readInt32BE(from) : undefined;
  }

  /** A count of two bytes, and so many parts. */
  repeated(part: () => boolean): boolean {
    const from = this.#at;
    if (!this.skip(2)) return false;
    for (let left = this.#bytes.readInt16BE(from); left > 0; left -= 1) if (!part()) return false;
    return this.#bytes.readInt16BE(from) >= 0;
  }
}
