import type { Edit } from './splice.ts';
import { spliced } from './splice.ts';

/** The user and password in a URL; a URL may name no user (redis://:password@host). */
export interface UrlCredentials {
  readonly user: string | undefined;
  readonly password: string;
}

/**
 * The credentials in `url`; undefined where it is no URL, has no password, or is written in a way that readers
 * understand differently: a raw @ in the password, a broken %, a raw + or # in a parameter, two different answers.
 *
 * Neither WHATWG nor libpq alone: this splits by RFC 3986 what both agree on, and never looks at the hosts, of which
 * libpq and MongoDB allow several. Drivers of Java take user and password as parameters, and so does libpq.
 */
export function credentialsIn(url: string): UrlCredentials | undefined {
  const places = placesIn(url);
  if (!places) return undefined;
  const users = distinct(places, 'user').filter((user) => user !== '');
  const passwords = distinct(places, 'password');
  const [password] = passwords;
  if (users.length > 1 || passwords.length !== 1 || password === undefined || password === '') return undefined;
  if ([...users, password].some((text) => text === undefined || text.includes('\0'))) return undefined;
  return { user: users[0], password };
}

/**
 * `url` with other credentials, in every place where it has some, or in a new one, and every other character as it was.
 * Undefined where it is no URL, or where its authority has more than one @.
 */
export function withCredentials(url: string, user: string, password: string): string | undefined {
  const places = placesIn(url);
  const texts = { user: percentEncoded(user), password: percentEncoded(password) };
  if (!places || texts.user === undefined || texts.password === undefined) return undefined;
  const edits: Edit[] = places.map(({ from, to, kind }) => ({ from, to, text: texts[kind] ?? '' }));
  if (places.some(({ kind }) => kind === 'password')) return spliced(url, edits);
  return spliced(url, [...edits, newPlace(url, places, { user: texts.user, password: texts.password })]);
}

/** As every reader of URLs understands it: all but letters, digits and -._~ encoded. Undefined for half a character. */
export function percentEncoded(text: string): string | undefined {
  if (!text.isWellFormed()) return undefined;
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

interface Place {
  readonly kind: 'user' | 'password';
  readonly from: number;
  readonly to: number;
  /** Undefined where readers would disagree. */
  readonly value: string | undefined;
}

/** One or more schemes (jdbc:postgresql:), the authority, the rest. No blanks and no controls anywhere. */
const shape = /^((?:[a-z][a-z0-9+.-]*:)+\/\/)([^/?#\s\p{Cc}]*)([/?#][^\s\p{Cc}]*)?$/iu;

/** Where in `url` users and passwords are; undefined where it is no URL. */
function placesIn(url: string): readonly Place[] | undefined {
  const [, scheme, authority, rest = ''] = shape.exec(url) ?? [];
  if (scheme === undefined || authority === undefined || authority.split('@').length > 2) return undefined;
  const start = scheme.length + authority.length;
  return [...userinfoPlaces(authority, scheme.length), ...parameterPlaces(rest, start)];
}

function userinfoPlaces(authority: string, start: number): readonly Place[] {
  const end = authority.indexOf('@');
  if (end < 0) return [];
  const colon = authority.slice(0, end).indexOf(':');
  const place = (kind: Place['kind'], from: number, to: number): Place => {
    return { kind, from: start + from, to: start + to, value: decoded(authority.slice(from, to)) };
  };
  if (colon < 0) return [place('user', 0, end)];
  return [place('user', 0, colon), place('password', colon + 1, end)];
}

const kinds: Readonly<Record<string, Place['kind'] | undefined>> = {
  user: 'user',
  username: 'user',
  password: 'password',
};

function parameterPlaces(rest: string, start: number): readonly Place[] {
  const places: Place[] = [];
  // A fragment has no parameters.
  const query = /^[^?#]*\?/.exec(rest)?.[0].length;
  if (query === undefined) return places;
  for (const match of rest.slice(query).matchAll(/(?<=^|&)([^&=]+)=([^&]*)/g)) {
    const [whole, name = '', value = ''] = match;
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    const to = start + query + match.index + whole.length;
    // libpq takes + and # as they are; others read a blank, and the end.
    if (kind)
      places.push({ kind, from: to - value.length, to, value: /[+#]/.test(value) ? undefined : decoded(value) });
  }
  return places;
}

/** Where credentials go into a URL that has no password. Drivers of Java take them as parameters only. */
function newPlace(
  url: string,
  places: readonly Place[],
  texts: { readonly user: string; readonly password: string },
): Edit {
  const [, scheme = '', authority = ''] = shape.exec(url) ?? [];
  const named = places.find(({ kind, to }) => kind === 'user' && to <= scheme.length + authority.length);
  if (named) return { from: named.to, to: named.to, text: `:${texts.password}` };
  if (!/^jdbc:/i.test(scheme)) {
    return { from: scheme.length, to: scheme.length, text: `${texts.user}:${texts.password}@` };
  }
  const user = places.length > 0 ? '' : `user=${texts.user}&`;
  return {
    from: url.length,
    to: url.length,
    text: `${url.includes('?') ? '&' : '?'}${user}password=${texts.password}`,
  };
}

function distinct(places: readonly Place[], wanted: Place['kind']): readonly (string | undefined)[] {
  return [...new Set(places.filter(({ kind }) => kind === wanted).map(({ value }) => value))];
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch (thrown) {
    if (thrown instanceof URIError) return undefined;
    throw thrown;
  }
}
