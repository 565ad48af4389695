import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Heard, RawMessage } from '../../shared/approvals/contract.ts';
import type { Entrance } from '../../shared/approvals/local-page.ts';
import { pageHeaders } from '../../shared/approvals/page.ts';
import { asLockkeeperError, LockkeeperError, type ErrorCode } from '../../shared/base/error.ts';
import { visibleLines } from '../../shared/base/visible.ts';
import { listenAt } from './gate/listen.ts';
import { readBody } from './read-body.ts';

/** What is behind the page: who may come in, what is there to see, what becomes of an answer. */
export interface PageHandlers {
  authorise(request: { readonly headers: RawMessage['headers']; readonly url: string }): Entrance;
  /** Takes a form of who is not signed in. */
  outside(message: RawMessage): Entrance;
  signOut(message: RawMessage): Entrance;
  /** The whole page as one HTML text. */
  show(who: string): Promise<string>;
  /** Verifies who sent it, on the raw bytes, before anything is parsed. */
  hear(message: RawMessage): Promise<Heard>;
  /** Answers what became of it, as one sentence. */
  answer(heard: Heard): Promise<string>;
}

export interface PageServer {
  /** http://127.0.0.1:PORT */
  readonly origin: string;
  /** Begins to serve; before it every request is answered 503. */
  serve(handlers: PageHandlers): void;
  close(): Promise<void>;
}

const maxBodyBytes = 16 * 1_024;

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Opens the approvals page's port on 127.0.0.1; 0 takes a free one. Whether a request may see or decide anything is
 * judged by the page driver behind it. `conflict` where the port is taken.
 */
export async function openPageServer(port: number): Promise<PageServer> {
  let handlers: PageHandlers | undefined;
  // Other servers on this host may fill the browser with cookies; that must not shut its person out.
  const limits = { requestTimeout: 10_000, maxHeaderSize: 1_024 * 1_024 };
  const server = createServer(limits, (request, response) => {
    reply(handlers, request).then(
      (given) => send(response, given),
      (thrown: unknown) => send(response, failure(asLockkeeperError(thrown))),
    );
  });
  server.maxConnections = 128;
  // A connection that could not be accepted is over; the next one may be taken.
  server.on('error', () => undefined);
  await listenAt(server, port, { near: false });
  return {
    origin: `http://127.0.0.1:${portOf(server)}`,
    serve(given) {
      handlers = given;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function reply(handlers: PageHandlers | undefined, request: IncomingMessage): Promise<Reply> {
  if (handlers === undefined) return plain(503, 'lockkeeper is starting; try again in a moment.');
  const headers = singleHeaders(request);
  const url = request.url ?? '/';
  const [path = '', end] = url.split(/[?#]/);
  const [, session] = /^(\/s\/[0-9a-f]{32}\/)/.exec(path) ?? [];
  if (request.method === 'GET' && (path === '/' || path === session))
    return shown(handlers, handlers.authorise({ headers, url }));
  const isForm =
    outsideForms.includes(path) || (session !== undefined && insideForms.includes(path.slice(session.length)));
  if (!isForm || end !== undefined) return plain(404, 'There is only this page: open /');
  if (request.method !== 'POST') return plain(405, 'Only POST works here.');
  const body = await readBody(request, maxBodyBytes);
  if (body === undefined) return plain(413, `A form has at most ${maxBodyBytes} bytes.`);
  const message = { headers, body, url };
  if (session === undefined) return shown(handlers, handlers.outside(message));
  if (path === `${session}sign-out`) return shown(handlers, handlers.signOut(message));
  await handlers.answer(await handlers.hear(message));
  return { status: 303, headers: { location: session }, body: '' };
}

const outsideForms = ['/sign-in', '/end-sign-in', '/link'];
const insideForms = ['answer', 'sign-out'];

async function shown(handlers: PageHandlers, entrance: Entrance): Promise<Reply> {
  if (entrance.kind === 'outside') return { status: entrance.status, headers: pageHeaders, body: entrance.html };
  if (entrance.kind === 'known') return { status: 200, headers: pageHeaders, body: await handlers.show(entrance.who) };
  const { setCookie, location } = entrance;
  const headers = { 'set-cookie': setCookie, location, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' };
  return { status: 303, headers, body: '' };
}

/** A header that came more than once is no header: nobody knows which one counts. */
function singleHeaders(request: IncomingMessage): RawMessage['headers'] {
  const all = Object.entries(request.headersDistinct);
  return Object.fromEntries(all.map(([name, values]) => [name, values?.length === 1 ? values[0] : undefined]));
}

const statusOfCode: Partial<Record<ErrorCode, number>> = {
  denied: 403,
  invalid: 400,
  'not-found': 404,
  conflict: 409,
  unreachable: 503,
  throttled: 503,
  uncertain: 503,
};

function failure(error: LockkeeperError): Reply {
  const text = error.hint === undefined ? error.message : `${error.message}\n${error.hint}`;
  return plain(statusOfCode[error.code] ?? 500, text);
}

function plain(status: number, body: string): Reply {
  return {
    status,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    },
    body: visibleLines(body),
  };
}

function send(response: ServerResponse, { status, headers, body }: Reply): void {
  response.writeHead(status, headers);
  response.end(body);
}

function portOf(server: Server): number {
  const address = server.address();
  if (typeof address === 'object' && address !== null) return address.port;
  throw new LockkeeperError('bug', 'the page listens without a port');
}
