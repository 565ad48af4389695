import { LockkeeperError } from '../base/error.ts';
import { day, hour, minute, second } from '../base/time.ts';

/** A length of time. */
export interface Duration {
  /** Milliseconds, a whole number, never negative. */
  readonly ms: number;
}

/** What a duration looks like in the configuration; also its pattern in the published JSON Schema. */
export const durationPattern = /^(\d{1,6})(ms|s|m|h|d|w)$/;

const unitMs: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', second],
  ['m', minute],
  ['h', hour],
  ['d', day],
  ['w', 7 * day],
]);

/** Reads `30d`, `15m`, `90s`, `1w`, `250ms`: one number and one unit. `invalid` for anything else. */
export function parseDuration(text: string): Duration {
  const [, count, unit] = durationPattern.exec(text) ?? [];
  const factor = unitMs.get(unit ?? '');
  if (count === undefined || factor === undefined) {
    throw new LockkeeperError('invalid', `${JSON.stringify(text)} is not a duration`, { hint: durationHint });
  }
  return { ms: Number(count) * factor };
}

/** What to write instead of something that is no duration. */
export const durationHint = 'Write one number and one unit: 30d, 12h, 15m, 90s, 250ms or 2w.';

/** The shortest text that parseDuration reads back to the same length; `invalid` where there is none. */
export function formatDuration({ ms }: Duration): string {
  const units = [...unitMs].toReversed().filter(([unit]) => unit !== 'w');
  const [unit, factor] = units.find(([, length]) => ms % length === 0 && ms >= length) ?? ['s', second];
  const text = `${ms / factor}${unit}`;
  if (!durationPattern.test(text)) throw new LockkeeperError('invalid', `${ms} ms has no short form`);
  return text;
}
