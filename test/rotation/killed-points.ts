/**
 * The numbers, from 1, of the moments at which a kill differs from a kill at the moment before: between the answer of a
 * call and the beginning of the next nothing happens, so the two are one point.
 */
export function pointsOf(moments: readonly string[]): readonly number[] {
  return moments.flatMap((moment, at) => {
    const isSame = moment.endsWith(' before') && (moments[at - 1]?.endsWith(' after') ?? false);
    return isSame ? [] : [at + 1];
  });
}

/** One of `points`; for firsts that follow one another the answers spread over all of them. */
export function secondAt(first: number, points: readonly number[]): number {
  const golden = (Math.sqrt(5) - 1) / 2;
  return points[Math.floor(((first * golden) % 1) * points.length)] ?? 1;
}
