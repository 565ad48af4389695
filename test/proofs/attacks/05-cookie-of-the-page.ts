import type { Attack } from './attack.ts';
import { withBrowser } from './chromium.ts';
import { crossSite, endings, floods, oldLinks, ownAnswer, replays, stillAda, tosses, visits } from './page/moves.ts';
import { otherServer } from './page/other-server.ts';
import { pagePlace } from './page/page-place.ts';

const sessions = 'shared/approvals/page/sessions.ts';
const links = 'shared/approvals/page/links.ts';
const driver = 'shared/approvals/local-page.ts';

/** Another server of the host, which the approver's browser visits, wants to vote. */
export const attack: Attack = {
  number: 5,
  about: 'another server on 127.0.0.1 takes and sets cookies of the approvals page',
  run: async () => {
    const place = await pagePlace();
    const other = await otherServer();
    try {
      return await withBrowser(async (browser) => {
        const tab = await browser.newPage();
        await tab.goto(place.page.link('ada').open());
        const scene = { place, other, tab, at: tab.url(), tried: 0 };
        await stillAda(scene, 'at first');
        for (const step of [visits, replays, crossSite, tosses, floods, oldLinks]) await step(scene);
        await ownAnswer(scene);
        await endings(scene);
        return `${scene.tried} ways, in Chromium and from a process of its own: no cookie received, nothing read, no vote; ada still votes`;
      });
    } finally {
      await other.end();
      await place.end();
    }
  },
  switchedBack: [
    {
      name: 'cookie-everywhere',
      file: sessions,
      find: 'SameSite=Strict; Path=${path}; ',
      replace: 'SameSite=Strict; Path=/; ',
    },
    {
      name: 'cookie-alone',
      file: sessions,
      find: 'return key === undefined ? undefined : this.#sessions.get(sha256(key));',
      replace: 'return this.#sessions.get(sha256(key ?? "")) ?? [...this.#sessions.values()][0];',
    },
    { name: 'path-alone', file: sessions, find: '|| !hasCookie(session, headers)', replace: '' },
    {
      name: 'one-cookie-only',
      file: sessions,
      find: '.some((pair) => cookie.equals',
      replace: '.every((pair) => cookie.equals',
    },
    { name: 'link-twice', file: links, find: 'link.usedAt = this.#world.now();', replace: 'link.usedAt = undefined;' },
    {
      name: 'link-for-ever',
      file: links,
      find: "ends > this.#world.now() ? 'fresh' : 'expired'",
      replace: "ends > 0 ? 'fresh' : 'expired'",
    },
    {
      name: 'session-without-idle-end',
      file: sessions,
      find: 'return ends > now && idleAt > now;',
      replace: 'return ends > now;',
    },
    {
      name: 'session-without-end',
      file: sessions,
      find: 'return ends > now && idleAt > now;',
      replace: 'return idleAt > now && ends > 0;',
    },
    {
      name: 'sign-in-without-asking',
      file: driver,
      find: '(!isOwnNavigation(headers) || isAhead(headers))',
      replace: 'isAhead(headers)',
    },
    {
      name: 'led-by-another-page',
      file: driver,
      find: 'if (!isOwnNavigation(headers))\n      return outside(403',
      replace: 'if (isAhead(headers))\n      return outside(403',
    },
    {
      name: 'shut-by-cookies',
      file: 'functions/local/page-server.ts',
      find: 'maxHeaderSize: 1_024 * 1_024',
      replace: 'maxHeaderSize: 16 * 1_024',
    },
  ],
};
