import { LockkeeperError } from '../base/error.ts';

const segment = /^[A-Za-z0-9._=-]+$/;

/**
 * Throws `invalid` unless every segment of `key` is plain; so a key can never leave its store or clash by case folding
 * of exotic letters.
 */
export function checkKey(key: string): void {
  const segments = key.split('/');
  const plain = segments.every((part) => segment.test(part) && part !== '.' && part !== '..');
  if (plain && key.length <= 900) return;
  throw new LockkeeperError('invalid', `object key ${JSON.stringify(key)} is not a path of plain segments`, {
    hint: 'Use segments of A-Z a-z 0-9 . _ = - joined by "/", 900 characters at most.',
  });
}
