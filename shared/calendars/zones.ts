import type { Instant } from '../base/time.ts';

/** True where `zone` is the name of an IANA time zone, such as Europe/Berlin or UTC; an offset is none. */
export function isTimeZone(zone: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(zone)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch (thrown) {
    if (thrown instanceof RangeError) return false;
    throw thrown;
  }
}

/** What clocks in the time zone show: 2026-12-31 03:00, with seconds only where there are any. */
export function clockTime(at: Instant, timeZone: string): string {
  const parts = formatOf(timeZone).formatToParts(at);
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((one) => one.type === type)?.value ?? '';
  const seconds = part('second') === '00' ? '' : `:${part('second')}`;
  const date = `${part('year').padStart(4, '0')}-${part('month')}-${part('day')}`;
  return `${date} ${part('hour')}:${part('minute')}${seconds}`;
}

/** One is slow to make, and there are as many as time zones at most. */
const kept = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const format = kept.get(timeZone) ?? new Intl.DateTimeFormat('en', { ...shown, timeZone });
  kept.set(timeZone, format);
  return format;
}

const shown = {
  calendar: 'gregory',
  numberingSystem: 'latn',
  hourCycle: 'h23',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
} as const;
