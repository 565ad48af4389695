import { connect, createServer, type Server, type Socket } from 'node:net';
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises';
import { Frames, type Frame, type Side } from './postgres-frames.ts';

/**
 * What happens at one message:
 *
 * | kind         | the message                           | the connection                                             |
 * |--------------|---------------------------------------|------------------------------------------------------------|
 * | `reset`      | never arrives                         | reset, both ways                                           |
 * | `close`      | never arrives                         | ended in order, both ways                                  |
 * | `torn`       | its first half arrives                | reset, both ways                                           |
 * | `lost`       | arrives and is carried out            | what is answered never arrives, then reset, both ways      |
 * | `stall`      | never arrives, and nothing after it   | open; once the client gives up, the server hears of that   |
 * | `stall-open` | never arrives, and nothing after it   | open; the server hears nothing until the faults stop       |
 * | `delay`      | arrives late                          | goes on                                                    |
 * | `split`      | arrives byte by byte, and all after it | goes on                                                   |
 * | `join`       | waits for what comes after it         | goes on, in pieces that hold several messages              |
 */
export type FaultKind = 'reset' | 'close' | 'torn' | 'lost' | 'stall' | 'stall-open' | 'delay' | 'split' | 'join';

/** A fault at the message of that number, from 1. */
export interface Fault {
  readonly at: number;
  readonly kind: FaultKind;
}

/** A TCP proxy before a PostgreSQL of this machine that breaks connections at messages chosen by their number. */
export class FaultProxy {
  readonly port: number;
  /** Every message since the faults were set, in order, like `> Q` for a query and `< Z` for the end of its answer. */
  readonly messages: string[] = [];
  /** What was broken, like `12 > Q lost`. */
  readonly injected: string[] = [];
  /** Logins that the server refused since it was set to 0. */
  refusals = 0;
  readonly #server: Server;
  readonly #target: number;
  readonly #lines = new Set<Line>();
  #faults = new Map<number, FaultKind>();

  private constructor(server: Server, port: number, target: number) {
    this.#server = server;
    this.port = port;
    this.#target = target;
    server.on('connection', (client) => this.#open(client));
  }

  /** Listens on a port of its own of 127.0.0.1; `target` is the server's. */
  static async start(target: number): Promise<FaultProxy> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return new FaultProxy(server, address.port, target);
  }

  /** Ends what is left of the faults before and numbers messages from 1 again. */
  set(faults: readonly Fault[]): void {
    this.heal();
    this.#faults = new Map(faults.map(({ at, kind }) => [at, kind]));
    this.messages.length = 0;
    this.injected.length = 0;
    this.refusals = 0;
  }

  /** True until every fault has happened. */
  get isArmed(): boolean {
    return this.#faults.size > 0;
  }

  /** Ends every connection that a fault holds; no further fault happens. */
  heal(): void {
    this.#faults.clear();
    for (const line of this.#lines) line.endIfStalled();
  }

  async stop(): Promise<void> {
    for (const line of this.#lines) line.reset();
    await new Promise<void>((resolve) => void this.#server.close(() => resolve()));
  }

  #open(client: Socket): void {
    const line = new Line(client, this.#target, {
      passes: (name, refused) => {
        if (refused) this.refusals += 1;
        return this.#passes(name);
      },
      gone: () => void this.#lines.delete(line),
    });
    this.#lines.add(line);
    line.begin();
  }

  #passes(name: string): FaultKind | undefined {
    this.messages.push(name);
    const at = this.messages.length;
    const kind = this.#faults.get(at);
    if (kind === undefined) return undefined;
    this.#faults.delete(at);
    this.injected.push(`${at} ${name} ${kind}`);
    return kind;
  }
}

interface LineEvents {
  /** Numbers a message; answers what happens at it. */
  passes(name: string, refused: boolean): FaultKind | undefined;
  gone(): void;
}

const delayMs = 40;
const joinMs = 5;

/** One connection of a client and its own to the server. */
class Line {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #events: LineEvents;
  readonly #frames = new Frames();
  /** What each side sent is passed on in order, one message after the other. */
  readonly #queues: Record<Side, Promise<void>> = { client: Promise.resolve(), server: Promise.resolve() };
  readonly #joined: Record<Side, Buffer[]> = { client: [], server: [] };
  #pace: 'whole' | 'split' | 'join' = 'whole';
  #state: 'open' | 'deaf' | 'stalled' | 'stalled-open' | 'over' = 'open';

