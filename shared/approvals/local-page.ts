import { LockkeeperError } from '../base/error.ts';
import { hour } from '../base/time.ts';
import { Sealed } from '../base/sealed.ts';
import type { World } from '../base/world.ts';
import type { Approvals, Notice, Question, RawMessage } from './contract.ts';
import { readAnswerForm } from './page/answer-form.ts';
import { confirmHtml, outsideHtml, refusedLinkHtml, saidHtml } from './page/door-pages.ts';
import { Links } from './page/links.ts';
import { denied, isAhead, isOwnHost, isOwnNavigation, refuseForeign } from './page/own-origin.ts';
import { Sessions, type PageRequest } from './page/sessions.ts';
import { pageHtml, type PageView } from './page.ts';

export interface LocalPageOptions {
  /** Who may come in. */
  readonly people: readonly string[];
  /** The page's own origin as the browser shows it, on a loopback address: http://127.0.0.1:4242. */
  readonly origin: string;
  readonly world: World;
  /** How long a sign-in lasts at most, and without a request, in milliseconds. Defaults to 12 and 2 hours. */
  readonly sessionMs?: number;
  readonly idleMs?: number;
  /** How long a link lets in, in milliseconds. Defaults to an hour. */
  readonly linkMs?: number;
}

/** What to answer a request for the page. */
export type Entrance =
  /** Answer 303 with these two headers; the address bar then shows no link. */
  | { readonly kind: 'signed-in'; readonly who: string; readonly setCookie: string; readonly location: string }
  | { readonly kind: 'known'; readonly who: string }
  /** Answer with this status and page, nothing else. */
  | { readonly kind: 'outside'; readonly status: 200 | 401 | 403; readonly html: string };

/** The questions and notices that reached this page in this process. */
export interface Shown {
  readonly questions: readonly Question[];
  readonly notices: readonly Notice[];
}

export interface LocalPage extends Approvals {
  /** A new address at which `who` comes in, once. */
  link(who: string): Sealed;
  /** Who asks for the page: by a link once, by path and cookie afterwards. */
  authorise(request: PageRequest): Entrance;
  /** Takes a form of the pages outside: /sign-in, /end-sign-in, /link; `newLink` hears of the link that was asked for. */
  outside(message: RawMessage, newLink: (who: string, address: Sealed) => void): Entrance;
  /** Ends the session of who sent the message. */
  signOut(message: RawMessage): Entrance;
  /** The whole page as one HTML text; send it with `pageHeaders`. */
  html(view: PageView): string;
  shown(): Shown;
}

/**
 * Approvals on a page of one machine. It opens no port itself; functions/local/page-server.ts serves it:
 *
 * | request                             | answer                                                          |
 * |-------------------------------------|-----------------------------------------------------------------|
 * | GET /?token=CODE                    | signs in and leads to /s/KEY/; asks first where a page led here |
 * | GET /s/KEY/                         | the page, with the cookie that fits KEY                         |
 * | POST /s/KEY/answer, /s/KEY/sign-out | the same, and from the page itself                              |
 * | POST /sign-in, /end-sign-in, /link  | forms of the pages outside                                      |
 *
 * A decision needs: a loopback Host that is the page's own, `Origin` equal to the page's, no Sec-Fetch-Site other than
 * same-origin, a form content type, and both halves of one person's session (page/sessions.ts).
 */
export function localPage(options: LocalPageOptions): LocalPage {
  const door = new Entry(options);
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
      return readAnswerForm(message.body, door.senderOf(message));
    },
    link: (who) => door.link(who),
    authorise: (request) => door.authorise(request),
    outside: (message, newLink) => door.outside(message, newLink),
    signOut: (message) => door.signOut(message),
    html: pageHtml,
    shown: () => ({ questions: [...questions.values()], notices: [...notices] }),
  };
}

/** Who comes in, and how. */
class Entry {
  readonly #origin: string;
  readonly #people: readonly string[];
  readonly #links: Links;
  readonly #sessions: Sessions;

  constructor({ origin, people, world, ...limits }: LocalPageOptions) {
    this.#origin = origin;
    this.#people = people;
    this.#links = new Links(world, limits.linkMs ?? hour);
    const { sessionMs: longestMs = 12 * hour, idleMs = 2 * hour } = limits;
    this.#sessions = new Sessions(world, { longestMs, idleMs });
  }

  link(who: string): Sealed {
    if (!this.#people.includes(who)) throw new LockkeeperError('not-found', `${who} is nobody who is asked`);
    return new Sealed(`${this.#origin}/?token=${this.#links.issue(who).open()}`);
  }

  authorise({ headers, url }: PageRequest): Entrance {
    if (!isOwnHost(this.#origin, headers)) return outside(403, saidHtml(`This page is only at ${this.#origin}.`));
    const code = codeOf(url);
    if (code !== undefined && (!isOwnNavigation(headers) || isAhead(headers))) return this.#confirm(code);
    if (code !== undefined) return this.#enter(code);
    if (!isOwnNavigation(headers))
      return outside(403, saidHtml('Another page led here. Open this page by its address.'));
    const who = this.#sessions.whoAsks({ headers, url });
    return who === undefined ? outside(401, outsideHtml()) : { kind: 'known', who };
  }

  /** Who sent a form from within the page. */
  senderOf({ headers, url = '' }: RawMessage): string {
    refuseForeign(this.#origin, headers);
    const who = this.#sessions.whoAsks({ headers, url });
    if (who === undefined) throw denied('nobody is signed in with it');
    return who;
  }

  signOut(message: RawMessage): Entrance {
    this.senderOf(message);
    this.#sessions.end({ headers: message.headers, url: message.url ?? '' });
    return outside(200, saidHtml('You are signed out.'));
  }

  outside(message: RawMessage, newLink: (who: string, address: Sealed) => void): Entrance {
    refuseForeign(this.#origin, message.headers);
    const form = new URLSearchParams(Buffer.from(message.body).toString('utf8'));
    if (message.url === '/sign-in') return this.#enter(form.get('token') ?? '');
    if (message.url === '/end-sign-in') {
      this.#sessions.endOfLink(form.get('token') ?? '');
      return outside(200, saidHtml('That sign-in is over, if there was one.'));
    }
    const who = (form.get('who') ?? '').trim();
    if (this.#people.includes(who) && this.#links.mayIssue(who)) newLink(who, this.link(who));
    return outside(200, saidHtml('If you may decide here, your link stands in the terminal of lockkeeper serve.'));
  }

  #enter(code: string): Entrance {
    const state = this.#links.use(code);
    if (state.kind !== 'fresh') return outside(401, refusedLinkHtml(state, code));
    const { path, setCookie } = this.#sessions.begin(state.who, code);
    return { kind: 'signed-in', who: state.who, setCookie, location: path };
  }

  #confirm(code: string): Entrance {
    const state = this.#links.look(code);
    return state.kind === 'fresh'
      ? outside(200, confirmHtml(state.who, code))
      : outside(401, refusedLinkHtml(state, code));
  }
}

function outside(status: 200 | 401 | 403, html: string): Entrance {
  return { kind: 'outside', status, html };
}

/** The code of a link; undefined where the address has none. */
function codeOf(url: string): string | undefined {
  const [path, query] = url.split('?', 2);
  return path === '/' ? (new URLSearchParams(query).get('token') ?? undefined) : undefined;
}
