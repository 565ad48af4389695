import { describe, expect, test } from '@jest/globals';
import type { Heard, RawMessage } from '../../shared/approvals/contract.ts';
import { localPage, type Entrance, type LocalPage } from '../../shared/approvals/local-page.ts';
import { pageHeaders, pageHtml, type PageView } from '../../shared/approvals/page.ts';
import { formatInstant, hour, minute } from '../../shared/base/time.ts';
import { approvalsConformance, hash, question } from '../conformance/approvals.ts';
import { testWorld, type TestWorld } from '../world.ts';

const origin = 'http://127.0.0.1:4242';
type Headers = RawMessage['headers'];

const host = { host: '127.0.0.1:4242' };

function open(world = testWorld()): { page: LocalPage; world: TestWorld } {
  return { page: localPage({ people: ['ann', 'ben'], origin, world }), world };
}

interface SignedIn {
  readonly headers: Headers;
  /** Of the page. */
  readonly path: string;
}

/** What a browser that was signed in sends with every request to the page. */
function signIn(page: LocalPage, who: string): SignedIn {
  const entrance = page.authorise({ headers: host, url: page.link(who).open().slice(origin.length) });
  if (entrance.kind !== 'signed-in') throw new Error('not signed in');
  return { headers: { ...host, cookie: entrance.setCookie.split(';')[0] }, path: entrance.location };
}

/** What its form sends besides. */
const posts: Headers = { origin, 'sec-fetch-site': 'same-origin', 'content-type': 'application/x-www-form-urlencoded' };

function form(fields: Readonly<Record<string, string>>): Uint8Array {
  return Buffer.from(new URLSearchParams(fields).toString());
}

function bodyOf({ hash: about, answer, why, until }: Omit<Heard, 'who'>): Uint8Array {
  return form({ hash: about, answer, why, until: until === undefined ? '' : formatInstant(until) });
}

const yes = form({ hash: hash('a'), answer: 'approve', why: '', until: '' });

approvalsConformance({
  name: 'approvals/local-page',
  fresh: async () => {
    const { page, world } = open();
    const { path, headers: cookie } = signIn(page, 'ann');
    const headers = { ...cookie, ...posts };
    const url = `${path}answer`;
    return {
      approvals: page,
      seen: async () => {
        const { questions, notices } = page.shown();
        const view = {
          who: 'ann',
          now: world.now(),
          questions: questions.map((one) => ({ question: one, approvedBy: [] })),
          closures: [],
          notices,
        };
        return unescape(page.html(view));
      },
      pings: () => page.shown().questions.length,
      press: async (who, answer) => {
        const own = signIn(page, who);
        return { headers: { ...own.headers, ...posts }, url: `${own.path}answer`, body: bodyOf(answer) };
      },
      forgeries: async () =>
        new Map(
          [...forgeries(headers), ...strangePaths(page, url)].map(([what, changed, at = url]) => [
            what,
            { headers: changed ?? headers, url: at, body: yes },
          ]),
        ),
      nonsense: async () =>
        new Map(
          nonsense.map(([what, body]) => [
            what,
            { headers, url, body: typeof body === 'string' ? Buffer.from(body) : body },
          ]),
        ),
      secrets: [path, cookie['cookie'] ?? ''],
      end: async () => {},
    };
  },
});

/** The right cookie beside another path. */
function strangePaths(page: LocalPage, url: string): readonly [string, undefined, string][] {
  return [
    ['the cookie alone', undefined, '/answer'],
    ['a guessed path', undefined, `/s/${'0'.repeat(32)}/answer`],
    ['the path of another person', undefined, `${signIn(page, 'ben').path}answer`],
    ['a longer path', undefined, `/x${url}`],
  ];
}

