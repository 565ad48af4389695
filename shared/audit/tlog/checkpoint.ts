import { LockkeeperError } from '../../base/error.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { isKeyName } from './key-name.ts';
import { hashBytes, type Hash } from './merkle.ts';

/** C2SP tlog-checkpoint: what a log says of itself when it signs. It is the text of a signed note. */
export interface Checkpoint {
  /** The log's name, a URL without scheme. */
  readonly origin: string;
  /** How many entries it has. */
  readonly size: number;
  readonly root: Hash;
  /** Further lines, each non-empty; lockkeeper writes none. */
  readonly extensions: readonly string[];
}

/**
 * The checkpoint's text: origin, size, root, extensions, each a line. `invalid` where parseCheckpoint would refuse it.
 */
export function formatCheckpoint({ origin, size, root, extensions }: Checkpoint): string {
  const text = [origin, String(size), encodeBase64(root), ...extensions].map((line) => `${line}\n`).join('');
  if (parseCheckpoint(text).extensions.length === extensions.length) return text;
  throw bad('an extension of more than one line');
}

/** The checkpoint in a note's text. `invalid` unless it is exactly what formatCheckpoint would write. */
export function parseCheckpoint(text: string): Checkpoint {
  const lines = text.split('\n');
  if (lines.pop() !== '') throw bad('its last line does not end');
  const [origin, size, root, ...extensions] = lines;
  if (origin === undefined || size === undefined || root === undefined) throw bad('it has less than three lines');
  if (extensions.includes('')) throw bad('it has an empty line');
  checkOrigin(origin);
  return { origin, size: parseSize(size), root: parseRoot(root), extensions };
}

/**
 * Throws `invalid` for an origin that is empty or has spaces, plus signs or control characters: its key could have no
 * such name.
 */
export function checkOrigin(text: string): void {
  if (isKeyName(text)) return;
  throw new LockkeeperError('invalid', `${JSON.stringify(text)} cannot be the origin of a log`, {
    hint: 'Use a host name and path without spaces and plus signs, like example.com/log.',
  });
}

function parseSize(line: string): number {
  const size = /^(0|[1-9]\d*)$/.test(line) ? Number(line) : NaN;
  if (Number.isSafeInteger(size)) return size;
  throw bad(`its size is ${JSON.stringify(line)}`);
}

function parseRoot(line: string): Hash {
  const root = decodeBase64(line);
  if (root?.length === hashBytes) return root;
  throw bad(`its root is ${JSON.stringify(line)}, not base64 of ${hashBytes} bytes`);
}

function bad(why: string): LockkeeperError {
  return new LockkeeperError('invalid', `no checkpoint: ${why}`, {
    hint: 'It was cut off or changed: take it from a copy of the log.',
  });
}
