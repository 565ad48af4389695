import { request, type IncomingMessage } from 'node:http';
import { LockkeeperError } from '../../base/error.ts';
import type { Sealed } from '../../base/sealed.ts';
import type { World } from '../../base/world.ts';
import {
  challengePath,
  helloProof,
  isNonce,
  isProof,
  maxRequestBytes,
  proofHeader,
  requestProof,
  responseProof,
  welcomeProof,
  type Conversation,
} from './proof.ts';

/** A gate's admin address, and what proves that it is this gate's. */
export interface GateTarget {
  /** As in lockkeeper.yaml. */
  readonly name: string;
  /** http://127.0.0.1:PORT */
  readonly url: string;
  readonly token: Sealed;
  readonly world: Pick<World, 'random'>;
  /** How long a call may take, in milliseconds. */
  readonly timeoutMs: number;
}

export interface GateRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly ifMatch?: string;
  readonly ifNoneMatch?: string;
  readonly body?: string;
}

export interface GateAnswer {
  readonly status: number;
  /** With its quotes, as HTTP has it. */
  readonly etag: string | undefined;
  readonly body: string;
}

const maxAnswerBytes = 16 * 1_024 * 1_024;

/**
 * Makes one request to a gate. Nothing of it is sent before the other side has proven that it holds the token, and no
 * answer counts without its proof; redirects are answers like others. `unreachable` where nothing happened, `uncertain`
 * where a write may have happened, `denied` where somebody else listens there.
 */
export async function callGate(target: GateTarget, sent: GateRequest): Promise<GateAnswer> {
  if (Buffer.byteLength(sent.body ?? '') > maxRequestBytes)
    throw new LockkeeperError('invalid', `${named(target, sent)} is longer than ${maxRequestBytes} bytes`);
  const signal = AbortSignal.timeout(target.timeoutMs);
  const at = await greet(target, sent, signal);
  const answer = await ask(target, sent, { at, signal });
  if (answer.isProven) return answer;
  throw new LockkeeperError(
    sent.method === 'GET' ? 'denied' : 'uncertain',
    `${named(target, sent)} was answered ${answer.status} without a proof that the gate said so`,
    { hint: impostor },
  );
}

const impostor =
  'Check that the token file in the configuration is the one of this gate, and which program listens at that port. The token was not sent.';

/** The beginning of a conversation: afterwards the other side is known to hold the token. */
async function greet(target: GateTarget, sent: GateRequest, signal: AbortSignal): Promise<Conversation> {
  const clientNonce = Buffer.from(target.world.random(16)).toString('hex');
  const hello = { token: target.token, port: Number(new URL(target.url).port), clientNonce, gateNonce: '' };
  const headers = { [proofHeader.nonce]: clientNonce, [proofHeader.proof]: helloProof(hello) };
  const answer = await exchange(target, { method: 'POST', path: challengePath, headers, signal }).catch(
    (cause: unknown) => {
      throw noAnswer(target, sent, { code: 'unreachable', cause });
    },
  );
  const gateNonce = header(answer, proofHeader.nonce);
  const at = { ...hello, gateNonce: gateNonce ?? '' };
  if (isNonce(gateNonce) && isProof(welcomeProof(at), header(answer, proofHeader.proof))) return at;
  throw new LockkeeperError(
    'denied',
    `${named(target, sent)} was not sent: what listens there does not prove that it holds the token (it answered ${answer.status})`,
    { hint: impostor },
  );
}

interface Asked {
  readonly at: Conversation;
  readonly signal: AbortSignal;
}

/** A write whose answer is lost may have happened; one whose connection was refused did not. */
async function ask(
  target: GateTarget,
  sent: GateRequest,
  { at, signal }: Asked,
): Promise<GateAnswer & { readonly isProven: boolean }> {
  const body = Buffer.from(sent.body ?? '');
  const signed = { ...sent, ifMatch: sent.ifMatch, ifNoneMatch: sent.ifNoneMatch, body };
  const headers = {
    [proofHeader.nonce]: at.gateNonce,
    [proofHeader.proof]: requestProof(at, signed),
    ...(sent.ifMatch === undefined ? {} : { 'if-match': sent.ifMatch }),
    ...(sent.ifNoneMatch === undefined ? {} : { 'if-none-match': sent.ifNoneMatch }),
    ...(sent.body === undefined ? {} : { 'content-type': 'application/json' }),
  };
  const answer = await exchange(target, { method: sent.method, path: sent.path, headers, body, signal }).catch(
    (cause: unknown) => {
      const isCertain = sent.method === 'GET' || refusedToConnect(cause);
      throw noAnswer(target, sent, { code: isCertain ? 'unreachable' : 'uncertain', cause });
    },
  );
  const etag = header(answer, 'etag');
  const given = { status: answer.status, etag, body: answer.body };
  const isProven = isProof(responseProof(at, given), header(answer, proofHeader.proof));
  return { status: answer.status, etag, body: answer.body.toString('utf8'), isProven };
}

interface Message {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly signal: AbortSignal;
}

interface Raw {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

async function exchange({ url }: GateTarget, { method, path, headers, body, signal }: Message): Promise<Raw> {
  const sent = Buffer.from(body ?? '');
  const { hostname, port } = new URL(url);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const going = request(
      // Not as one URL, which would write the path anew after it was signed.
      { hostname, port, path, method, headers: { ...headers, 'content-length': String(sent.length) }, signal },
      resolve,
    );
    going.once('error', reject);
    going.end(sent);
  });
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    if (!(chunk instanceof Buffer)) throw new LockkeeperError('bug', 'an answer of a gate arrived as text');
    bytes += chunk.length;
    if (bytes > maxAnswerBytes) throw new LockkeeperError('invalid', `it is longer than ${maxAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) };
}

function header({ headers }: Raw, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}

function noAnswer(
  target: GateTarget,
  sent: GateRequest,
  { code, cause }: { readonly code: 'unreachable' | 'uncertain'; readonly cause: unknown },
): LockkeeperError {
  return new LockkeeperError(code, `${named(target, sent)} got no answer`, {
    cause,
    hint: 'Is the gate running? `lockkeeper serve` starts the gates of the configuration.',
  });
}

function named({ name, url }: GateTarget, { method, path }: GateRequest): string {
  return `${method} ${path} at gate ${name} (${url})`;
}

function refusedToConnect(thrown: unknown): boolean {
  return typeof thrown === 'object' && thrown !== null && 'code' in thrown && thrown.code === 'ECONNREFUSED';
}
