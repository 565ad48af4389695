import { createServer, type IncomingHttpHeaders } from 'node:http';

/** Another server of this host, on a port of its own, as another account may run one. */
export interface OtherServer {
  readonly origin: string;
  /** Every Cookie header that browsers sent to it. */
  readonly cookies: readonly string[];
  readonly headers: readonly IncomingHttpHeaders[];
  /** What it answers next; a Location makes it a redirect. */
  serve(answer: { readonly setCookie?: readonly string[]; readonly location?: string; readonly html?: string }): void;
  end(): Promise<void>;
}

/** Starts one on a free port of 127.0.0.1. */
export async function otherServer(): Promise<OtherServer> {
  const cookies: string[] = [];
  const headers: IncomingHttpHeaders[] = [];
  let next: Parameters<OtherServer['serve']>[0] = {};
  const server = createServer({ maxHeaderSize: 1_024 * 1_024 }, (request, response) => {
    headers.push(request.headers);
    if (request.headers.cookie !== undefined) cookies.push(request.headers.cookie);
    const { setCookie = [], location, html = '<p>a nice page</p>' } = next;
    response.writeHead(location === undefined ? 200 : 302, {
      'content-type': 'text/html',
      'set-cookie': [...setCookie],
      ...(location === undefined ? {} : { location }),
    });
    response.end(html);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    origin: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    cookies,
    headers,
    serve: (answer) => (next = answer),
    async end() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
