import type { Page } from 'puppeteer-core';
import { hour, minute } from '../../../../shared/base/time.ts';
import { mustHold } from '../attack.ts';
import type { OtherServer } from './other-server.ts';
import { questionHash, type PagePlace } from './page-place.ts';

/** Everything that takes part: ada's browser, the page, and another server of the same host. */
export interface Scene {
  readonly place: PagePlace;
  readonly other: OtherServer;
  readonly tab: Page;
  /** Where ada's page is. */
  at: string;
  /** What was tried so far. */
  tried: number;
}

const vote = new URLSearchParams({ hash: questionHash, answer: 'approve' }).toString();
const nowhere = `/s/${'0'.repeat(32)}/`;

/** Who the page takes the tab for; undefined: nobody. */
async function whoIs(tab: Page): Promise<string | undefined> {
  return /You are <strong>(\w+)</.exec(await tab.content())?.[1];
}

/** ada reads her own page, whatever others did. */
export async function stillAda({ tab, at }: Scene, when: string): Promise<void> {
  await tab.goto(at);
  const who = await whoIs(tab);
  mustHold(who === 'ada', `${when} ada's own page takes her for ${who ?? 'nobody'}`);
}

/** ada visits the other server, at every path that it can think of. */
export async function visits(scene: Scene): Promise<void> {
  const { other, tab, at } = scene;
  for (const path of ['/', '/s/', '/answer', nowhere, `${nowhere}answer`]) {
    await tab.goto(`${other.origin}${path}`);
    await tab.evaluate(`fetch('${other.origin}${path}', { credentials: 'include' }).then((r) => r.text())`);
    scene.tried += 2;
  }
  mustHold(other.cookies.length === 0, `the other server was sent ${other.cookies.join(' and ')}`);
  const { host } = new URL(at);
  mustHold(
    !other.headers.some(({ referer }) => referer?.includes(host)),
    'the other server was told where the page is',
  );
  await stillAda(scene, 'after her visit');
}

/** The cookie got out all the same, or the path did: each is sent from another process, with all that a browser says. */
export async function replays(scene: Scene): Promise<void> {
  const { place, tab, at } = scene;
  const cookie = await cookieOf(tab);
  const { pathname } = new URL(at);
  const attempts = [
    ...['/', '/s/', nowhere, '/answer', `${nowhere}answer`].map((path) => ({ path, cookie })),
    ...['', 'lockkeeper=', `lockkeeper=${'0'.repeat(64)}`].flatMap((none) => [
      { path: pathname, cookie: none },
      { path: `${pathname}answer`, cookie: none },
    ]),
  ];
  for (const { path, cookie: sent } of attempts) {
    for (const method of ['GET', 'POST'] as const) await nothingComes(scene, { path, cookie: sent, method });
  }
  mustHold(place.heard.length === 0, 'a vote was taken from another process');
  await stillAda(scene, 'after the replays');
}

interface Attempt {
  readonly path: string;
  readonly cookie: string;
  readonly method: 'GET' | 'POST';
}

async function nothingComes(scene: Scene, { path, cookie, method }: Attempt): Promise<void> {
  const { place } = scene;
  const headers = { origin: place.origin, cookie, 'content-type': 'application/x-www-form-urlencoded' };
  const body = method === 'POST' ? { body: vote } : {};
  const answer = await fetch(`${place.origin}${path}`, { method, headers, redirect: 'manual', ...body });
  const text = await answer.text();
  scene.tried += 1;
  mustHold(
    !text.includes('You are') && !text.includes(questionHash),
    `${method} ${path} showed the page to a stranger`,
  );
  mustHold(answer.status >= 400, `${method} ${path} was answered ${answer.status}`);
}

async function cookieOf(tab: Page): Promise<string> {
  const all = await tab.browserContext().cookies();
  const mine = all.find(({ name, value }) => name === 'lockkeeper' && value.length === 64);
  if (mine === undefined) throw new Error('the browser holds no cookie of the page');
  return `lockkeeper=${mine.value}`;
}

/** The other server saw ada's path, on a picture of her screen, and uses her own browser, which has the cookie. */
export async function crossSite(scene: Scene): Promise<void> {
  const { other, tab, at, place } = scene;
  other.serve({});
  const form = `hash=${questionHash}&answer=approve`;
  for (const attempt of [
    `fetch('${at}', { credentials: 'include' }).then((r) => r.text()).catch(() => 'kept from it')`,
    `fetch('${at}answer', { method: 'POST', credentials: 'include', mode: 'no-cors', body: new URLSearchParams('${form}') }).then((r) => r.type)`,
    `new Promise((seen) => { const frame = document.createElement('iframe'); frame.onload = () => { try { seen(frame.contentDocument.body.innerHTML); } catch { seen('kept from it'); } }; frame.src = '${at}'; document.body.append(frame); })`,
  ]) {
    await tab.goto(other.origin);
    const seen = String(await tab.evaluate(attempt));
    scene.tried += 1;
    mustHold(!seen.includes('You are'), `a page of the other server read ada's: ${seen.slice(0, 80)}`);
  }
  const inputs = `<input name=hash value=${questionHash}><input name=answer value=approve>`;
  other.serve({ html: `<form method=post action="${at}answer">${inputs}</form>` });
  await tab.goto(other.origin);
  await Promise.all([tab.waitForNavigation(), tab.evaluate(`document.forms[0].submit()`)]);
  scene.tried += 1;
  mustHold(place.heard.length === 0, 'a page of the other server voted with ada’s browser');
  other.serve({});
  await stillAda(scene, 'after the forms');
}

