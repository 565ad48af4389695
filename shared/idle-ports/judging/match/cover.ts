import type { FirewallState, Opening, PortRange } from '../../../firewalls/contract.ts';
import { addressBlock, contains, meets, type AddressBlock } from './addresses.ts';

/** An ingress opening as sets: which addresses, which protocol, which ports. */
interface Shape {
  readonly opening: Opening;
  readonly ports: PortRange;
  /** Blocks of addresses, each with the name of its source. */
  readonly blocks: readonly { readonly source: string; readonly block: AddressBlock }[];
  /** Sources by name: groups and what nobody can list. */
  readonly names: ReadonlySet<string>;
  /** Sources that no list of addresses stands for. */
  readonly unlisted: readonly string[];
}

/** How the openings of one firewall lie over each other. Computed from the rules alone, without traffic. */
export interface Overlaps {
  /** Ids of other ingress openings that let in a part of the same packets on an interface they share, in id order. */
  alsoAllow(opening: Opening): readonly string[];
  /**
   * Of `candidates`, those without which exactly the same packets come in on every interface. Never two that stand in
   * for each other: of equal openings the lowest id is not among them.
   */
  withoutEffect(candidates: readonly Opening[]): ReadonlySet<string>;
}

/** Compares openings that apply to the same interface. */
export function overlapsOf({ openings }: FirewallState): Overlaps {
  const shapes = openings.filter(({ direction }) => direction === 'ingress').map(shapeOf);
  const shapeById = new Map(shapes.map((shape) => [shape.opening.id, shape]));
  const neighbours = neighboursOf(shapes);
  const met = new Map<string, readonly (readonly Shape[])[]>();
  const meeting = (opening: Opening): readonly (readonly Shape[])[] => {
    const shape = shapeById.get(opening.id);
    const held =
      met.get(opening.id) ??
      (shape
        ? neighbours(opening).map((here) => here.filter((other) => other !== shape && overlap(shape, other)))
        : []);
    met.set(opening.id, held);
    return held;
  };
  return {
    alsoAllow: (opening) =>
      [
        ...new Set(
          meeting(opening)
            .flat()
            .map((shape) => shape.opening.id),
        ),
      ].toSorted(),
    withoutEffect(candidates) {
      const gone = new Set<string>();
      for (const opening of candidates.toSorted((a, b) => (a.id < b.id ? 1 : -1))) {
        const places = meeting(opening).map((others) => others.filter((other) => !gone.has(other.opening.id)));
        if (
          places.length > 0 &&
          places.every((others) => isCovered(shapeById.get(opening.id) ?? shapeOf(opening), others))
        )
          gone.add(opening.id);
      }
      return gone;
    },
  };
}

function shapeOf(opening: Opening): Shape {
  const blocks = opening.sources.flatMap((source) => {
    if (source.kind === 'unknown') return [];
    if (source.kind === 'addresses') return source.cidrs.map((cidr) => ({ source: cidr, block: addressBlock(cidr) }));
    return source.members.map((member) => ({ source: `group ${source.group}`, block: addressBlock(member) }));
  });
  const named = opening.sources.flatMap((source) =>
    source.kind === 'addresses' ? [] : [source.kind === 'group' ? `group ${source.group}` : source.name],
  );
  const unlisted = named.filter((name) => !blocks.some(({ source }) => source === name));
  return {
    opening,
    ports: opening.ports === 'all' ? { from: 0, to: 65_535 } : opening.ports,
    blocks,
    names: new Set(named),
    unlisted,
  };
}

/** For an opening: the openings of each of its interfaces, each set of openings once. */
function neighboursOf(shapes: readonly Shape[]): (opening: Opening) => readonly (readonly Shape[])[] {
  const byTarget = new Map<string, number[]>();
  shapes.forEach(({ opening }, index) => {
    for (const target of new Set(opening.targets)) {
      const held = byTarget.get(target);
      if (held) held.push(index);
      else byTarget.set(target, [index]);
    }
  });
  return ({ targets }) => {
    const sets = new Map(targets.map((target) => [byTarget.get(target)?.join() ?? '', byTarget.get(target) ?? []]));
    return [...sets.values()].map((indexes) => indexes.flatMap((index) => shapes[index] ?? []));
  };
}

function overlap(one: Shape, other: Shape): boolean {
  if (!sameProtocol(one.opening, other.opening) && !sameProtocol(other.opening, one.opening)) return false;
  if (one.ports.from > other.ports.to || other.ports.from > one.ports.to) return false;
  if ([...one.names].some((name) => other.names.has(name))) return true;
  if (one.blocks.some(({ block }) => other.blocks.some((its) => meets(block, its.block)))) return true;
  return (one.unlisted.length > 0 && isAnywhere(other)) || (other.unlisted.length > 0 && isAnywhere(one));
}

function sameProtocol(outer: Opening, inner: Opening): boolean {
  return outer.protocol === 'all' || outer.protocol === inner.protocol;
}

function isAnywhere({ blocks }: Shape): boolean {
  return blocks.some(({ block }) => block.bits === 0);
}

/** Do `others` together let in everything that `shape` does? */
function isCovered(shape: Shape, others: readonly Shape[]): boolean {
  const able = others.filter(({ opening }) => sameProtocol(opening, shape.opening));
  if (shape.blocks.length === 0 && shape.unlisted.length === 0) return false;
  const names = shape.unlisted.every((name) => isNameCovered(name, shape.ports, able));
  return names && shape.blocks.every(({ source, block }) => isBlockCovered({ source, block }, shape.ports, able));
}

function isNameCovered(name: string, ports: PortRange, able: readonly Shape[]): boolean {
  const everything = [addressBlock('0.0.0.0/0'), addressBlock('::/0')];
  const isNamed = spansAll(
    ports,
    able.filter(({ names }) => names.has(name)).map((shape) => shape.ports),
  );
  return isNamed || everything.every((block) => isBlockCovered({ source: name, block }, ports, able));
}

/** Cuts the block where any other begins or ends; each piece must have all ports. */
function isBlockCovered({ source, block }: Shape['blocks'][number], ports: PortRange, able: readonly Shape[]): boolean {
  const near = able.flatMap((shape) =>
    shape.blocks.filter((its) => meets(its.block, block)).map((its) => ({ its: its.block, shape })),
  );
  const named = able.filter(({ names }) => names.has(source)).map((shape) => shape.ports);
  const cuts = [...new Set([block.low, ...near.flatMap(({ its }) => [its.low, its.high + 1n])])].filter(
    (cut) => block.low <= cut && cut <= block.high,
  );
  return cuts.every((cut) => {
    const point = { ...block, low: cut, high: cut };
    return spansAll(ports, [
      ...named,
      ...near.filter(({ its }) => contains(its, point)).map(({ shape }) => shape.ports),
    ]);
  });
}

/** Do the ranges together hold every port of `ports`? */
function spansAll(ports: PortRange, ranges: readonly PortRange[]): boolean {
  let next = ports.from;
  for (const { from, to } of ranges.toSorted((a, b) => a.from - b.from)) {
    if (from > next) return false;
    next = Math.max(next, to + 1);
  }
  return next > ports.to;
}
