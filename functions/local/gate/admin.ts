import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Plain } from '../../../shared/base/canonical.ts';
import { asLockkeeperError, LockkeeperError, type ErrorCode } from '../../../shared/base/error.ts';
import type { Sealed } from '../../../shared/base/sealed.ts';
import type { World } from '../../../shared/base/world.ts';
import { challengePath, maxRequestBytes, proofHeader } from '../../../shared/firewalls/local-gate/proof.ts';
import { parseRule, ruleAsPlain, ruleFingerprint } from '../../../shared/firewalls/local-gate/rule.ts';
import { readBody } from '../read-body.ts';
import { Conversations, type Signs } from './conversations.ts';
import type { BookAnswer, Expected, RuleBook } from './rule-book.ts';

export interface AdminOptions {
  readonly rules: RuleBook;
  readonly token: Sealed;
  readonly world: Pick<World, 'random'>;
  /** What `GET /openings` answers. */
  readonly state: () => Plain;
}

interface Reply {
  readonly status: number;
  readonly body: Plain;
  readonly etag?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request whose sender holds the token, and its body. */
interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/**
 * The gate's admin API on loopback, JSON. Both sides prove that they hold the token (proof.ts), and none sends it:
 *
 * | request                                             | answer                                             |
 * |-----------------------------------------------------|----------------------------------------------------|
 * | POST /challenge                                     | 204 a nonce for one request; 401                   |
 * | GET /openings                                       | 200 the state                                      |
 * | GET /openings/ID                                    | 200 the rule, its fingerprint as ETag; 404         |
 * | PUT /openings/ID  If-Match: F or If-None-Match: *   | 200; 412 where another rule (or one) is there; 404 |
 * | DELETE /openings/ID  If-Match: F                    | 204; 412; 404                                      |
 * | POST /openings                                      | 201; 409 where the id is taken                     |
 *
 * A write without a condition is 428, a bad request 400, 404, 405 or 413. An error has `code` and `message`.
 */
export function adminServer(options: AdminOptions): Server {
  const conversations = new Conversations(options.token, options.world);
  const server = createServer({ requestTimeout: 10_000 }, (request, response) => {
    answer(options, conversations, request).then(
      ({ reply, signs }) => send(response, reply, signs),
      (thrown: unknown) => send(response, failure(asLockkeeperError(thrown)), undefined),
    );
  });
  // A crowd of connections must not take the descriptors that the doors need.
  server.maxConnections = 128;
  // A connection that could not be accepted is over; the next one may be taken.
  server.on('error', () => undefined);
  return server;
}

interface Answered {
  readonly reply: Reply;
  /** Undefined: the sender proved nothing, so nothing is proven to him. */
  readonly signs: Signs | undefined;
}

async function answer(
  options: AdminOptions,
  conversations: Conversations,
  request: IncomingMessage,
): Promise<Answered> {
  const body = await readBody(request, maxRequestBytes);
  if (body === undefined)
    return { reply: refusal(413, 'invalid', `a body has at most ${maxRequestBytes} bytes`), signs: undefined };
  if (request.method === 'POST' && request.url === challengePath)
    return { reply: welcomed(conversations.welcome(request)), signs: undefined };
  const signs = conversations.take(request, body);
  if (signs === undefined) return { reply: unproven, signs };
  const asked = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body };
  const reply = await route(options, asked).catch((thrown: unknown) => failure(asLockkeeperError(thrown)));
  return { reply, signs };
}

const unproven = refusal(401, 'denied', 'the request does not prove that its sender holds the token of the gate');

function welcomed(headers: Readonly<Record<string, string>> | undefined): Reply {
  return headers === undefined ? unproven : { status: 204, body: null, headers };
}

async function route(options: AdminOptions, asked: Asked): Promise<Reply> {
  const [, collection, id, ...rest] = asked.path.split('/');
  if (!asked.path.startsWith('/') || collection !== 'openings' || rest.length > 0)
    return notFound('there is only /openings and /openings/ID');
  if (id === undefined) return onAll(options, asked);
  return onOne(options, asked, decoded(id));
}