function forgeries(headers: Headers): readonly [string, Headers, undefined?][] {
  return [
    ['no session', { ...headers, cookie: undefined }],
    ['a guessed session', { ...headers, cookie: `lockkeeper=${'0'.repeat(64)}` }],
    ['a cookie of another name', { ...headers, cookie: headers['cookie']?.replace('lockkeeper', 'lockkeepers') }],
    ['a token', { ...headers, cookie: undefined, authorization: `Bearer ${headers['cookie']?.slice(11)}` }],
    ['no Origin', { ...headers, origin: undefined }],
    ['the Origin of another site', { ...headers, origin: 'https://evil.example' }],
    ['the Origin of another port', { ...headers, origin: 'http://127.0.0.1:9999' }],
    ['a hidden Origin', { ...headers, origin: 'null' }],
    ['an Origin that begins alike', { ...headers, origin: `${origin}.evil.example` }],
    ['the mark of another site', { ...headers, 'sec-fetch-site': 'cross-site' }],
    ['the mark of the same site, other origin', { ...headers, 'sec-fetch-site': 'same-site' }],
    ['a rebound name', { ...headers, host: 'evil.example:4242', origin: 'http://evil.example:4242' }],
    ['another port in Host', { ...headers, host: '127.0.0.1:9999' }],
    ['no Host', { ...headers, host: undefined }],
    ['plain text, as a form without preflight can send', { ...headers, 'content-type': 'text/plain' }],
    ['no content type', { ...headers, 'content-type': undefined }],
  ];
}

const nonsense: readonly [string, string | Uint8Array][] = [
  ['no hash', 'answer=approve'],
  ['a short hash', 'hash=abc&answer=approve'],
  ['two hashes', `hash=${hash('a')}&hash=${hash('b')}&answer=approve`],
  ['two answers', `hash=${hash('a')}&answer=deny&answer=approve&why=x`],
  ['no answer', `hash=${hash('a')}`],
  ['an unknown answer', `hash=${hash('a')}&answer=close`],
  ['an unknown field', `hash=${hash('a')}&answer=approve&who=ben`],
  ['denying without a reason', `hash=${hash('a')}&answer=deny&why=+`],
  ['a snooze without an end', `hash=${hash('a')}&answer=snooze&why=x`],
  ['an end that is no time', `hash=${hash('a')}&answer=snooze&why=x&until=soon`],
  ['a date that is none', `hash=${hash('a')}&answer=snooze&why=x&until=2026-13-01`],
  ['bytes that are no text', Uint8Array.of(0x68, 0xff, 0xfe)],
  ['too much', `hash=${hash('a')}&answer=deny&why=${'x'.repeat(17_000)}`],
];

