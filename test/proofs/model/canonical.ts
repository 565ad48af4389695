import { Sealed } from '../../../shared/base/sealed.ts';

const written = new WeakMap<object, string>();

/**
 * `value` as a text, the same for equal values; each object is written once, for nothing changes one. Sealed texts are
 * opened: it is a key in memory, never printed. `from`: what of it counts.
 */
export function textOf<T extends object>(value: T, from: (value: T) => unknown = (all) => all): string {
  const known = written.get(value);
  if (known !== undefined) return known;
  const text = JSON.stringify(plain(from(value))) ?? '';
  written.set(value, text);
  return text;
}

/** Moments as this century writes them in milliseconds; no other number is as long. */
const moments = /("near":)?(?<=[:,[])(1[6-9]\d{11})(?=[,}\]])/g;

/**
 * `text` with every name as its number in the order of appearance and every moment relative to `now`: states that differ
 * in names and in the date only are alike. Moments further away than `farMs`, and those called `near` further than `nearMs`, are all alike.
 */
export function renamed(
  text: string,
  names: RegExp,
  { now, farMs, nearMs }: { readonly now: number; readonly farMs: number; readonly nearMs: number },
): string {
  const numbers = new Map<string, number>();
  const numbered = (name: string) => {
    const number = numbers.get(name) ?? numbers.size;
    numbers.set(name, number);
    return `#${number}`;
  };
  const relative = (_all: string, near: string | undefined, moment: string) => {
    const limit = near === undefined ? farMs : nearMs;
    return `t${Math.max(-limit, Math.min(limit, Number(moment) - now))}`;
  };
  return text.replace(names, numbered).replace(moments, relative);
}

/** What JSON would lose: sealed texts, errors, sets and maps, bytes, infinity. */
function plain(value: unknown): unknown {
  if (value instanceof Sealed) return { sealed: value.open() };
  if (value instanceof Error) return { error: 'code' in value ? value.code : value.message };
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map || value instanceof Set) return [...value].map(plain);
  if (value === Infinity) return 'no end';
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? undefined : value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
}
