import { describe, expect, test } from '@jest/globals';
import { localPage, type Entrance, type LocalPage } from '../../shared/approvals/local-page.ts';
import { hour, minute } from '../../shared/base/time.ts';
import { hash } from '../conformance/approvals.ts';
import { testWorld } from '../world.ts';
import { form, host, openPlace, origin, posts, signIn, type Headers } from './page-place.ts';

const yes = form({ hash: hash('a'), answer: 'approve', why: '', until: '' });

describe('signing in', () => {
  const linkOf = (page: LocalPage, who: string): string => page.link(who).open().slice(origin.length);
  const shown = (entrance: Entrance): string => (entrance.kind === 'outside' ? entrance.html : entrance.kind);

  test('a link opens a session of its own person, and leaves the address', () => {
    const { page } = openPlace();
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
    const { page, world } = openPlace();
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
    const { page, world } = openPlace();
    const url = linkOf(page, 'ann');
    world.pass(hour);
    expect(shown(page.authorise({ headers: host, url }))).toContain('too old');
  });

  test.each([
    ['a page led there', { 'sec-fetch-site': 'cross-site' }],
    ['a page of another port led there', { 'sec-fetch-site': 'same-site' }],
    ['the browser looks ahead', { 'sec-fetch-site': 'none', 'sec-purpose': 'prefetch;prerender' }],
  ])('a link signs nobody in by itself where %s: the person is asked, in whose name', (_, marks) => {
    const { page } = openPlace();
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
    expect(openPlace().page.authorise({ headers, url })).toMatchObject({ kind: 'outside', status });
  });

  test('cookies that others set change nothing', () => {
    const { page } = openPlace();
    const { headers, path } = signIn(page, 'ann');
    const cookie = `lockkeeper=x; ${headers['cookie']}; lockkeeper=${'0'.repeat(64)}; other=${'y'.repeat(9_000)}`;
    expect(page.authorise({ headers: { ...headers, cookie }, url: path })).toEqual({ kind: 'known', who: 'ann' });
    expect(page.authorise({ headers: signIn(page, 'ben').headers, url: path }).kind).toBe('outside');
  });

  test('a session ends after two hours without a request, and after twelve', async () => {
    const { page, world } = openPlace();
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
    const { page } = openPlace();
    const [one, two] = [signIn(page, 'ann'), signIn(page, 'ann')];
    const headers = { ...one.headers, ...posts };
    expect(() => page.signOut({ headers: one.headers, url: `${one.path}sign-out`, body: form({}) })).toThrow('refused');
    page.signOut({ headers, url: `${one.path}sign-out`, body: form({}) });
    expect(page.authorise({ headers: one.headers, url: one.path }).kind).toBe('outside');
    expect(page.authorise({ headers: two.headers, url: two.path }).kind).toBe('known');
  });

  test('a new link goes to the terminal, for those who are asked, once a minute, and the answer tells nobody who that is', () => {
    const { page, world } = openPlace();
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
