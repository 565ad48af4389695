import type { FirewallState, Opening } from '../../../firewalls/contract.ts';

const tcp = 6;
const udp = 17;

/** Openings by source number, for one stretch of ports. */
type BySource = Map<number, number[]>;

/** The ingress openings of one rule set, compiled once however many interfaces carry it. */
export interface CompiledRules {
  /** Indexes of the openings that match protocol, a port and one of the sources; any source where none are given. */
  find(
    arrival: { readonly protocol: number; readonly low: number; readonly high: number },
    sources?: readonly number[],
  ): Set<number>;
}

/** The compiled rules of every interface that an ingress opening applies to. */
export function compileRules(
  { openings }: FirewallState,
  sourcesOf: (opening: Opening) => readonly number[],
): ReadonlyMap<string, CompiledRules> {
  const indexesOf = new Map<string, number[]>();
  openings.forEach((opening, index) => {
    if (opening.direction !== 'ingress') return;
    for (const target of new Set(opening.targets)) {
      const held = indexesOf.get(target);
      if (held) held.push(index);
      else indexesOf.set(target, [index]);
    }
  });
  const compiled = new Map<string, CompiledRules>();
  const numbers = openings.map(sourcesOf);
  return new Map(
    [...indexesOf].map(([target, indexes]) => {
      const key = indexes.join();
      const rules = compiled.get(key) ?? compile(indexes, openings, numbers);
      compiled.set(key, rules);
      return [target, rules];
    }),
  );
}

function compile(
  indexes: readonly number[],
  openings: readonly Opening[],
  numbers: readonly (readonly number[])[],
): CompiledRules {
  const tables = new Map([tcp, udp].map((protocol) => [protocol, segment(indexes, { protocol, openings, numbers })]));
  const portless = new Map<number, BySource>();
  const ofPortless = (protocol: number): BySource => {
    const held =
      portless.get(protocol) ??
      gather(
        indexes.filter((index) => speaks(openings[index], protocol)),
        numbers,
      );
    portless.set(protocol, held);
    return held;
  };
  return {
    find({ protocol, low, high }, sources) {
      const table = tables.get(protocol);
      const found = new Set<number>();
      if (!table) collect(ofPortless(protocol), sources, found);
      else
        for (let at = table.indexAt(low); at < table.segments.length && (table.starts[at] ?? 0) <= high; at += 1)
          collect(table.segments[at], sources, found);
      return found;
    },
  };
}

interface Table {
  /** First port of each segment, ascending from 0. */
  readonly starts: readonly number[];
  readonly segments: readonly BySource[];
  indexAt(port: number): number;
}

interface Rules {
  readonly protocol: number;
  readonly openings: readonly Opening[];
  readonly numbers: readonly (readonly number[])[];
}

/** Splits the ports where any opening begins or ends, so that inside a segment all ports are alike. */
function segment(indexes: readonly number[], { protocol, openings, numbers }: Rules): Table {
  const spans = indexes.flatMap((index) => {
    const opening = openings[index];
    if (!opening || !speaks(opening, protocol)) return [];
    return [{ index, ...(opening.ports === 'all' ? { from: 0, to: 65_535 } : opening.ports) }];
  });
  const starts = [...new Set([0, ...spans.flatMap(({ from, to }) => [from, to + 1])])]
    .filter((port) => port <= 65_535)
    .toSorted((a, b) => a - b);
  const segments = starts.map((start) =>
    gather(
      spans.filter(({ from, to }) => from <= start && start <= to).map(({ index }) => index),
      numbers,
    ),
  );
  return { starts, segments, indexAt: (port) => lastAtMost(starts, port) };
}

function speaks(opening: Opening | undefined, protocol: number): boolean {
  return opening !== undefined && (opening.protocol === 'all' || opening.protocol === protocol);
}

function gather(indexes: readonly number[], numbers: readonly (readonly number[])[]): BySource {
  const bySource: BySource = new Map();
  for (const index of indexes) {
    for (const source of numbers[index] ?? []) {
      const held = bySource.get(source);
      if (held) held.push(index);
      else bySource.set(source, [index]);
    }
  }
  return bySource;
}

function collect(bySource: BySource | undefined, sources: readonly number[] | undefined, found: Set<number>): void {
  if (!bySource) return;
  for (const source of sources ?? bySource.keys()) for (const index of bySource.get(source) ?? []) found.add(index);
}

/** Index of the last number in `ascending` that is at most `value`. */
function lastAtMost(ascending: readonly number[], value: number): number {
  let low = 0;
  let high = ascending.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((ascending[middle] ?? 0) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
