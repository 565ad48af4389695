import type { Plain } from '../../base/canonical.ts';
import { isNamedLikeSecret, mayBeSecret } from './secret-shapes.ts';

/** What stands where a text was that looks like a secret. */
export const withheldMark = '[withheld: looks like a secret]';

/**
 * What others wrote, as the log may keep it for ever: a text that looks like a secret, or stands under a name or a tag
 * that says so, is replaced by the mark. The same value gives the same answer, and one without a secret comes back as
 * it is.
 */
export function withhold(value: Plain): Plain {
  if (typeof value === 'string') return withholdText(value);
  if (value === null || typeof value !== 'object') return value;
  if (isList(value)) return value.map(withhold);
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      withholdText(name),
      item === undefined ? item : member(value, name, item),
    ]),
  );
}

/** One text, whole or not at all: what is left of half a secret may be enough. */
export function withholdText(text: string): string {
  return mayBeSecret(text) ? withheldMark : text;
}

/**
 * What somebody else said, an SDK or a driver, as an entry tells it: without a secret, and no longer than people read.
 */
export function toldText(text: string): string {
  const clean = withholdText(text);
  if (clean.length <= longestText) return clean.toWellFormed();
  return `${clean.slice(0, longestText).toWellFormed()}… (${clean.length - longestText} more characters)`;
}

/**
 * Where the mark stands in a value: names of members and places in lists, joined by dots; empty where nothing was
 * withheld.
 */
export function withheldPlaces(value: Plain, path = ''): readonly string[] {
  if (value === withheldMark) return [path];
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([name, item]: readonly [string, Plain | undefined]) => {
    const place = path === '' ? name : `${path}.${name}`;
    return item === undefined ? [] : name === withheldMark ? [place] : withheldPlaces(item, place);
  });
}

const longestText = 2_000;

/** AWS lists tags as objects of a Key and a Value. */
function member(of: { readonly [name: string]: Plain | undefined }, name: string, item: Plain): Plain {
  const isValue = name === 'Value' || name === 'value';
  const key = isValue ? (of['Key'] ?? of['key']) : undefined;
  const isSecret = isNamedLikeSecret(name) || (typeof key === 'string' && isNamedLikeSecret(key));
  return isSecret && typeof item !== 'boolean' && item !== null ? withheldMark : withhold(item);
}

function isList(value: Plain): value is readonly Plain[] {
  return Array.isArray(value);
}
