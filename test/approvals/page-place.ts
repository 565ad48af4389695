import type { RawMessage } from '../../shared/approvals/contract.ts';
import { localPage, type LocalPage } from '../../shared/approvals/local-page.ts';
import { testWorld, type TestWorld } from '../world.ts';

export const origin = 'http://127.0.0.1:4242';
export type Headers = RawMessage['headers'];
export const host = { host: '127.0.0.1:4242' };

/** A page that asks ann and ben. */
export function openPlace(world = testWorld()): { page: LocalPage; world: TestWorld } {
  return { page: localPage({ people: ['ann', 'ben'], origin, world }), world };
}

export interface SignedIn {
  readonly headers: Headers;
  /** Of the page. */
  readonly path: string;
}

/** What a browser that was signed in sends with every request to the page. */
export function signIn(page: LocalPage, who: string): SignedIn {
  const entrance = page.authorise({ headers: host, url: page.link(who).open().slice(origin.length) });
  if (entrance.kind !== 'signed-in') throw new Error('not signed in');
  return { headers: { ...host, cookie: entrance.setCookie.split(';')[0] }, path: entrance.location };
}

/** What its form sends besides. */
export const posts: Headers = {
  origin,
  'sec-fetch-site': 'same-origin',
  'content-type': 'application/x-www-form-urlencoded',
};

/** The body of a form. */
export function form(fields: Readonly<Record<string, string>>): Uint8Array {
  return Buffer.from(new URLSearchParams(fields).toString());
}
