import { connect, createServer, type Server, type Socket } from 'node:net';
import { systemCode } from '../system-code.ts';
import type { Descriptors } from './descriptors.ts';
import type { FlowTable, Knock, OpenFlow } from './flow-table.ts';
import type { GateService } from './network.ts';
import type { RuleBook } from './rule-book.ts';

export interface DoorOptions {
  readonly service: GateService;
  readonly rules: RuleBook;
  readonly flows: FlowTable;
  readonly descriptors: Descriptors;
}

/**
 * The one way to a service. A connection that no rule lets in is reset before a byte of it is read; one that is let in
 * is forwarded with back-pressure; where the service does not listen, its refusal is passed on. Where the gate itself
 * fails, the connection is reset too, and the flow log says that it is incomplete. `close` ends everything.
 */
export class Door {
  readonly server: Server;
  readonly #options: DoorOptions;
  readonly #sockets = new Set<Socket>();

  constructor(options: DoorOptions) {
    this.#options = options;
    this.server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (socket) =>
      this.#admit(socket),
    );
    // From then on an error is a connection that could not be accepted: nobody knows whose it was.
    this.server.once('listening', () => this.server.on('error', (error) => this.#lose(whyOf(error))));
  }

  /** Stops listening and ends every open connection. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    // What was still pending is counted when its socket closes.
    const ended = [...this.#sockets].map(
      (socket) => new Promise<void>((resolve) => (socket.closed ? resolve() : socket.once('close', () => resolve()))),
    );
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([closed, ...ended]);
  }

  #admit(client: Socket): void {
    this.#keep(client);
    const { service, rules, flows } = this.#options;
    const { remoteAddress: peer, remotePort: peerPort } = client;
    // Gone before it was looked at: there is no address left to judge.
    if (peer === undefined || peerPort === undefined) return void client.destroy();
    const rule = rules.admits(service.interface, service.port, peer);
    const knock: Knock = { service, peer, peerPort, rule: rule?.id };
    if (rule !== undefined) return this.#forward(client, knock);
    flows.rejected(knock);
    client.resetAndDestroy();
  }

  #forward(client: Socket, knock: Knock): void {
    const { service, flows, descriptors } = this.#options;
    if (!descriptors.takePair()) {
      this.#lose('no descriptors left');
      return void client.resetAndDestroy();
    }
    let open = 2;
    const closed = (): void => {
      open -= 1;
      if (open === 0) descriptors.givePair();
    };
    const upstream = connect({ host: '127.0.0.1', port: service.upstream, allowHalfOpen: true, noDelay: true });
    this.#keep(upstream);
    client.once('close', closed);
    upstream.once('close', closed);
    const failed = (error?: Error): void => {
      upstream.removeAllListeners('connect');
      upstream.removeListener('error', failed).removeListener('close', unanswered);
      if (error !== undefined && systemCode(error) === 'ECONNREFUSED') flows.refused(knock);
      else this.#lose(whyOf(error));
      client.resetAndDestroy();
    };
    const unanswered = (): void => failed();
    upstream.once('error', failed);
    upstream.once('close', unanswered);
    upstream.once('connect', () => {
      upstream.removeListener('error', failed).removeListener('close', unanswered);
      const flow = flows.opened(knock);
      if (!client.destroyed) return join(client, upstream, flow);
      upstream.resetAndDestroy();
      flow.ended('peer', 'rst');
      flow.over();
    });
  }

  /** Neither a rule nor the service refused it, so the log may not say so. */
  #lose(why: string): void {
    this.#options.flows.lost(this.#options.service.interface, why);
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    // An error ends the socket; what it means to the other side is decided where the two are joined.
    socket.on('error', () => socket.destroy());
  }
}

function whyOf(error: Error | undefined): string {
  return error === undefined ? 'the gate ended' : (systemCode(error) ?? error.message);
}

function join(client: Socket, upstream: Socket, flow: OpenFlow): void {
  const fromClient: Way = { count: (bytes) => flow.received(bytes), ended: (how) => flow.ended('peer', how) };
  const fromService: Way = { count: (bytes) => flow.sent(bytes), ended: (how) => flow.ended('service', how) };
  pump(client, upstream, fromClient);
  pump(upstream, client, fromService);
  let left = 2;
  const closed = (): void => {
    left -= 1;
    if (left === 0) flow.over();
  };
  client.once('close', closed);
  upstream.once('close', closed);
  client.resume();
}

/** What is counted of one direction. */
interface Way {
  readonly count: (bytes: number) => void;
  readonly ended: (how: 'fin' | 'rst') => void;
}

/** Moves bytes one way, no faster than the other side takes them. A FIN is passed on as a FIN, a reset as a reset. */
function pump(from: Socket, to: Socket, way: Way): void {
  let finished = false;
  from.on('data', (chunk: Buffer) => {
    way.count(chunk.length);
    if (!to.write(chunk)) from.pause();
  });
  to.on('drain', () => from.resume());
  from.once('end', () => {
    finished = true;
    way.ended('fin');
    to.end();
  });
  from.once('error', () => way.ended('rst'));
  from.once('close', () => {
    if (!finished && !to.destroyed) to.resetAndDestroy();
  });
}
