import type { Sealed } from '../base/sealed.ts';

/** One login of lockkeeper's own at a service. */
export interface AdminLogin {
  readonly user: string;
  readonly password: Sealed;
}

/** The login that lockkeeper has to use, and what else may be valid in the middle of its own rotation. */
export interface AdminOffer extends AdminLogin {
  /**
   * Every login that its secret still holds, in the order in which they are tried: what is handed out, what its own
   * rotation staged, what was handed out before. Read anew by every call, and only once the service refused.
   */
  readonly otherwise?: () => Promise<readonly AdminLogin[]>;
}

/**
 * Which of lockkeeper's own logins is shown to an endpoint next. Where the password of lockkeeper itself was changed and
 * not yet published, what the secret hands out is dead, and what is staged is the way in. A login that an endpoint
 * refused before comes after all that it did not, so that a run shows it at most once as long as another gets in.
 */
export class AdminLogins {
  readonly #ask: () => Promise<AdminOffer>;
  /** By endpoint, newest last. */
  readonly #refused = new Map<string, readonly AdminLogin[]>();

  constructor(ask: () => Promise<AdminOffer>) {
    this.#ask = ask;
  }

  /**
   * What to show next, after `shown` were refused in this attempt; undefined: there is nothing else. Every call asks anew,
   * so what was rotated meanwhile is found. Throws where the login cannot be opened.
   */
  async next(endpoint: string, shown: readonly AdminLogin[]): Promise<AdminLogin | undefined> {
    if (shown.length >= mostShown) return undefined;
    const refused = this.#refused.get(endpoint) ?? [];
    const offer = await this.#ask();
    if (!has([...shown, ...refused], offer)) return offer;
    const others = [offer, ...((await offer.otherwise?.()) ?? [])].filter((login) => !has(shown, login));
    return others.find((login) => !has(refused, login)) ?? others[0];
  }

  /** What the endpoint said to it. */
  heard(endpoint: string, login: AdminLogin, isRefused: boolean): void {
    const others = (this.#refused.get(endpoint) ?? []).filter((one) => !isSame(one, login));
    this.#refused.set(endpoint, isRefused ? [...others, login].slice(-mostShown) : others);
  }
}

/** More than a secret holds at once, with those that came while it was tried. */
const mostShown = 8;

function has(logins: readonly AdminLogin[], login: AdminLogin): boolean {
  return logins.some((one) => isSame(one, login));
}

function isSame(one: AdminLogin, other: AdminLogin): boolean {
  return one.user === other.user && one.password.equals(other.password);
}
