import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { once } from 'node:events';
import { certificate, certificateKey } from './certificate.ts';

/** One connection to the hostile server: what came, and a way to send anything. */
export interface Caller {
  /** The parameters of the startup message. */
  readonly startup: ReadonlyMap<string, string>;
  /** Waits for the client's next message. */
  next(): Promise<Message>;
  send(...messages: readonly Buffer[]): void;
  /** Sends for as long as the client listens. */
  flood(message: Buffer): Promise<void>;
  close(): void;
}

export interface Message {
  readonly type: string;
  readonly body: Buffer;
}

/** A server on 127.0.0.1 that speaks PostgreSQL's protocol as its `script` says. */
export interface HostilePostgres extends AsyncDisposable {
  readonly endpoint: string;
  /** Every byte that clients sent so far. */
  heard(): Buffer;
}

/** Starts one. With `tls` it offers TLS; `answerToTls` is what it says to the request instead. */
export async function hostilePostgres(
  script: (caller: Caller) => Promise<void>,
  options: { readonly tls?: boolean; readonly answerToTls?: Buffer } = {},
): Promise<HostilePostgres> {
  const sockets = new Set<Socket>();
  const heard: Buffer[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.setTimeout(20_000, () => socket.destroy());
    void serve(socket, { script, isTls: options.tls ?? false, answerToTls: options.answerToTls, heard }).catch(() =>
      socket.destroy(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    endpoint: `127.0.0.1:${address.port}`,
    heard: () => Buffer.concat(heard),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}

/** Messages of the server. */
export const say = {
  message: (type: string, ...parts: readonly (Buffer | string)[]) => frame(type, Buffer.concat(parts.map(bytes))),
  auth: (code: number, rest: Buffer | string = '') => frame('R', Buffer.concat([int32(code), bytes(rest)])),
  sasl: (...mechanisms: readonly string[]) =>
    frame('R', Buffer.concat([int32(10), bytes(`${mechanisms.map((one) => `${one}\0`).join('')}\0`)])),
  error: (fields: Readonly<Record<string, string>>) => frame('E', fieldBytes(fields)),
  notice: (text: string) => frame('N', fieldBytes({ S: 'NOTICE', C: '00000', M: text })),
  parameter: (name: string, value: string) => frame('S', bytes(`${name}\0${value}\0`)),
  /** One row of texts by name, as the answer to a SELECT. */
  row: (columns: Readonly<Record<string, string>>) => [
    frame('T', Buffer.concat([int16(Object.keys(columns).length), ...Object.keys(columns).map(textColumn)])),
    frame('D', Buffer.concat([int16(Object.keys(columns).length), ...Object.values(columns).map(textValue)])),
    frame('C', bytes('SELECT 1\0')),
  ],
  ready: () => frame('Z', bytes('I')),
  /** A header that announces more than ever comes. */
  announced: (type: string, length: number) => {
    const head = Buffer.alloc(5);
    head.write(type, 'latin1');
    head.writeUInt32BE(length, 1);
    return head;
  },
};

/** What a driver asks about its own login, as a server answers where all is well. */
export function asLoggedIn(user: string): (text: string) => readonly Buffer[] | undefined {
  return (text) =>
    text.includes('session_user')
      ? say.row({ sessionUser: user, currentUser: user, version: '180000', isStandby: '', readOnly: 'off' })
      : undefined;
}

/** How a SCRAM exchange departs from an honest one. */
export interface ScramTwist {
  readonly iterations?: number | string;
  readonly salt?: string;
  /** Undefined: what the client sent with more behind it. */
  readonly nonce?: (client: string) => string;
  /** Undefined: the signature that proves the password. Null: no final message. */
  readonly final?: ((honest: string) => string) | null;
  readonly mechanisms?: readonly string[];
  /** Waits for no answer of the client. */
  readonly hasty?: boolean;
}

/** Plays the server's part of SCRAM for a password that it knows. Answers the client's final message. */
export async function scram(caller: Caller, password: string, twist: ScramTwist = {}): Promise<string> {
  const { iterations = 4096, salt = randomBytes(16).toString('base64'), mechanisms = ['SCRAM-SHA-256'] } = twist;
  caller.send(say.sasl(...mechanisms));
  const first = (await caller.next()).body.toString('latin1');
  const bare = first.slice(first.indexOf('n=*,'));
  const nonce = bare.slice(bare.indexOf('r=') + 2);
  const ours = twist.nonce ? twist.nonce(nonce) : `${nonce}server`;
  const challenge = `r=${ours},s=${salt},i=${iterations}`;
  caller.send(say.auth(11, challenge));
  const last = twist.hasty ? 'c=biws,r=x,p=x' : (await caller.next()).body.toString('latin1');
  const salted = pbkdf2Sync(
    password,
    Buffer.from(salt, 'base64'),
    Math.min(Number(iterations) || 1, 10_000),
    32,
    'sha256',
  );
  const text = `${bare},${challenge},${last.slice(0, last.lastIndexOf(',p='))}`;
  const honest = `v=${hmac(hmac(salted, 'Server Key'), text).toString('base64')}`;
  if (twist.final !== null) caller.send(say.auth(12, twist.final ? twist.final(honest) : honest));
  return last;
}

/** Ends the login as a server does, and answers `rows` to every statement. */
export async function letIn(
  caller: Caller,
  onStatement?: (text: string) => readonly Buffer[] | undefined,
): Promise<void> {
  caller.send(say.auth(0), say.parameter('server_version', '18.0'), say.ready());
  for (;;) {
    const { type, body } = await caller.next();
    if (type === 'X') return caller.close();
    if (type !== 'Q' && type !== 'P') continue;
    const answer = onStatement?.(body.toString('utf8').replaceAll('\0', ' ').trim());
    caller.send(...(answer ?? [frame('C', bytes('SELECT 0\0'))]), say.ready());
  }
}

interface Serving {
  readonly script: (caller: Caller) => Promise<void>;
  readonly isTls: boolean;
  readonly answerToTls: Buffer | undefined;
  readonly heard: Buffer[];
}

async function serve(raw: Socket, { script, isTls, answerToTls, heard }: Serving): Promise<void> {
  let reader = new Reader(raw, heard);
  let socket = raw;
  let startup = await reader.untyped();
  if (startup.readInt32BE(0) === 80_877_103) {
    raw.write(answerToTls ?? (isTls ? 'S' : 'N'));
    if (!isTls) return;
    reader.release();
    socket = new TLSSocket(raw, {
      isServer: true,
      secureContext: createSecureContext({ cert: certificate, key: certificateKey }),
    });
    socket.on('error', () => raw.destroy());
    reader = new Reader(socket, heard);
    startup = await reader.untyped();
  }
  await script({
    startup: parameters(startup),
    next: () => reader.message(),
    send: (...messages) => void socket.write(Buffer.concat(messages)),
    close: () => void socket.end(),
    async flood(message) {
      const many = Buffer.concat(Array.from({ length: 200 }, () => message));
      while (!socket.destroyed && socket.writable) {
        if (!socket.write(many)) await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
      }
    },
  });
}

class Reader {
  readonly #socket: Socket;
  #buffer = Buffer.alloc(0);
  #waiting: (() => void) | undefined;
  #isOver = false;
  readonly #take: (chunk: Buffer) => void;

  constructor(socket: Socket, heard: Buffer[]) {
    this.#socket = socket;
    this.#take = (chunk) => {
      heard.push(chunk);
      this.#buffer = Buffer.concat([this.#buffer, chunk]);
      this.#waiting?.();
    };
    socket.on('data', this.#take);
    socket.on('close', () => {
      this.#isOver = true;
      this.#waiting?.();
    });
  }

  release(): void {
    this.#socket.off('data', this.#take);
  }

  /** A startup message or a request for TLS: no type, only a length. */
  async untyped(): Promise<Buffer> {
    const length = (await this.#read(4)).readInt32BE(0);
    return this.#read(length - 4);
  }

  async message(): Promise<Message> {
    const head = await this.#read(5);
    return { type: head.toString('latin1', 0, 1), body: await this.#read(head.readInt32BE(1) - 4) };
  }

  async #read(count: number): Promise<Buffer> {
    while (this.#buffer.length < count) {
      if (this.#isOver) throw new Error('the client went away');
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
    const taken = this.#buffer.subarray(0, count);
    this.#buffer = this.#buffer.subarray(count);
    return taken;
  }
}

function parameters(body: Buffer): ReadonlyMap<string, string> {
  const parts = body.toString('utf8', 4).split('\0');
  return new Map(parts.flatMap((name, index) => (index % 2 === 0 ? [[name, parts[index + 1] ?? ''] as const] : [])));
}

function frame(type: string, body: Buffer): Buffer {
  return Buffer.concat([bytes(type), int32(body.length + 4), body]);
}

function fieldBytes(fields: Readonly<Record<string, string>>): Buffer {
  return bytes(
    `${Object.entries(fields)
      .map(([name, value]) => `${name}${value}\0`)
      .join('')}\0`,
  );
}

function int32(value: number): Buffer {
  const four = Buffer.alloc(4);
  four.writeInt32BE(value);
  return four;
}

function bytes(part: Buffer | string): Buffer {
  return typeof part === 'string' ? Buffer.from(part) : part;
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

/** What a client answers to an md5 request. */
export function md5Answer(user: string, password: string, salt: Buffer): string {
  const inner = createHash('md5').update(`${password}${user}`).digest('hex');
  return `md5${createHash('md5')
    .update(Buffer.concat([Buffer.from(inner), salt]))
    .digest('hex')}`;
}

function int16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeInt16BE(value);
  return buffer;
}

/** A name, and then table, column, type (25: text), size, modifier and format. */
function textColumn(name: string): Buffer {
  const rest = Buffer.alloc(18);
  rest.writeInt32BE(25, 6);
  return Buffer.concat([bytes(`${name}\0`), rest]);
}

function textValue(text: string): Buffer {
  return Buffer.concat([int32(Buffer.byteLength(text)), bytes(text)]);
}
