import { instant, type Instant } from '../base/time.ts';
import { timesOf } from './times.ts';

/** The times from one coming of a pattern to the next, in milliseconds. */
export interface Gaps {
  readonly shortestMs: number;
  readonly longestMs: number;
}

/**
 * The gaps of a pattern where no clock changes, by its next comings; undefined where it never comes. Rare ones may be
 * missing: they are good for advice, not for decisions.
 */
export function gapsOf(pattern: string): Gaps | undefined {
  const known = kept.get(pattern);
  if (known !== undefined) return known;
  const comings = [...comingsOf(pattern)];
  const gaps = comings.slice(1).map((at, index) => at - (comings[index] ?? at));
  if (gaps.length === 0) return undefined;
  const found = { shortestMs: Math.min(...gaps), longestMs: Math.max(...gaps) };
  kept.set(pattern, found);
  return found;
}

const kept = new Map<string, Gaps>();
const mostComings = 50;

function* comingsOf(pattern: string): Generator<Instant> {
  const times = timesOf(pattern, 'UTC');
  let at = times.next(instant(0));
  for (let count = 0; at !== undefined && count < mostComings; count += 1) {
    yield at;
    at = times.next(at);
  }
}
