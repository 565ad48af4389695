/** One message of PostgreSQL's protocol as it travels, or one record of TLS. */
export interface Frame {
  /**
   * The message's own letter, or what it is where it has none: `startup`, `SSLRequest`, `TLS`, `answer`. A query that
   * changes something has its first word, too: `Q COMMIT`.
   */
  readonly type: string;
  readonly bytes: Buffer;
}

type Reading = 'untyped' | 'typed' | 'one byte' | 'tls';

const sslRequest = 80_877_103;

/**
 * Cuts what both sides send into messages, in whatever pieces it comes.
 * https://www.postgresql.org/docs/18/protocol-message-formats.html
 */
export class Frames {
  readonly #pending = { client: Buffer.alloc(0), server: Buffer.alloc(0) };
  readonly #reading: Record<Side, Reading> = { client: 'untyped', server: 'typed' };

  /** The messages that are whole now; what is left waits for its rest. */
  *take(side: Side, chunk: Buffer): Generator<Frame> {
    let rest = Buffer.concat([this.#pending[side], chunk]);
    for (;;) {
      const reading = this.#reading[side];
      const length = lengthOf(reading, rest);
      if (length === undefined || rest.length < length) break;
      const bytes = rest.subarray(0, length);
      rest = rest.subarray(length);
      yield { type: this.#typeOf(reading, bytes), bytes };
    }
    this.#pending[side] = rest;
  }

  #typeOf(reading: Reading, bytes: Buffer): string {
    if (reading === 'tls') return 'TLS';
    if (reading === 'typed') return typeOf(bytes);
    if (reading === 'one byte') {
      const both: Reading = bytes[0] === 0x53 ? 'tls' : 'typed';
      this.#reading.server = both;
      this.#reading.client = both === 'tls' ? 'tls' : 'untyped';
      return 'answer';
    }
    if (bytes.readInt32BE(4) === sslRequest) {
      this.#reading.server = 'one byte';
      return 'SSLRequest';
    }
    this.#reading.client = 'typed';
    return 'startup';
  }
}

function typeOf(bytes: Buffer): string {
  const type = bytes.toString('latin1', 0, 1);
  const [verb] = /^(ALTER|COMMIT)/.exec(bytes.toString('latin1', 5, 12)) ?? [];
  return type === 'Q' && verb ? `Q ${verb}` : type;
}

/** Who sent it. */
export type Side = 'client' | 'server';

/** Bytes of the first message; undefined where too little of it is there to tell. */
function lengthOf(reading: Reading, bytes: Buffer): number | undefined {
  if (reading === 'one byte') return 1;
  if (reading === 'untyped') return bytes.length < 8 ? undefined : bytes.readInt32BE(0);
  if (bytes.length < 5) return undefined;
  return reading === 'tls' ? 5 + bytes.readUInt16BE(3) : 1 + bytes.readInt32BE(1);
}
