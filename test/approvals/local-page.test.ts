import { describe, expect, test } from '@jest/globals';
import type { Heard } from '../../shared/approvals/contract.ts';
import type { LocalPage } from '../../shared/approvals/local-page.ts';
import { pageHeaders, pageHtml, type PageView } from '../../shared/approvals/page.ts';
import { formatInstant } from '../../shared/base/time.ts';
import { approvalsConformance, hash, question } from '../conformance/approvals.ts';
import { testWorld } from '../world.ts';
import { form, openPlace, origin, posts, signIn, type Headers } from './page-place.ts';

function bodyOf({ hash: about, answer, why, until }: Omit<Heard, 'who'>): Uint8Array {
  return form({ hash: about, answer, why, until: until === undefined ? '' : formatInstant(until) });
}

const yes = form({ hash: hash('a'), answer: 'approve', why: '', until: '' });

approvalsConformance({
  name: 'approvals/local-page',
  fresh: async () => {
    const { page, world } = openPlace();
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
