import { request } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import type { Heard } from '../../shared/approvals/contract.ts';
import { localPage } from '../../shared/approvals/local-page.ts';
import { openPageServer, type PageServer } from '../../functions/local/page-server.ts';
import { testWorld } from '../world.ts';

const hash = 'ab'.repeat(32);
const form = `hash=${hash}&answer=approve`;

interface Place {
  readonly server: PageServer;
  readonly heard: readonly Heard[];
  /** Signs in as a browser does; every time with a new link. */
  readonly signIn: () => Promise<SignedIn>;
  readonly post: (path: string, headers: Record<string, string>, body?: string) => Promise<number>;
}

interface SignedIn {
  readonly cookie: string;
  /** Of the page. */
  readonly path: string;
}

async function withPage(check: (place: Place) => Promise<void>): Promise<void> {
  const server = await openPageServer(0);
  const page = localPage({ people: ['ada'], origin: server.origin, world: testWorld() });
  const heard: Heard[] = [];
  server.serve({
    authorise: (asked) => page.authorise(asked),
    outside: (message) => page.outside(message, () => undefined),
    signOut: (message) => page.signOut(message),
    hear: (message) => page.hear(message),
    show: async (who) => `<p>hello ${who}</p>`,
    answer: async (one) => {
      heard.push(one);
      return 'taken';
    },
  });
  const signIn = async (): Promise<SignedIn> => {
    const response = await fetch(page.link('ada').open(), { redirect: 'manual' });
    expect(response.status).toBe(303);
    const { headers } = response;
    return { cookie: headers.get('set-cookie')?.split(';')[0] ?? '', path: headers.get('location') ?? '' };
  };
  const post = async (path: string, headers: Record<string, string>, body = form): Promise<number> => {
    const sent = { 'content-type': 'application/x-www-form-urlencoded', ...headers };
    const init = { method: 'POST', redirect: 'manual', headers: sent, body } as const;
    return (await fetch(`${server.origin}${path}`, init)).status;
  };
  try {
    await check({ server, heard, signIn, post });
  } finally {
    await server.close();
  }
}

describe('the approvals page', () => {
  test('shows itself to whom the terminal let in, and to nobody else', () =>
    withPage(async ({ server, signIn }) => {
      expect((await fetch(server.origin)).status).toBe(401);
      expect((await fetch(`${server.origin}/?token=wrong`, { redirect: 'manual' })).status).toBe(401);
      const { cookie, path } = await signIn();
      const shown = await fetch(`${server.origin}${path}`, { headers: { cookie } });
      expect(await shown.text()).toBe('<p>hello ada</p>');
      expect(shown.headers.get('content-security-policy')).toContain("default-src 'none'");
      for (const [at, headers] of [
        [path, {}],
        ['/', { cookie }],
        [`/s/${'0'.repeat(32)}/`, { cookie }],
      ] as const)
        expect((await fetch(`${server.origin}${at}`, { headers })).status).toBe(401);
    }));

  test('takes an answer of its own form', () =>
    withPage(async ({ server, heard, signIn, post }) => {
      const { cookie, path } = await signIn();
      expect(await post(`${path}answer`, { cookie, origin: server.origin })).toBe(303);
      expect(heard).toEqual([{ hash, answer: 'approve', who: 'ada', why: '', until: undefined }]);
    }));

  test('no request that another site can cause decides anything', () =>
    withPage(async ({ server, heard, signIn, post }) => {
      const { cookie, path } = await signIn();
      const attempts: Record<string, string>[] = [
        { cookie },
        { cookie, origin: 'http://attacker.example' },
        { cookie, origin: 'null' },
        { cookie, origin: server.origin, 'content-type': 'text/plain' },
        { cookie, origin: server.origin, 'sec-fetch-site': 'cross-site' },
        { origin: server.origin },
        { cookie: 'lockkeeper=forged', origin: server.origin },
      ];
      for (const attempt of attempts) expect([attempt, await post(`${path}answer`, attempt)]).toEqual([attempt, 403]);
      const headers = { cookie };
      expect((await fetch(`${server.origin}${path}answer?${form}`, { headers })).status).toBe(404);
      expect((await fetch(`${server.origin}${path}answer`, { headers })).status).toBe(405);
      expect(await post('/answer', { cookie, origin: server.origin })).toBe(404);
      expect(heard).toEqual([]);
    }));

  test('a name that leads to this machine from elsewhere does not open it', () =>
    withPage(async ({ server, signIn }) => {
      const { cookie, path } = await signIn();
      const status = await new Promise((resolve, reject) => {
        const { port } = new URL(server.origin);
        const headers = { host: `attacker.example:${port}`, cookie };
        request({ host: '127.0.0.1', port, path, headers }, (response) => {
          response.resume();
          resolve(response.statusCode);
        })
          .on('error', reject)
          .end();
      });
      expect(status).toBe(403);
    }));

  test('refuses a body that is too long, and is not shut by cookies that others set', () =>
    withPage(async ({ server, heard, signIn, post }) => {
      const { cookie, path } = await signIn();
      const long = `${form}&why=${'x'.repeat(100_000)}`;
      expect(await post(`${path}answer`, { cookie, origin: server.origin }, long)).toBe(413);
      expect(heard).toEqual([]);
      const junk = Array.from({ length: 150 }, (_, at) => `junk${at}=${'j'.repeat(4_000)}`).join('; ');
      const shown = await fetch(`${server.origin}${path}`, { headers: { cookie: `${junk}; ${cookie}` } });
      expect(shown.status).toBe(200);
    }));

  test('answers 503 until there is something to show', async () => {
    const server = await openPageServer(0);
    expect((await fetch(server.origin)).status).toBe(503);
    await server.close();
  });
});