describe('signing in', () => {
  const linkOf = (page: LocalPage, who: string): string => page.link(who).open().slice(origin.length);
  const shown = (entrance: Entrance): string => (entrance.kind === 'outside' ? entrance.html : entrance.kind);

  test('a link opens a session of its own person, and leaves the address', () => {
    const { page } = open();
    const url = linkOf(page, 'ben');
    const entrance = page.authorise({ headers: host, url });
    if (entrance.kind !== 'signed-in') throw new Error('not signed in');
    const { who, location, setCookie } = entrance;
    expect([who, location.length]).toEqual(['ben', 36]);
    expect(JSON.stringify(entrance)).not.toContain(url.slice(-20));
    expect(setCookie).toMatch(
      /^lockkeeper=[0-9a-f]{64}; HttpOnly; SameSite=Strict; Path=\/s\/[0-9a-f]{32}\/; Max-Age=43200$/,
    );
    expect(setCookie).toContain(`Path=${location};`);
    const headers = { ...host, cookie: setCookie.split(';')[0] };
    expect(page.authorise({ headers, url: location })).toEqual({ kind: 'known', who: 'ben' });
  });

  test('a link lets in once, says when it was used, and can end what it began', () => {
    const { page, world } = open();
    const url = linkOf(page, 'ann');
    const first = page.authorise({ headers: host, url });
    if (first.kind !== 'signed-in') throw new Error('not signed in');
    world.pass(minute);
    expect(shown(page.authorise({ headers: host, url }))).toContain('was used at 2026-10-01T00:00:00Z');
    const headers = { ...host, cookie: first.setCookie.split(';')[0] };
    expect(page.authorise({ headers, url: first.location }).kind).toBe('known');
    const body = form({ token: url.split('=')[1] ?? '' });
    page.outside({ headers: { ...host, ...posts }, url: '/end-sign-in', body }, () => undefined);
    expect(page.authorise({ headers, url: first.location }).kind).toBe('outside');
  });

  test('a link is too old after an hour', () => {
    const { page, world } = open();
    const url = linkOf(page, 'ann');
    world.pass(hour);
    expect(shown(page.authorise({ headers: host, url }))).toContain('too old');
  });

  test.each([
    ['a page led there', { 'sec-fetch-site': 'cross-site' }],
    ['a page of another port led there', { 'sec-fetch-site': 'same-site' }],
    ['the browser looks ahead', { 'sec-fetch-site': 'none', 'sec-purpose': 'prefetch;prerender' }],
  ])('a link signs nobody in by itself where %s: the person is asked, in whose name', (_, marks) => {
    const { page } = open();
    const url = linkOf(page, 'ben');
    expect(shown(page.authorise({ headers: { ...host, ...marks }, url }))).toContain('Sign in as ben');
    const message = { url: '/sign-in', body: form({ token: url.split('=')[1] ?? '' }) };
    expect(() => page.outside({ ...message, headers: { ...host, ...posts, ...marks } }, () => undefined)).toThrow(
      'refused',
    );
    const entrance = page.outside({ ...message, headers: { ...host, ...posts } }, () => undefined);
    expect(entrance).toMatchObject({ kind: 'signed-in', who: 'ben' });
  });

  test.each<[string, Headers, string, 401 | 403]>([
    ['without anything', host, '/', 401],
    ['with a wrong token', host, '/?token=nope', 401],
    ['with an empty token', host, '/?token=', 401],
    ['under another name for this machine', { host: 'evil.example:4242' }, '/?token=nope', 403],
    ['by a page of another port', { ...host, 'sec-fetch-site': 'same-site' }, `/s/${'0'.repeat(32)}/`, 403],
  ])('nobody comes in %s', (_, headers, url, status) => {
    expect(open().page.authorise({ headers, url })).toMatchObject({ kind: 'outside', status });
  });

  test('cookies that others set change nothing', () => {
    const { page } = open();
    const { headers, path } = signIn(page, 'ann');
    const cookie = `lockkeeper=x; ${headers['cookie']}; lockkeeper=${'0'.repeat(64)}; other=${'y'.repeat(9_000)}`;
    expect(page.authorise({ headers: { ...headers, cookie }, url: path })).toEqual({ kind: 'known', who: 'ann' });
    expect(page.authorise({ headers: signIn(page, 'ben').headers, url: path }).kind).toBe('outside');
  });

  test('a session ends after two hours without a request, and after twelve', async () => {
    const { page, world } = open();
    const { headers, path } = signIn(page, 'ann');
    for (let passed = 0; passed < 11; passed += 1) {
      world.pass(hour);
      expect(page.authorise({ headers, url: path }).kind).toBe('known');
    }
    world.pass(hour);
    expect(page.authorise({ headers, url: path }).kind).toBe('outside');
    const other = signIn(page, 'ann');
    world.pass(2 * hour);
    const message = { headers: { ...other.headers, ...posts }, url: `${other.path}answer`, body: yes };
    await expect(page.hear(message)).rejects.toMatchObject({ code: 'denied' });
  });

  test('who signs out is out, in that session alone', () => {
    const { page } = open();
    const [one, two] = [signIn(page, 'ann'), signIn(page, 'ann')];
    const headers = { ...one.headers, ...posts };
    expect(() => page.signOut({ headers: one.headers, url: `${one.path}sign-out`, body: form({}) })).toThrow('refused');
    page.signOut({ headers, url: `${one.path}sign-out`, body: form({}) });
    expect(page.authorise({ headers: one.headers, url: one.path }).kind).toBe('outside');
    expect(page.authorise({ headers: two.headers, url: two.path }).kind).toBe('known');
  });

  test('a new link goes to the terminal, for those who are asked, once a minute, and the answer tells nobody who that is', () => {
    const { page, world } = open();
    const links: string[] = [];
    const ask = (who: string): string =>
      shown(
        page.outside({ headers: { ...host, ...posts }, url: '/link', body: form({ who }) }, (name, address) =>
          links.push(`${name} ${address.open()}`),
        ),
      );
    const answers = ['ann', 'ann', 'mallory', ''].map(ask);
    expect(links).toEqual([expect.stringMatching(/^ann http:\/\/127\.0\.0\.1:4242\/\?token=[0-9a-f]{48}$/)]);
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).not.toContain(links[0]?.slice(-48));
    world.pass(minute);
    ask('ann');
    expect(links).toHaveLength(2);
  });

  test('a page that is not on this machine’s loopback hears nobody', async () => {
    const elsewhere = 'http://10.0.0.1:4242';
    const page = localPage({ people: ['ann'], origin: elsewhere, world: testWorld() });
    const url = page.link('ann').open().slice(elsewhere.length);
    expect(page.authorise({ headers: { host: '10.0.0.1:4242' }, url })).toMatchObject({ kind: 'outside', status: 403 });
  });
});

