import type { Snapshot } from './bench.ts';
import type { Flight } from './flight.ts';
import type { Watch } from './watch.ts';

/** One state of the model: the durable world, the rotators under way, and what is remembered for the promises. */
export interface ModelState {
  readonly world: Snapshot;
  /** By rotator. */
  readonly flights: readonly (Flight | undefined)[];
  readonly watch: Watch;
}
