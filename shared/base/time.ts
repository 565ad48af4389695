import { LockkeeperError } from './error.ts';

declare const instantBrand: unique symbol;

/** Milliseconds since 1970-01-01T00:00:00Z. Branded, so that seconds or a day number cannot be passed for it. */
export type Instant = number & { readonly [instantBrand]: true };

/** Length of one second, minute, hour and day in milliseconds. */
export const second = 1_000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * hour;

/** An Instant from milliseconds. */
export function instant(ms: number): Instant {
  if (!Number.isFinite(ms)) throw new LockkeeperError('invalid', `${ms} is not a point in time`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the one place where the brand is given
  return Math.trunc(ms) as Instant;
}

/** Parses RFC 3339 with a zone; `invalid` for anything else, a bare date included. */
export function parseInstant(text: string): Instant {
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(ms)) {
    throw new LockkeeperError('invalid', `"${text}" is not a time`, { hint: 'Write it like 2026-11-22T00:00:00Z.' });
  }
  return instant(ms);
}

/** RFC 3339 in UTC; milliseconds only where there are any. */
export function formatInstant(at: Instant): string {
  return new Date(at).toISOString().replace('.000Z', 'Z');
}

/** `at` moved by `ms`. */
export function after(at: Instant, ms: number): Instant {
  return instant(at + ms);
}

/** The UTC day of `at` as YYYY-MM-DD. */
export function dayOf(at: Instant): string {
  return new Date(at).toISOString().slice(0, 10);
}