describe('the page', () => {
  const view: PageView = {
    who: 'ann',
    now: testWorld().now(),
    questions: [{ question: question(hash('a')), approvedBy: ['ben'] }],
    closures: [
      {
        hash: hash('b'),
        title: 'r-2',
        phase: 'quarantined',
        since: testWorld().now(),
        detail: 'It is watched.',
        canReopen: true,
      },
    ],
    notices: [{ hash: undefined, level: 'alarm', text: 'look here' }],
  };

  test('can show nothing but text: markup from anywhere stays text', () => {
    const evil = '<script>alert(1)</script>"\'&amp;<img src=x onerror=alert(1)>';
    const facts = [{ label: evil, text: evil }];
    const html = pageHtml({
      ...view,
      who: evil,
      questions: [
        { question: question(evil, { title: evil, facts, owner: evil, approvers: [evil] }), approvedBy: [evil] },
      ],
      closures: [{ hash: evil, title: evil, phase: evil, since: view.now, detail: evil, canReopen: true }],
      notices: [{ hash: undefined, level: 'info', text: evil }],
    });
    expect(html).not.toMatch(/<script|<img/);
    expect(tagsOf(html)).toEqual(
      tagsOf(
        pageHtml({
          ...view,
          who: 'x',
          questions: [{ question: question(hash('a'), { approvers: ['x'] }), approvedBy: [] }],
          notices: [{ hash: undefined, level: 'info', text: 'x' }],
        }),
      ),
    );
  });

  test('says what became of an answer, as text', () => {
    expect(pageHtml(view)).not.toContain('role="status"');
    expect(pageHtml({ ...view, said: 'not counted: <b>you</b> asked for it' })).toContain(
      '<p role="status"><strong>Your answer</strong>: not counted: &lt;b&gt;you&lt;/b&gt; asked for it</p>',
    );
  });

  test('never offers Approve to the Enter key: it stands alone in its form', () => {
    const forms = pageHtml(view).match(/<form[\s\S]*?<\/form>/g) ?? [];
    const approving = forms.filter((one) => one.includes('value="approve"'));
    expect(approving).toHaveLength(1);
    expect(approving[0]).not.toMatch(/<input(?! type="hidden")/);
    expect(forms.every((one) => /method="post" action="(answer|sign-out)"/.test(one))).toBe(true);
  });

  test('offers answers only to those who are asked, and Reopen where it can', () => {
    expect(pageHtml({ ...view, who: 'mallory' })).not.toContain('value="approve"');
    expect(pageHtml(view)).toContain('value="reopen"');
    expect(pageHtml({ ...view, closures: view.closures.map((one) => ({ ...one, canReopen: false })) })).not.toContain(
      'value="reopen"',
    );
  });

  test('loads nothing, runs nothing, posts only to itself, and its style is the one that its policy allows', async () => {
    const html = pageHtml(view);
    expect(html).not.toMatch(/src=|https?:|<link|javascript:| on[a-z]+=/);
    const policy = pageHeaders['content-security-policy'];
    for (const part of ["default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"])
      expect(policy).toContain(part);
    const style = /<style>([\s\S]*?)<\/style>/.exec(html)?.[1] ?? '';
    const digest = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(style))).toString('base64');
    expect(policy).toContain(`'sha256-${digest}'`);
  });

  test('says state in words, labels every field, and follows the light', () => {
    const html = pageHtml(view);
    expect(html).toContain('⛔ Alarm');
    expect(html).toContain('1 of 2 needed');
    expect(html).toContain('color-scheme: light dark');
    expect(html).toContain('<html lang="en">');
    const fields = html.match(/<input(?! type="hidden")[^>]*>/g) ?? [];
    const labelled = html.match(/<label>[^<]+<input[^>]*><\/label>/g) ?? [];
    expect([fields.length, labelled.length]).toEqual([3, 3]);
  });

  test('a form never makes the browser hide its Origin', () => {
    expect(pageHeaders['referrer-policy']).toBe('same-origin');
  });
});

function tagsOf(html: string): readonly string[] {
  return html.match(/<[a-z/][a-z0-9]*/g) ?? [];
}

function unescape(html: string): string {
  return html
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
}
