import { request } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import type { Heard } from '../../shared/approvals/contract.ts';
import { localPage } from '../../shared/approvals/local-page.ts';
import { Sealed } from '../../shared/base/sealed.ts';
import { openPageServer, type PageServer } from '../../functions/local/page-server.ts';
import { testWorld } from '../world.ts';

const token = 'token-of-ada-0123456789';
const hash = 'ab'.repeat(32);
const form = `hash=${hash}&answer=approve`;

interface Place {
  readonly server: PageServer;
  readonly heard: readonly Heard[];
  /** Signs in as a browser does, and gives its cookie. */
  readonly signIn: () => Promise<string>;
  readonly post: (headers: Record<string, string>, body?: string) => Promise<number>;
}

async function withPage(check: (place: Place) => Promise<void>): Promise<void> {
  const server = await openPageServer(0);
  const page = localPage({ tokens: new Map([['ada', new Sealed(token)]]), origin: server.origin, world: testWorld() });
  const heard: Heard[] = [];
  server.serve({
    authorise: (asked) => page.authorise(asked),
    hear: (message) => page.hear(message),
    show: async (who) => `<p>hello ${who}</p>`,
    answer: async (one) => {
      heard.push(one);
      return 'taken';
    },
  });
  const signIn = async (): Promise<string> => {
    const response = await fetch(`${server.origin}/?token=${token}`, { redirect: 'manual' });
    expect([response.status, response.headers.get('location')]).toEqual([303, '/']);
    return response.headers.get('set-cookie')?.split(';')[0] ?? '';
  };
  const post = async (headers: Record<string, string>, body = form): Promise<number> => {
    const sent = { 'content-type': 'application/x-www-form-urlencoded', ...headers };
    return (await fetch(`${server.origin}/answer`, { method: 'POST', redirect: 'manual', headers: sent, body })).status;
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
      const shown = await fetch(server.origin, { headers: { cookie: await signIn() } });
      expect(await shown.text()).toBe('<p>hello ada</p>');
      expect(shown.headers.get('content-security-policy')).toContain("default-src 'none'");
    }));

  test('takes an answer of its own form', () =>
    withPage(async ({ server, heard, signIn, post }) => {
      expect(await post({ cookie: await signIn(), origin: server.origin })).toBe(303);
      expect(heard).toEqual([{ hash, answer: 'approve', who: 'ada', why: '', until: undefined }]);
    }));

  test('no request that another site can cause decides anything', () =>
    withPage(async ({ server, heard, signIn, post }) => {
      const cookie = await signIn();
      const attempts: Record<string, string>[] = [
        { cookie },
        { cookie, origin: 'http://attacker.example' },
        { cookie, origin: 'null' },
        { cookie, origin: server.origin, 'content-type': 'text/plain' },
        { cookie, origin: server.origin, 'sec-fetch-site': 'cross-site' },
        { origin: server.origin },
        { cookie: 'lockkeeper=forged', origin: server.origin },
      ];
      for (const attempt of attempts) expect([attempt, await post(attempt)]).toEqual([attempt, 403]);
      expect((await fetch(`${server.origin}/answer?${form}`, { headers: { cookie } })).status).toBe(404);
      expect(heard).toEqual([]);
    }));

  test('a name that leads to this machine from elsewhere does not open it', () =>
    withPage(async ({ server, signIn }) => {
      const cookie = await signIn();
      const status = await new Promise((resolve, reject) => {
        const { port } = new URL(server.origin);
        request({ host: '127.0.0.1', port, headers: { host: `attacker.example:${port}`, cookie } }, (response) => {
          response.resume();
          resolve(response.statusCode);
        })
          .on('error', reject)
          .end();
      });
      expect(status).toBe(403);
    }));

  test('refuses a body without end', () =>
    withPage(async ({ server, heard, signIn, post }) => {
      expect(await post({ cookie: await signIn(), origin: server.origin }, `${form}&why=${'x'.repeat(100_000)}`)).toBe(
        400,
      );
      expect(heard).toEqual([]);
    }));

  test('answers 503 until there is something to show', async () => {
    const server = await openPageServer(0);
    expect((await fetch(server.origin)).status).toBe(503);
    await server.close();
  });
});
