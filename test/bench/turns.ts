/** How often something is measured: `least` times, and up to `most` while the figure is above its limit. */
export interface Turns {
  readonly least: number;
  readonly most: number;
}

/**
 * Measures in turns. Other work on the machine only ever adds to what is measured, so while `isEnough` does not hold of
 * what came so far, another turn may come nearer to the truth; where the code is to blame it never does.
 */
export async function inTurns<T>(
  { least, most }: Turns,
  take: () => Promise<T>,
  isEnough: (all: readonly T[]) => boolean,
): Promise<readonly T[]> {
  const all: T[] = [];
  while (all.length < least || (all.length < most && !isEnough(all))) all.push(await take());
  return all;
}

/** The middle one; of an even number, the upper of the two. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Two digits after the point. */
export function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
