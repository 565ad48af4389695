import { LockkeeperError } from '../base/error.ts';

const segment = /^[A-Za-z0-9._=-]+$/;

/**
 * Throws `invalid` unless every segment of `key` is plain; so a key can never leave its store or clash by case folding
 * of exotic letters.
 */
export function checkKey(key: string): void {
  if (isKey(key)) return;
  throw new LockkeeperError('invalid', `object key ${JSON.stringify(key)} is not a path of plain segments`, {
    hint: 'Use segments of A-Z a-z 0-9 . _ = - joined by "/", 900 characters at most.',
  });
}

/** Whether `key` is a path of plain segments: only such a one can be an object. */
export function isKey(key: string): boolean {
  return key.length <= 900 && key.split('/').every(isPlain);
}

function isPlain(part: string): boolean {
  return segment.test(part) && part !== '.' && part !== '..';
}

/** A name that anybody may have chosen, for a message: whatever is not plain is told as JSON tells it. */
export function shownKey(key: string): string {
  return isKey(key) ? key : JSON.stringify(key);
}
