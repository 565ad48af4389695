import type { Interval } from '../flow-table.ts';

/** One object of a flow log, as it goes to disk. */
export interface RenderedObject {
  /**
   * Path below the log's directory, as the cloud lays it out in its bucket. Where an object is written once, `part`
   * counts from 0 until the path is free; an object that grows has one path whatever the part.
   */
  readonly path: (part: number) => string;
  /** The whole object, where it is written once and never again. */
  readonly whole?: Uint8Array;
  /** JSON records that go to the end of the `records` list of an object that grows (Azure). */
  readonly records?: readonly string[];
}

/** An aggregation interval with what the log cannot say about it. */
export interface LoggedInterval extends Interval {
  /** Interfaces of which the log lost records in this interval. It says so, beside the records that it has. */
  readonly skipped: ReadonlySet<string>;
  /** Interfaces that are not logged in this interval. It says nothing at all. */
  readonly silent: ReadonlySet<string>;
}

/**
 * One cloud's way to write intervals down: all intervals of one publishing window (it begins at `window`), in order, to
 * whole objects. The same intervals give the same objects.
 */
export type FlowLogFormat = (window: number, intervals: readonly LoggedInterval[]) => readonly RenderedObject[];
