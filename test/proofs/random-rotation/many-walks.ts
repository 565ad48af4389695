import { Coverage } from './coverage.ts';
import { drawWalk, goWalk } from './one-walk.ts';
import type { Broken } from './watch.ts';

/** A seed whose walk broke a promise. */
export interface BrokenWalk extends Broken {
  readonly seed: number;
}

/** How many walks went. */
export interface ManyWalks {
  readonly broken: readonly BrokenWalk[];
  readonly coverage: Coverage;
}

/** The walks of `count` seeds from `first` on, one after the other; each seed goes the same way every time. */
export async function manyWalks(first: number, count: number): Promise<ManyWalks> {
  const coverage = new Coverage();
  const broken: BrokenWalk[] = [];
  for (let seed = first; seed < first + count; seed += 1) {
    const plan = drawWalk(seed);
    const result = await goWalk(plan);
    coverage.add(result.walk, plan.happenings.length);
    if (result.broken) broken.push({ seed, ...result.broken });
  }
  return { broken, coverage };
}
