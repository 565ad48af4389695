import type { Plain } from '../../base/canonical.ts';
import { LockkeeperError } from '../../base/error.ts';

/** What an entry's bytes hold. */
export type PlainObject = { readonly [key: string]: Plain | undefined };

/** The JSON object that the text is; `invalid` for anything else. */
export function parseObject(text: string): PlainObject {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw damaged('it is not JSON', cause);
  }
  if (!isObject(parsed)) throw damaged('it is not a JSON object');
  return parsed;
}

/** Of what JSON.parse gave; so all that is in it is plain. */
export function isObject(parsed: unknown): parsed is PlainObject {
  return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
}

/** What is thrown for bytes that are no entry. */
export function damaged(why: string, cause?: unknown): LockkeeperError {
  return new LockkeeperError('invalid', why, {
    cause,
    hint: 'Run `lockkeeper audit verify`: it names everything that was changed.',
  });
}
