import { Bench } from './bench.ts';
import { explore, type Bounds, type Explored } from './explore.ts';
import { QuietRuns } from './quiet.ts';
import type { Setup } from './setup.ts';
import { ModelSpace } from './space.ts';

/** What became of one setup. */
export interface SetupReport extends Explored {
  readonly name: string;
  readonly moves: number;
  /** Worlds that were followed by quiet runs to their end, and how many runs that took. */
  readonly worlds: number;
  readonly quietRuns: number;
  /** States in which a promise did not hold that the drivers of the setup cannot keep. */
  readonly weaker: number;
  readonly seconds: number;
}

/** Explores one setup to its end, or to `bounds`. */
export async function exploreSetup(setup: Setup, bounds: Partial<Bounds> = {}): Promise<SetupReport> {
  // A stack is never shown here, and making one takes longer than the rest of a step.
  Error.stackTraceLimit = 0;
  const began = process.cpuUsage();
  const bench = new Bench(setup);
  const quiet = new QuietRuns(bench);
  const { world, watch } = await quiet.begin();
  const flights = setup.clocks.map(() => undefined);
  const space = new ModelSpace(bench, { world, watch, flights }, quiet);
  const explored = await explore(space, { moves: setup.moves, states: 2_000_000, violations: 12, ...bounds });
  const { user, system } = process.cpuUsage(began);
  return {
    ...explored,
    name: setup.name,
    moves: bounds.moves ?? setup.moves,
    worlds: quiet.figures.worlds,
    quietRuns: quiet.figures.runs,
    weaker: space.weaker,
    seconds: (user + system) / 1e6,
  };
}