/** An id is written without escapes; what cannot be unescaped is no id. */
function decoded(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch (cause) {
    throw new LockkeeperError('invalid', `the path has ${JSON.stringify(id)}, which is no id`, { cause });
  }
}

async function onAll(options: AdminOptions, asked: Asked): Promise<Reply> {
  if (asked.method === 'GET') return { status: 200, body: options.state() };
  if (asked.method !== 'POST') return notAllowed('GET and POST');
  const rule = parseRule(readJson(asked.body), 'the rule');
  const answered = await options.rules.put(rule, 'absent');
  return answered === 'done'
    ? { status: 201, body: ruleAsPlain(rule), etag: ruleFingerprint(rule) }
    : refusal(409, 'conflict', `rule ${rule.id} exists`);
}

async function onOne(options: AdminOptions, asked: Asked, id: string): Promise<Reply> {
  if (asked.method === 'GET') {
    const rule = options.rules.rules().find((one) => one.id === id);
    return rule === undefined
      ? notFound(`there is no rule ${id}`)
      : { status: 200, body: ruleAsPlain(rule), etag: ruleFingerprint(rule) };
  }
  if (asked.method !== 'PUT' && asked.method !== 'DELETE') return notAllowed('GET, PUT and DELETE');
  const expected = condition(asked);
  if (expected === undefined)
    return refusal(428, 'conflict', 'a write needs If-Match: FINGERPRINT or If-None-Match: *');
  if (asked.method === 'DELETE') {
    if (expected === 'absent') return refusal(428, 'conflict', 'DELETE needs If-Match: FINGERPRINT');
    return outcome(await options.rules.remove(id, expected), id, { status: 204, body: null });
  }
  const rule = parseRule(readJson(asked.body), 'the rule');
  if (rule.id !== id) throw new LockkeeperError('invalid', `the path names rule ${id}, the body rule ${rule.id}`);
  return outcome(await options.rules.put(rule, expected), id, {
    status: 200,
    body: ruleAsPlain(rule),
    etag: ruleFingerprint(rule),
  });
}

function outcome(answered: BookAnswer, id: string, done: Reply): Reply {
  if (answered === 'done') return done;
  if (answered === 'missing') return notFound(`there is no rule ${id}`);
  return refusal(412, 'conflict', answered === 'stale' ? `rule ${id} is not the one you saw` : `rule ${id} exists`);
}

function condition({ headers }: Asked): Expected | undefined {
  if (headers['if-none-match'] === '*') return 'absent';
  const fingerprint = headers['if-match']?.replaceAll('"', '');
  return fingerprint === undefined ? undefined : { fingerprint };
}

function readJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw new LockkeeperError('invalid', 'the body is not JSON', { cause });
  }
}

const statusOfCode: Partial<Record<ErrorCode, number>> = { denied: 401, invalid: 400, unreachable: 503, rejected: 507 };

function failure(error: LockkeeperError): Reply {
  return { status: statusOfCode[error.code] ?? 500, body: { code: error.code, message: error.message } };
}

function refusal(status: number, code: ErrorCode, message: string): Reply {
  return { status, body: { code, message } };
}

function notFound(message: string): Reply {
  return refusal(404, 'not-found', message);
}

function notAllowed(methods: string): Reply {
  return refusal(405, 'invalid', `only ${methods} work here`);
}

function send(response: ServerResponse, reply: Reply, signs: Signs | undefined): void {
  const body = Buffer.from(reply.status === 204 ? '' : JSON.stringify(reply.body));
  const etag = reply.etag === undefined ? undefined : `"${reply.etag}"`;
  response.writeHead(reply.status, {
    'content-type': 'application/json',
    ...(etag === undefined ? {} : { etag }),
    ...reply.headers,
    ...(signs === undefined ? {} : { [proofHeader.proof]: signs({ status: reply.status, etag, body }) }),
  });
  response.end(body);
}
