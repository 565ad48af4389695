import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls, TLSSocket, type PeerCertificate } from 'node:tls';
import { ServerDistrusted, ServerWatch } from './postgres-trust.ts';

/** How a connection is made and what is answered on it. */
export interface WatchedOptions {
  /** Undefined: plain TCP. Else TLS, verified by `ca` (PEM) or by this machine's authorities. */
  readonly tls: { readonly ca?: string } | undefined;
  /** True: an md5 request is answered. */
  readonly md5: boolean;
  /** True: ends with ServerAsked where the server asks for the password. */
  readonly asksOnly?: boolean;
}

/**
 * The socket that pg is given (its option `stream`). It makes TLS itself, and shows pg what a server sends only after
 * ServerWatch has seen it. What the server sends can end the connection, and never the process.
 */
export class WatchedStream extends Duplex {
  readonly #options: WatchedOptions;
  readonly #watch: ServerWatch;
  #wire: Socket | undefined;

  constructor(options: WatchedOptions) {
    super({ allowHalfOpen: false });
    this.#options = options;
    this.#watch = new ServerWatch(options);
  }

  /** As net.Socket's: emits `connect` once bytes may be sent, which with TLS is after the handshake. */
  connect(port: number, host: string): this {
    const socket = connectTcp({ port, host, noDelay: true });
    this.#follow(socket);
    socket.once('connect', () => {
      if (this.#options.tls === undefined) this.#begin(socket);
      else this.#askForTls(socket, host, this.#options.tls);
    });
    return this;
  }

  /** True once the server asked for the password: a refusal before that says nothing about it. */
  get wasAsked(): boolean {
    return this.#watch.wasAsked;
  }

  /** True once the server took the password. */
  get tookPassword(): boolean {
    return this.#watch.tookPassword;
  }

  /** pg asks for it; the socket never delays. */
  setNoDelay(): this {
    return this;
  }

  /** For channel binding: present where there is TLS only. */
  get getPeerCertificate(): (() => PeerCertificate) | undefined {
    const wire = this.#wire;
    return wire instanceof TLSSocket ? () => wire.getPeerCertificate() : undefined;
  }

  /** pg's own reader throws where a message is malformed; that is the server's doing. */
  override emit(event: string | symbol, ...values: unknown[]): boolean {
    if (event !== 'data') return super.emit(event, ...values);
    try {
      return super.emit(event, ...values);
    } catch (thrown) {
      this.destroy(thrown instanceof Error ? thrown : new Error(String(thrown)));
      return true;
    }
  }

  override _read(): void {
    this.#wire?.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    if (this.#wire) this.#wire.write(chunk, done);
    else done(new Error('the connection is not made yet'));
  }

  override _final(done: () => void): void {
    this.#wire?.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#wire?.destroy();
    done(error);
  }

  /** One byte answers the request. More than it came from somebody who wants it taken for what TLS protects. */
  #askForTls(socket: Socket, host: string, { ca }: { readonly ca?: string }): void {
    socket.once('data', (answer: Buffer) => {
      if (answer.length !== 1 || answer[0] !== 0x53) {
        this.destroy(noTls(answer));
        return;
      }
      const name = isIP(host) === 0 ? { servername: host } : {};
      const secure = connectTls({ socket, host, ...name, rejectUnauthorized: true, ...(ca !== undefined && { ca }) });
      this.#follow(secure);
      secure.once('secureConnect', () => this.#begin(secure));
    });
    // The code of an SSLRequest: https://www.postgresql.org/docs/18/protocol-message-formats.html
    const request = Buffer.alloc(8);
    request.writeInt32BE(8, 0);
    request.writeInt32BE(80_877_103, 4);
    socket.write(request);
  }

  #follow(wire: Socket): void {
    this.#wire = wire;
    wire.on('error', (error) => this.destroy(error));
    // What came last is still to be read: an error that the server gave before it closed.
    wire.on('close', () => void setImmediate(() => this.destroy()));
  }

  #begin(wire: Socket): void {
    wire.on('data', (chunk: Buffer) => {
      try {
        this.#watch.check(chunk);
      } catch (thrown) {
        this.destroy(thrown instanceof Error ? thrown : new Error(String(thrown)));
        return;
      }
      if (!this.push(chunk)) wire.pause();
    });
    wire.on('end', () => void this.push(null));
    this.emit('connect');
  }
}

function noTls(answer: Buffer): Error {
  if (answer.length === 1 && answer[0] === 0x4e) return new Error('The server does not support SSL connections');
  return new ServerDistrusted(
    'the server answers the request for TLS with something else',
    'unreachable',
    'Find out what answers at this address.',
  );
}
