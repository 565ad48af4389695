import type { FlowRecord } from './contract.ts';

/** What the user's inventory says about one interface. */
export interface KnownInterface {
  readonly id: string;
  readonly addresses: readonly string[];
}

/** Own addresses of the interface of a record, as far as they are known. */
export type OwnAddresses = (record: FlowRecord) => ReadonlySet<string> | undefined;

/**
 * Whose address is whose: by the inventory, and where it does not know an interface, the one address common to all rows
 * of that interface that do not say which way they went. IPv4 and IPv6 apart. Several common addresses, or none:
 * unknown.
 */
export function ownAddresses(records: Iterable<FlowRecord>, inventory: readonly KnownInterface[] = []): OwnAddresses {
  const own = new Map<string, ReadonlySet<string>>();
  for (const [place, pairs] of pairsByPlace(records)) {
    const common = [...(pairs[0] ?? [])].filter((address) => pairs.every((pair) => pair.has(address)));
    if (common.length === 1) own.set(place, new Set(common));
  }
  for (const { id, addresses } of inventory) {
    for (const v6 of [false, true]) {
      const family = addresses.filter((address) => address.includes(':') === v6);
      if (family.length > 0) own.set(`${id} ${v6}`, new Set(family));
    }
  }
  return (record) => own.get(placeOf(record));
}

function pairsByPlace(records: Iterable<FlowRecord>): Map<string, ReadonlySet<string>[]> {
  const places = new Map<string, ReadonlySet<string>[]>();
  for (const record of records) {
    if (record.direction !== undefined) continue;
    const pairs = places.get(placeOf(record)) ?? [];
    pairs.push(new Set([record.source, record.destination]));
    places.set(placeOf(record), pairs);
  }
  return places;
}

function placeOf({ interface: id, source }: FlowRecord): string {
  return `${id ?? '-'} ${source.includes(':')}`;
}
