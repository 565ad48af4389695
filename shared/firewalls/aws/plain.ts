import type { Plain } from '../../base/canonical.ts';
import { LockkeeperError } from '../../base/error.ts';

/** A parsed JSON value as plain data; `invalid` for what JSON cannot hold. */
export function plain(value: unknown): Plain {
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number')
    return value;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object') {
    const members = Object.entries(value).filter((entry): entry is [string, unknown] => entry[1] !== undefined);
    return Object.fromEntries(members.map(([key, member]) => [key, plain(member)]));
  }
  throw new LockkeeperError('invalid', `a ${typeof value} is no JSON value`);
}
