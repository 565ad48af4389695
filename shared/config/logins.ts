import type { Mistake } from './mistakes.ts';
import type { Path } from './source.ts';

/** An address with a user or a password in it, or with a key in its query. */
const login = /:\/\/[^\s/?#]*@|[?&][\w.-]*(?:sig|signature|token|secret|password|key|credential)=/i;

/**
 * Every text of a configuration, key or value, that is an address with a login in it, where `others` found nothing yet:
 * texts that may be anything, such as the name of a database, are repeated by those who use them.
 */
export function loginMistakes(data: unknown, others: readonly Mistake[]): readonly Mistake[] {
  const known = new Set(others.map(({ path }) => JSON.stringify(path)));
  return logins(data, []).filter(({ path }) => !known.has(JSON.stringify(path)));
}

function logins(value: unknown, path: Path): readonly Mistake[] {
  if (typeof value === 'string') return login.test(value) ? [mistake(path, false)] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]: readonly [string, unknown]) => {
    const below = [...path, Array.isArray(value) ? Number(key) : key];
    return [...(login.test(key) ? [mistake(below, true)] : []), ...logins(inner, below)];
  });
}

function mistake(path: Path, atKey: boolean): Mistake {
  const hint = 'Leave user, password and query out of addresses; say where a password is, and never write it here.';
  return { path, what: 'has a login in it', hint, atKey };
}
