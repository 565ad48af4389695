import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Plain } from '../../../shared/base/canonical.ts';
import { asLockkeeperError, LockkeeperError, type ErrorCode } from '../../../shared/base/error.ts';
import type { Sealed } from '../../../shared/base/sealed.ts';
import { parseRule, ruleAsPlain, ruleFingerprint } from '../../../shared/firewalls/local-gate/rule.ts';
import { readBody } from '../read-body.ts';
import type { BookAnswer, Expected, RuleBook } from './rule-book.ts';

export interface AdminOptions {
  readonly rules: RuleBook;
  readonly token: Sealed;
  /** What `GET /openings` answers. */
  readonly state: () => Plain;
}

interface Reply {
  readonly status: number;
  readonly body: Plain;
  readonly etag?: string;
}

const maxBodyBytes = 64 * 1_024;

/**
 * The gate's admin API on loopback, JSON, bearer token:
 *
 * | request                                             | answer                                             |
 * |-----------------------------------------------------|----------------------------------------------------|
 * | GET /openings                                       | 200 the state                                      |
 * | GET /openings/ID                                    | 200 the rule, its fingerprint as ETag; 404         |
 * | PUT /openings/ID  If-Match: F or If-None-Match: *   | 200; 412 where another rule (or one) is there; 404 |
 * | DELETE /openings/ID  If-Match: F                    | 204; 412; 404                                      |
 * | POST /openings                                      | 201; 409 where the id is taken                     |
 *
 * A write without a condition is 428. An error has `code` and `message`.
 */
export function adminServer(options: AdminOptions): Server {
  return createServer({ requestTimeout: 10_000 }, (request, response) => {
    answer(options, request).then(
      (reply) => send(response, reply),
      (thrown: unknown) => send(response, failure(asLockkeeperError(thrown))),
    );
  });
}

async function answer(options: AdminOptions, request: IncomingMessage): Promise<Reply> {
  if (!isAuthorised(request, options.token))
    throw new LockkeeperError('denied', 'the bearer token of the gate is missing or wrong');
  const [, collection, id, ...rest] = new URL(request.url ?? '/', 'http://gate').pathname.split('/');
  if (collection !== 'openings' || rest.length > 0) return notFound('there is only /openings and /openings/ID');
  if (id === undefined) return onAll(options, request);
  return onOne(options, request, decodeURIComponent(id));
}

async function onAll(options: AdminOptions, request: IncomingMessage): Promise<Reply> {
  if (request.method === 'GET') return { status: 200, body: options.state() };
  if (request.method !== 'POST') return notAllowed('GET and POST');
  const rule = parseRule(await readJson(request), 'the rule');
  const answered = await options.rules.put(rule, 'absent');
  return answered === 'done'
    ? { status: 201, body: ruleAsPlain(rule), etag: ruleFingerprint(rule) }
    : refusal(409, `rule ${rule.id} exists`);
}

async function onOne(options: AdminOptions, request: IncomingMessage, id: string): Promise<Reply> {
  if (request.method === 'GET') {
    const rule = options.rules.rules().find((one) => one.id === id);
    return rule === undefined
      ? notFound(`there is no rule ${id}`)
      : { status: 200, body: ruleAsPlain(rule), etag: ruleFingerprint(rule) };
  }
  if (request.method !== 'PUT' && request.method !== 'DELETE') return notAllowed('GET, PUT and DELETE');
  const expected = condition(request);
  if (expected === undefined) return refusal(428, 'a write needs If-Match: FINGERPRINT or If-None-Match: *');
  if (request.method === 'DELETE') {
    if (expected === 'absent') return refusal(428, 'DELETE needs If-Match: FINGERPRINT');
    return outcome(await options.rules.remove(id, expected), id, { status: 204, body: null });
  }
  const rule = parseRule(await readJson(request), 'the rule');
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
  return refusal(412, answered === 'stale' ? `rule ${id} is not the one you saw` : `rule ${id} exists`);
}

function condition(request: IncomingMessage): Expected | undefined {
  if (request.headers['if-none-match'] === '*') return 'absent';
  const fingerprint = request.headers['if-match']?.replaceAll('"', '');
  return fingerprint === undefined ? undefined : { fingerprint };
}

function isAuthorised(request: IncomingMessage, token: Sealed): boolean {
  const wanted = Buffer.from(`Bearer ${token.open()}`);
  const given = Buffer.from(request.headers.authorization ?? '');
  return wanted.length === given.length && timingSafeEqual(wanted, given);
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const body = await readBody(request, maxBodyBytes);
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

function refusal(status: number, message: string): Reply {
  return { status, body: { code: 'conflict', message } };
}

function notFound(message: string): Reply {
  return { status: 404, body: { code: 'not-found', message } };
}

function notAllowed(methods: string): Reply {
  return { status: 405, body: { code: 'invalid', message: `only ${methods} work here` } };
}

function send(response: ServerResponse, reply: Reply): void {
  response.statusCode = reply.status;
  if (reply.etag !== undefined) response.setHeader('ETag', `"${reply.etag}"`);
  response.setHeader('Content-Type', 'application/json');
  response.end(reply.status === 204 ? undefined : JSON.stringify(reply.body));
}
