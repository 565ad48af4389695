import { Sealed } from '../../../shared/base/sealed.ts';

/** How moments are written, so that states that differ in the date only are written alike. */
export interface Naming {
  /** Moments are written relative to it. */
  readonly now: number;
  /** Moments further away than this are all alike. */
  readonly farMs: number;
}

/** No moment is before it and no other number is beyond it. */
const firstMoment = 1e12;

/** `parts` as one text, with moments relative. Sealed texts are opened: it is a key in memory, never printed. */
export function canonical(parts: readonly unknown[], naming: Naming): string {
  return JSON.stringify(parts, (_key, value: unknown) => written(value, naming));
}

/** `text` with every name as its number in the order of appearance: states that differ in names only are alike. */
export function renamed(text: string, names: RegExp): string {
  const numbers = new Map<string, number>();
  return text.replace(names, (name) => {
    const number = numbers.get(name) ?? numbers.size;
    numbers.set(name, number);
    return `#${number}`;
  });
}

function written(value: unknown, { now, farMs }: Naming): unknown {
  if (typeof value === 'number') {
    if (value === Infinity) return 'no end';
    if (value < firstMoment) return value;
    return `t${Math.max(-farMs, Math.min(farMs, value - now))}`;
  }
  if (value instanceof Map) return [...value.entries()];
  if (value instanceof Set) return [...value];
  return value;
}

/** A replacer for what must be told apart although JSON does not: sealed texts and errors. */
export function plain(value: unknown): unknown {
  if (value instanceof Sealed) return { sealed: value.open() };
  if (value instanceof Error) return { error: 'code' in value ? value.code : value.message };
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return [...value.entries()].map(plain);
  if (value instanceof Set) return [...value].map(plain);
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? undefined : value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
}