/** ben may decide too, and wants ada to press buttons in his name: his links, his path, and his cookie in her browser. */
export async function tosses(scene: Scene): Promise<void> {
  const { other, tab, place } = scene;
  const own = await fetch(place.page.link('ben').open(), { redirect: 'manual' });
  const cookie = own.headers.get('set-cookie')?.split(';')[0] ?? '';
  const path = own.headers.get('location') ?? '';
  other.serve({
    setCookie: [`${cookie}; Path=${path}`, `${cookie}; Path=/`, `${cookie}; Path=/s/`, 'lockkeeper=x; Path=/'],
  });
  await tab.goto(other.origin);
  await stillAda(scene, 'with the cookies of another');
  const link = place.page.link('ben').open();
  for (const target of [`${place.origin}${path}`, link, `${place.origin}${path}answer`]) {
    await tab.goto(other.origin);
    await Promise.all([tab.waitForNavigation(), tab.evaluate(`location.href = '${target}'`)]);
    scene.tried += 1;
    mustHold((await whoIs(tab)) === undefined, 'a page of the other server made ada sit at the page of ben');
  }
  const left = await fetch(link, { redirect: 'manual' });
  mustHold(left.status === 303, 'a page of the other server used a link without asking');
  other.serve({});
  await stillAda(scene, 'after she was led away');
}

/** So many cookies that a server gives up, and then so many that the browser drops others. */
export async function floods(scene: Scene): Promise<void> {
  const { other, tab, place } = scene;
  await fill(scene, { from: 0, count: 100 });
  await stillAda(scene, 'with 100 large cookies of another server');
  for (const from of [100, 200, 300]) await fill(scene, { from, count: 100 });
  await tab.goto(scene.at);
  const who = await whoIs(tab);
  mustHold(who === 'ada' || who === undefined, `a full cookie jar makes ada ${who}`);
  await tab.goto(place.page.link('ada').open());
  scene.at = tab.url();
  other.serve({});
  await stillAda(scene, 'with a new link and a full cookie jar');
}

async function fill(scene: Scene, { from, count }: { readonly from: number; readonly count: number }): Promise<void> {
  const { other, tab } = scene;
  const names = Array.from({ length: count }, (_, at) => `junk${from + at}`);
  // In parts: a browser takes 256 kB of headers at most.
  for (let at = 0; at < names.length; at += 50) {
    const part = names.slice(at, at + 50);
    other.serve({ setCookie: part.map((name) => `${name}=${'j'.repeat(3_000)}; Path=/`) });
    await tab.goto(`${other.origin}/fill/${from + at}`);
    scene.tried += 50;
  }
}

/** Links that others saw: in a terminal, a log, a list of processes. */
export async function oldLinks(scene: Scene): Promise<void> {
  const { place } = scene;
  const used = place.page.link('ada').open();
  await fetch(used, { redirect: 'manual' });
  await letsNobodyIn(scene, used);
  const old = place.page.link('ada').open();
  place.pass(hour + minute);
  for (const link of [used, old, `${place.origin}/?token=${'0'.repeat(48)}`]) await letsNobodyIn(scene, link);
  const again = await (await fetch(used, { redirect: 'manual' })).text();
  if (!again.includes('This link was used')) throw new Error('a used link does not say that it was');
}

async function letsNobodyIn(scene: Scene, link: string): Promise<void> {
  const answer = await fetch(link, { redirect: 'manual' });
  scene.tried += 1;
  mustHold(answer.status === 401 && answer.headers.get('set-cookie') === null, 'an old link let somebody in');
}

/** What all this is for: ada's own answer counts. */
export async function ownAnswer(scene: Scene): Promise<void> {
  const { place, tab } = scene;
  mustHold(place.heard.length === 0, 'somebody voted');
  await stillAda(scene, 'in the end');
  await Promise.all([tab.waitForNavigation(), tab.click('button[value=approve]')]);
  const [first, second] = place.heard;
  mustHold(first?.who === 'ada' && first.answer === 'approve' && second === undefined, 'ada could not vote');
}

/** Both halves of a sign-in got out; they end with it. */
export async function endings(scene: Scene): Promise<void> {
  const { place, tab } = scene;
  const both = async () => ({ path: new URL(scene.at).pathname, cookie: await cookieOf(tab), method: 'GET' as const });
  place.pass(2 * hour);
  await nothingComes(scene, await both());
  await tab.browserContext().deleteCookie(...(await tab.browserContext().cookies()));
  await tab.goto(place.page.link('ada').open());
  scene.at = tab.url();
  for (let passed = 0; passed < 12; passed += 1) {
    await stillAda(scene, `after ${passed} hours`);
    place.pass(hour);
  }
  await nothingComes(scene, await both());
  await tab.goto(place.page.link('ada').open());
  scene.at = tab.url();
  await tab
    .browserContext()
    .deleteCookie(...(await tab.browserContext().cookies()).filter(({ path }) => !scene.at.endsWith(path)));
  const taken = await both();
  await Promise.all([tab.waitForNavigation(), tab.click('header button')]);
  await nothingComes(scene, taken);
}
