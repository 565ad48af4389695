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
  const { learn, own } = learnedAddresses(inventory);
  for (const record of records) learn(record);
  return own;
}

/** The same, a record at a time: of an interface only the addresses are kept that all its records have. */
export interface LearnedAddresses {
  readonly learn: (record: FlowRecord) => void;
  /** To be asked when all records are learned. */
  readonly own: OwnAddresses;
}

/** Opens it. */
export function learnedAddresses(inventory: readonly KnownInterface[] = []): LearnedAddresses {
  const known = new Map<string, ReadonlySet<string>>();
  const common = new Map<string, ReadonlySet<string>>();
  for (const { id, addresses } of inventory) {
    for (const v6 of [false, true]) {
      const family = addresses.filter((address) => address.includes(':') === v6);
      if (family.length > 0) known.set(`${id} ${v6}`, new Set(family));
    }
  }
  return {
    learn(record) {
      if (record.direction !== undefined) return;
      const { source, destination } = record;
      const place = placeOf(record);
      const held = common.get(place);
      if (held === undefined) common.set(place, new Set([source, destination]));
      else if ([...held].some((address) => address !== source && address !== destination))
        common.set(place, new Set([source, destination].filter((address) => held.has(address))));
    },
    own(record) {
      const place = placeOf(record);
      const found = known.get(place) ?? common.get(place);
      return known.has(place) || found?.size === 1 ? found : undefined;
    },
  };
}

function placeOf({ interface: id, source }: FlowRecord): string {
  return `${id ?? '-'} ${source.includes(':')}`;
}
