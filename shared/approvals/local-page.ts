import { createHash } from 'node:crypto';
import { LockkeeperError } from '../base/error.ts';
import { after, hour, type Instant } from '../base/time.ts';
import type { Sealed } from '../base/sealed.ts';
import type { World } from '../base/world.ts';
import type { Approvals, Notice, Question, RawMessage } from './contract.ts';
import { readAnswerForm } from './page/answer-form.ts';
import { pageHtml, type PageView } from './page.ts';

export interface LocalPageOptions {
  /** Who may come in, each with a token of his own, as printed in the terminal. */
  readonly tokens: ReadonlyMap<string, Sealed>;
  /** The page's own origin as the browser shows it, on a loopback address: http://127.0.0.1:4242. */
  readonly origin: string;
  readonly world: World;
  /** How long one sign-in lasts, in milliseconds. Defaults to 12 hours. */
  readonly sessionMs?: number;
}

/** What to answer a request for the page. */
export type Entrance =
  /** The token in the address was right: answer 303 with these two headers; the address bar then shows no token. */
  | { readonly kind: 'signed-in'; readonly who: string; readonly setCookie: string; readonly location: string }
  | { readonly kind: 'known'; readonly who: string }
  /** Answer with this status and text, nothing else. */
  | { readonly kind: 'refused'; readonly status: 401 | 403; readonly text: string };

/** The questions and notices that reached this page in this process. */
export interface Shown {
  readonly questions: readonly Question[];
  readonly notices: readonly Notice[];
}

export interface LocalPage extends Approvals {
  /** Who asks for the page: by `?token=` once, by the cookie afterwards. */
  authorise(request: { readonly headers: RawMessage['headers']; readonly url: string }): Entrance;
  /** The whole page as one HTML text; send it with `pageHeaders`. */
  html(view: PageView): string;
  shown(): Shown;
}

/**
 * Approvals on a page of one machine. It opens no port itself; a server on a loopback address uses it like this:
 *
 * ```ts
 * const page = localPage({ tokens, origin: `http://127.0.0.1:${port}`, world });
 * // GET /   (header names in lower case, as node:http gives them)
 * const entrance = page.authorise({ headers, url: request.url });
 * if (entrance.kind === 'refused') → entrance.status, text/plain, entrance.text
 * if (entrance.kind === 'signed-in') → 303, { 'set-cookie': entrance.setCookie, location: entrance.location }
 * if (entrance.kind === 'known') → 200, pageHeaders (page.ts), page.html({ who: entrance.who, … })
 * // POST /answer   (read at most 16 KiB of body, as bytes)
 * const heard = await page.hear({ headers, body });  // denied → 403, invalid → 400
 * await takeAnswer(dependencies, heard);                    // shared/idle-ports/closing/answers.ts; then 303 to /
 * ```
 *
 * A decision needs: a loopback Host that is the page's own, `Origin` equal to the page's, no Sec-Fetch-Site other than
 * same-origin, a form content type, and a session (cookie) or token (`Authorization: Bearer`) of one person.
 */
export function localPage(options: LocalPageOptions): LocalPage {
  const sessions = new Sessions(options);
  const questions = new Map<string, Question>();
  const notices: Notice[] = [];
  return {
    async ask(question) {
      if (!questions.has(question.hash)) questions.set(question.hash, question);
    },
    async notify(notice) {
      notices.push(notice);
    },
    async hear(message) {
      refuseForeign(options.origin, message.headers);
      const who = sessions.whoSends(message.headers);
      if (who === undefined) throw denied('nobody is signed in with it');
      return readAnswerForm(message.body, who);
    },
    authorise: (request) => enter(options.origin, sessions, request),
    html: pageHtml,
    shown: () => ({ questions: [...questions.values()], notices: [...notices] }),
  };
}

const cookieName = 'lockkeeper';

function enter(origin: string, sessions: Sessions, request: { headers: RawMessage['headers']; url: string }): Entrance {
  if (!isOwnHost(origin, request.headers))
    return { kind: 'refused', status: 403, text: `This page is only at ${origin}.` };
  const url = new URL(request.url, origin);
  const token = url.searchParams.get('token');
  if (token !== null) {
    const who = sessions.ownerOf(token);
    if (who === undefined) return { kind: 'refused', status: 401, text: 'The token is not valid.' };
    url.searchParams.delete('token');
    return { kind: 'signed-in', who, setCookie: sessions.begin(who), location: `${url.pathname}${url.search}` };
  }
  const who = sessions.whoSends(request.headers);
  if (who !== undefined) return { kind: 'known', who };
  return { kind: 'refused', status: 401, text: 'Open the address that the terminal shows, with its token.' };
}

function isOwnHost(origin: string, headers: RawMessage['headers']): boolean {
  const own = new URL(origin);
  return isLoopback(own.hostname) && headers['host']?.toLowerCase() === own.host;
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname);
}

/** Whatever another site can make a browser send fails here: it cannot choose Host, Origin or Sec-Fetch-Site. */
function refuseForeign(origin: string, headers: RawMessage['headers']): void {
  if (!isOwnHost(origin, headers)) throw denied('its Host is not this page');
  if (headers['origin'] !== new URL(origin).origin) throw denied('its Origin is not this page');
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') throw denied(`it comes from a page that is ${site}`);
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded') throw denied('it is not a form of this page');
}

function denied(why: string): LockkeeperError {
  return new LockkeeperError('denied', `an answer was refused: ${why}`, {
    hint: 'Open the page with the address and token that the terminal shows, and answer there.',
  });
}

/** Sign-ins of this process. Tokens and sessions are compared as SHA-256, so timing tells nothing about them. */
class Sessions {
  readonly #options: LocalPageOptions;
  readonly #tokens = new Map<string, string>();
  readonly #sessions = new Map<string, { readonly who: string; readonly ends: Instant }>();

  constructor(options: LocalPageOptions) {
    this.#options = options;
    for (const [who, token] of options.tokens) {
      if (token.open().length < 16)
        throw new LockkeeperError('invalid', `the token of ${who} is shorter than 16 characters`);
      this.#tokens.set(digest(token.open()), who);
    }
    if (this.#tokens.size !== options.tokens.size)
      throw new LockkeeperError('invalid', 'two approvers have the same token');
  }

  ownerOf(token: string): string | undefined {
    return this.#tokens.get(digest(token));
  }

  /** A new session of `who` as the text of a Set-Cookie header. */
  begin(who: string): string {
    const session = Buffer.from(this.#options.world.random(32)).toString('hex');
    const lastsMs = this.#options.sessionMs ?? 12 * hour;
    this.#sessions.set(digest(session), { who, ends: after(this.#options.world.now(), lastsMs) });
    return `${cookieName}=${session}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${Math.ceil(lastsMs / 1000)}`;
  }

  whoSends(headers: RawMessage['headers']): string | undefined {
    const bearer = /^Bearer (\S+)$/i.exec(headers['authorization'] ?? '')?.[1];
    if (bearer !== undefined) return this.ownerOf(bearer);
    const cookies = (headers['cookie'] ?? '').split(';').map((pair) => pair.trim());
    const values = cookies
      .filter((pair) => pair.startsWith(`${cookieName}=`))
      .map((pair) => pair.slice(cookieName.length + 1));
    const [value] = values;
    if (value === undefined || values.length > 1) return undefined;
    const session = this.#sessions.get(digest(value));
    return session !== undefined && session.ends > this.#options.world.now() ? session.who : undefined;
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
