import { instant, type Instant } from '../base/time.ts';

/** The time of a text like 2026-02-28T00:00:00Z; undefined where there was none, like February 31. Pure. */
export function existingTime(text: string): Instant | undefined {
  const ms = Date.parse(text);
  // Date.parse takes February 31 for March 3.
  const isSame = !Number.isNaN(ms) && new Date(ms).toISOString().slice(0, 16) === text.slice(0, 16);
  return isSame ? instant(ms) : undefined;
}