  constructor(client: Socket, target: number, events: LineEvents) {
    this.#client = client;
    this.#events = events;
    this.#server = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    this.#follow('client', client, this.#server);
    this.#follow('server', this.#server, client);
  }

  /** The client is here. */
  begin(): void {
    this.#broken('connect', 'client');
  }

  /** Both ends hear that it is over. */
  reset(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#client.resetAndDestroy();
    this.#server.resetAndDestroy();
    this.#events.gone();
  }

  endIfStalled(): void {
    if (this.#state.startsWith('stalled') || this.#state === 'deaf') this.reset();
  }

  #follow(side: Side, from: Socket, to: Socket): void {
    from.on('data', (chunk: Buffer) => {
      for (const frame of this.#frames.take(side, chunk)) this.#enqueue(side, () => this.#pass(side, frame));
    });
    from.on('end', () => this.#enqueue(side, async () => this.#ended(to)));
    from.on('error', () => undefined);
    from.on('close', () => this.#closed(side));
  }

  #enqueue(side: Side, work: () => Promise<void>): void {
    this.#queues[side] = this.#queues[side].then(work);
  }

  async #pass(side: Side, frame: Frame): Promise<void> {
    if (this.#state === 'over' || this.#state.startsWith('stalled')) return;
    const isRefused = side === 'server' && frame.type === 'E' && frame.bytes.includes('C28P01\0');
    const kind = this.#broken(`${side === 'client' ? '>' : '<'} ${frame.type}`, side, isRefused);
    if (kind === 'torn') await this.#write(side, frame.bytes.subarray(0, Math.ceil(frame.bytes.length / 2)));
    if (kind === 'delay') await pause(delayMs);
    if (kind === 'torn') this.reset();
    if (this.#state === 'deaf' && side === 'server' && isAnswer(frame)) return this.reset();
    // Only what the client sends is carried out by somebody.
    if (this.#state === 'open' || (this.#state === 'deaf' && side === 'client')) await this.#write(side, frame.bytes);
  }

  /** What happens at this message to the connection. */
  #broken(name: string, side: Side, isRefused = false): FaultKind | undefined {
    const kind = this.#events.passes(name, isRefused);
    if (kind === 'reset') this.reset();
    else if (kind === 'close') this.#close();
    else if (kind === 'lost') this.#lose(side);
    else if (kind === 'stall') this.#state = 'stalled';
    else if (kind === 'stall-open') this.#state = 'stalled-open';
    else if (kind === 'split' || kind === 'join') this.#pace = kind;
    return kind;
  }

  #lose(side: Side): void {
    if (side === 'server') this.reset();
    else this.#state = 'deaf';
  }

  #close(): void {
    this.#state = 'over';
    this.#client.end();
    this.#server.end();
    this.#events.gone();
  }

  async #write(side: Side, bytes: Buffer): Promise<void> {
    const to = side === 'client' ? this.#server : this.#client;
    if (to.destroyed) return;
    if (this.#pace === 'split') {
      for (const byte of bytes) {
        to.write(Buffer.of(byte));
        await turn();
      }
    } else if (this.#pace === 'join') {
      this.#joined[side].push(bytes);
      if (this.#joined[side].length === 1) setTimeout(() => this.#flush(side, to), joinMs);
    } else to.write(bytes);
  }

  #flush(side: Side, to: Socket): void {
    const bytes = Buffer.concat(this.#joined[side].splice(0));
    if (!to.destroyed && to.writable) to.write(bytes);
  }

  /** One side says that nothing more comes. */
  async #ended(to: Socket): Promise<void> {
    if (this.#pace === 'join') await pause(joinMs * 2);
    if (this.#state === 'open') to.end();
    else if (this.#state !== 'stalled-open') this.reset();
  }

  /** One side is gone, in order or not. */
  #closed(side: Side): void {
    const other = side === 'client' ? this.#server : this.#client;
    if (this.#state === 'open') this.#enqueue(side, async () => this.#ended(other));
    else if (this.#state !== 'stalled-open') this.reset();
    if (this.#client.destroyed && this.#server.destroyed) this.#events.gone();
  }
}

/** After these the server waits for the client: what came before is carried out. */
function isAnswer({ type }: Frame): boolean {
  return 'ZRE'.includes(type) || type === 'TLS' || type === 'answer';
}
