/** One measured figure of a benchmark or a proof; printed as one JSON line. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The value must not be above it; null where the figure only informs. */
  readonly limit: number | null;
  readonly ok: boolean;
}

/** A figure that is ok as long as `value` is at most `limit`. */
export function atMost(name: string, value: number, unit: string, limit: number): Figure {
  return { name, value, unit, limit, ok: value <= limit };
}

/** A figure that must not be below `least`; its limit is the least value. */
export function atLeast(name: string, value: number, unit: string, least: number): Figure {
  return { name, value, unit, limit: least, ok: value >= least };
}

/** A figure that only informs. */
export function inform(name: string, value: number, unit: string): Figure {
  return { name, value, unit, limit: null, ok: true };
}
