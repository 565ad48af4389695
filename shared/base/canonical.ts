import { createHash } from 'node:crypto';
import { LockkeeperError } from './error.ts';

/** What canonicalJson takes: plain data, no undefined inside arrays, no functions, no secrets. */
export type Plain = null | boolean | number | string | readonly Plain[] | { readonly [key: string]: Plain | undefined };

/**
 * One text for one value: keys sorted by code unit, no white space, undefined members left out (RFC 8785 for the
 * values that lockkeeper writes: strings, booleans, safe integers and short decimals).
 */
export function canonicalJson(value: Plain): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new LockkeeperError('bug', `${value} has no JSON form`);
    return JSON.stringify(value);
  }
  if (isList(value)) return `[${value.map((item) => canonicalJson(item)).join(',')}]`;
  // The default order of toSorted is that of code units.
  let members = '';
  for (const key of Object.keys(value).toSorted()) {
    const item = value[key];
    if (item !== undefined) members += `${members === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(item)}`;
  }
  return `{${members}}`;
}

function isList(value: Plain): value is readonly Plain[] {
  return Array.isArray(value);
}

/**
 * `value` itself, as what canonicalJson takes: interfaces are plain data that TypeScript does not take for records.
 * `bug` for anything that has no JSON form, a Sealed above all.
 */
export function asPlain(value: unknown): Plain {
  if (isPlain(value)) return value;
  throw new LockkeeperError('bug', 'a value that is no plain data was to be stored');
}

function isPlain(value: unknown): value is Plain {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (Array.isArray(value)) return value.every(isPlain);
  if (typeof value !== 'object') return false;
  // By the shape of its prototype, not by identity: data may come from another realm.
  const prototype: unknown = Object.getPrototypeOf(value);
  const isRecord = prototype === null || Object.getPrototypeOf(prototype) === null;
  return isRecord && Object.values(value).every((item) => item === undefined || isPlain(item));
}

/** SHA-256 of the bytes or of the text in UTF-8, as lower-case hex. */
export function sha256(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex');
}
