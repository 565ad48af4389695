import type { IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { listenOnLoopback } from './loopback.ts';

/** A whole request. */
export interface KmsCall {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** An answer in JSON; `lost`: the connection ends instead. */
export type KmsAnswer =
  'lost' | { readonly status: number; readonly body: unknown; readonly headers?: Readonly<Record<string, string>> };

/** A server on a free port of 127.0.0.1. */
export interface KmsServer {
  readonly endpoint: string;
  close(): Promise<void>;
}

/** Starts a server that gives every request to `answer`, one after the other. */
export async function startKmsServer(answer: (call: KmsCall) => KmsAnswer): Promise<KmsServer> {
  const server = await listenOnLoopback((request, response) => {
    void (async () => {
      const { method = '', url = '/', headers } = request;
      const came = answer({ method, url: new URL(url, 'http://127.0.0.1'), headers, body: await text(request) });
      if (came === 'lost') return void request.socket.destroy();
      response
        .writeHead(came.status, { 'content-type': 'application/json', ...came.headers })
        .end(JSON.stringify(came.body));
    })();
  });
  return { endpoint: server.url, close: () => server.close() };
}
