import { sha256 } from '../../base/canonical.ts';
import { Sealed } from '../../base/sealed.ts';
import { after, type Instant } from '../../base/time.ts';
import type { World } from '../../base/world.ts';
import type { RawMessage } from '../contract.ts';

/** How long sign-ins last, in milliseconds: at most, and without any request. */
export interface SessionLimits {
  readonly longestMs: number;
  readonly idleMs: number;
}

interface Session {
  readonly who: string;
  /** SHA-256 of the code of the link that began it. */
  readonly link: string;
  readonly cookie: Sealed;
  readonly ends: Instant;
  idleAt: Instant;
}

const cookieName = 'lockkeeper';

/**
 * Sign-ins of this process. A session has two halves and needs both: a key in the path of the page, `/s/KEY/`, and a
 * cookie that browsers send to that path only. Browsers do not keep cookies apart by port, so another server on this
 * host may be sent the cookie, and may set cookies of its own. The first proves nothing without the key, and of the
 * others none fits the key. A path alone, from a history or a picture of the screen, proves nothing either.
 */
export class Sessions {
  readonly #world: World;
  readonly #limits: SessionLimits;
  readonly #sessions = new Map<string, Session>();

  constructor(world: World, limits: SessionLimits) {
    this.#world = world;
    this.#limits = limits;
  }

  /** A new session of `who`: the path of the page, and the text of a Set-Cookie header. */
  begin(who: string, linkCode: string): { readonly path: string; readonly setCookie: string } {
    const now = this.#world.now();
    for (const [key, session] of this.#sessions) if (!isAlive(session, now)) this.#sessions.delete(key);
    const key = Buffer.from(this.#world.random(16)).toString('hex');
    const cookie = Buffer.from(this.#world.random(32)).toString('hex');
    const { longestMs, idleMs } = this.#limits;
    this.#sessions.set(sha256(key), {
      who,
      link: sha256(linkCode),
      cookie: new Sealed(cookie),
      ends: after(now, longestMs),
      idleAt: after(now, idleMs),
    });
    const path = `/s/${key}/`;
    const life = `Max-Age=${Math.ceil(longestMs / 1000)}`;
    return { path, setCookie: `${cookieName}=${cookie}; HttpOnly; SameSite=Strict; Path=${path}; ${life}` };
  }

  /** Whose request this is, by the key in its path and the cookie that fits it; the session lives on. */
  whoAsks({ headers, url }: PageRequest): string | undefined {
    const session = this.#of(url);
    const now = this.#world.now();
    if (session === undefined || !isAlive(session, now) || !hasCookie(session, headers)) return undefined;
    session.idleAt = after(now, this.#limits.idleMs);
    return session.who;
  }

  /** Ends the session of this request. */
  end(request: PageRequest): void {
    if (this.whoAsks(request) !== undefined) this.#sessions.delete(sha256(keyOf(request.url) ?? ''));
  }

  /** Ends what this link began. */
  endOfLink(linkCode: string): void {
    const link = sha256(linkCode);
    for (const [key, session] of this.#sessions) if (session.link === link) this.#sessions.delete(key);
  }

  #of(url: string): Session | undefined {
    const key = keyOf(url);
    return key === undefined ? undefined : this.#sessions.get(sha256(key));
  }
}

/** A request for the page: header names in lower case, and the target with its query. */
export interface PageRequest {
  readonly headers: RawMessage['headers'];
  readonly url: string;
}

function keyOf(url: string): string | undefined {
  return /^\/s\/([0-9a-f]{32})\//.exec(url)?.[1];
}

function isAlive({ ends, idleAt }: Session, now: Instant): boolean {
  return ends > now && idleAt > now;
}

/** Others may have set cookies of the same name; they change nothing. */
function hasCookie({ cookie }: Session, headers: RawMessage['headers']): boolean {
  return (headers['cookie'] ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${cookieName}=`))
    .some((pair) => cookie.equals(new Sealed(pair.slice(cookieName.length + 1))));
}
