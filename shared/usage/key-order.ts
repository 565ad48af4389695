import { after, day, type Instant } from '../base/time.ts';
import type { LogObject } from '../flow-logs/contract.ts';

/** A key with a date in it: what is before, how the date is written, year, month and day. */
const dated = /^(.*?)(?:^|\/)(year=|y=)?(\d{4})\/(?:month=|m=)?(\d\d)\/(?:day=|d=)?(\d\d)\//;

/**
 * The part of a key before its date, and how the date is written: within it, later keys are of later times. Undefined
 * where a key has no date. Pure.
 */
export function streamOf(key: string): string | undefined {
  const [whole, before, how = ''] = dated.exec(key) ?? [];
  // Two ways to write a date are two orders: keys of one must not stand for keys of the other.
  return whole === undefined ? undefined : `${before}${how === '' ? '' : `/${how}`}`;
}

/** True where the key's date, whether there was such a day or not, is in order no later than the day of `at`. Pure. */
export function isDatedUpTo(key: string, at: Instant): boolean {
  const [, , , year, month, date] = dated.exec(key) ?? [];
  return year !== undefined && `${year}-${month}-${date}` <= new Date(at).toISOString().slice(0, 10);
}

/** The end of an object's time as its name says it; undefined where it says none, or one that is still to come. Pure. */
export function saidEnd({ ends }: Pick<LogObject, 'ends'>, now: Instant): Instant | undefined {
  return ends !== undefined && ends <= after(now, day) ? ends : undefined;
}

/** True where `key` is `last` or before it in the order of a listing (bytes of UTF-8); false where either is absent. */
export function isUpTo(key: string | undefined, last: string | undefined): boolean {
  if (key === undefined || last === undefined) return false;
  return key === last || Buffer.compare(Buffer.from(key), Buffer.from(last)) < 0;
}

/** The last settled key of a stream; a stream may have any name, `constructor` too. */
export function settledIn(settled: Readonly<Record<string, string>>, stream: string | undefined): string | undefined {
  return stream !== undefined && Object.hasOwn(settled, stream) ? settled[stream] : undefined;
}
