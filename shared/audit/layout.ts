/** Where the entry of `index` is in the log store; keys sort as indexes do. */
export function entryKey(index: number): string {
  return `${entryPrefix}${String(index).padStart(20, '0')}.json`;
}

/** All keys of entries begin so. */
export const entryPrefix = 'entries/';

/** Where the state store remembers how long the log is. */
export const headKey = 'audit/head.json';

/** The index that a key stands for, or undefined for a key that is no entry's. */
export function indexOf(key: string): number | undefined {
  const digits = /^entries\/(\d{20})\.json$/.exec(key)?.[1];
  const index = Number(digits);
  return digits !== undefined && Number.isSafeInteger(index) ? index : undefined;
}
