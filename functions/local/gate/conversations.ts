import type { IncomingMessage } from 'node:http';
import type { Sealed } from '../../../shared/base/sealed.ts';
import type { World } from '../../../shared/base/world.ts';
import {
  helloProof,
  isNonce,
  isProof,
  proofHeader,
  requestProof,
  responseProof,
  welcomeProof,
  type Conversation,
  type ProvenResponse,
} from '../../../shared/firewalls/local-gate/proof.ts';

/** How long a nonce waits for its request, in real milliseconds, and how many may wait. */
const lifeMs = 10_000;
const most = 1_000;

/**
 * The gate's side of shared/firewalls/local-gate/proof.ts. A nonce is given to who holds the token, counts for one
 * request, and is forgotten when it was used, after 10 s, and at the end of the process: a request that somebody
 * recorded does nothing again.
 */
export class Conversations {
  readonly #token: Sealed;
  readonly #world: Pick<World, 'random'>;
  readonly #waiting = new Map<string, { readonly at: Conversation; readonly timer: NodeJS.Timeout }>();

  constructor(token: Sealed, world: Pick<World, 'random'>) {
    this.#token = token;
    this.#world = world;
  }

  /** The headers that answer a hello; undefined where it proves nothing. */
  welcome({ headers, socket }: IncomingMessage): Readonly<Record<string, string>> | undefined {
    const clientNonce = single(headers[proofHeader.nonce]);
    if (!isNonce(clientNonce)) return undefined;
    const hello = { token: this.#token, port: socket.localPort ?? 0, clientNonce, gateNonce: '' };
    if (!isProof(helloProof(hello), single(headers[proofHeader.proof]))) return undefined;
    const at = { ...hello, gateNonce: Buffer.from(this.#world.random(16)).toString('hex') };
    this.#keep(at);
    return { [proofHeader.nonce]: at.gateNonce, [proofHeader.proof]: welcomeProof(at) };
  }

  /** What signs the response to this request; undefined where the request proves nothing, or was made before. */
  take({ headers, method, url, socket }: IncomingMessage, body: Uint8Array): Signs | undefined {
    const nonce = single(headers[proofHeader.nonce]) ?? '';
    const held = this.#waiting.get(nonce);
    if (held === undefined || held.at.port !== socket.localPort) return undefined;
    const [ifMatch, ifNoneMatch] = [headers['if-match'], headers['if-none-match']];
    const wanted = requestProof(held.at, { method: method ?? '', path: url ?? '', ifMatch, ifNoneMatch, body });
    if (!isProof(wanted, single(headers[proofHeader.proof]))) return undefined;
    this.#forget(nonce);
    return (given) => responseProof(held.at, given);
  }

  #keep(at: Conversation): void {
    const [oldest] = this.#waiting.keys();
    if (this.#waiting.size >= most && oldest !== undefined) this.#forget(oldest);
    const timer = setTimeout(() => this.#waiting.delete(at.gateNonce), lifeMs).unref();
    this.#waiting.set(at.gateNonce, { at, timer });
  }

  #forget(nonce: string): void {
    clearTimeout(this.#waiting.get(nonce)?.timer);
    this.#waiting.delete(nonce);
  }
}

/** The proof that goes with a response. */
export type Signs = (given: ProvenResponse) => string;

function single(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
