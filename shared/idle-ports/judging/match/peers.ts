import type { Instant } from '../../../base/time.ts';
import type { FirewallState, Interface, Opening, Source } from '../../../firewalls/contract.ts';
import { addressBlock, AddressTable, contains, isPrivate, type AddressBlock } from './addresses.ts';

/** Sources, as the numbers that `sourcesOf` gives, behind which a peer stood. */
export interface PeerView {
  readonly sure: readonly number[];
  readonly maybe: readonly number[];
}

/** Where and when packets of a peer were seen. */
interface Sight {
  readonly interface: string;
  readonly first: Instant;
  readonly last: Instant;
}

interface Known {
  readonly isInside: boolean;
  /** Interfaces that have the address now, in whatever network. */
  readonly owners: readonly Interface[];
  /** By address, so true at any time. */
  readonly addresses: readonly number[];
  /** Groups that list the address now. */
  readonly groups: readonly number[];
}

/** Who stands behind an address, and which sources of openings that makes it. */
export class Peers {
  readonly #numbers = new Map<string, number>();
  readonly #sources = new Map<number, Source>();
  readonly #byCidr = new AddressTable<number>();
  readonly #byMember = new AddressTable<number>();
  readonly #owners = new AddressTable<Interface>();
  readonly #ownNetworks: readonly AddressBlock[];
  readonly #networks: ReadonlyMap<string, string>;
  readonly #known = new Map<string, Known>();

  constructor({ interfaces, openings }: FirewallState) {
    for (const one of interfaces) for (const address of one.addresses) this.#owners.add(addressBlock(address), one);
    this.#ownNetworks = networksAround(interfaces);
    this.#networks = new Map(interfaces.flatMap(({ id, within: [network] }) => (network ? [[id, network]] : [])));
    for (const opening of openings) for (const source of opening.sources) this.#learn(source);
  }

  /** One number for one source, however many openings name it. */
  readonly sourcesOf = (opening: Opening): readonly number[] =>
    opening.sources.flatMap((source) => namesOf(source).flatMap((name) => this.#numbers.get(name) ?? []));

  /**
   * The interfaces that have the address in the network of the interface `here`, to which packets of that address come
   * first. None where the network is not known: networks overlap, and elsewhere the address is somebody else's.
   */
  neighbours(address: string, here: string): readonly Interface[] {
    const network = this.#networks.get(here);
    if (network === undefined) return [];
    return this.#know(address).owners.filter(({ id }) => this.#networks.get(id) === network);
  }

  /** True where interfaces have the address, and not all of them in the network of the interface `here`. */
  isElsewhereToo(address: string, here: string): boolean {
    return this.neighbours(address, here).length < this.#know(address).owners.length;
  }

  /**
   * The sources that `peer` was to the interface between `first` and `last`. An inside address without an owner in that
   * network at that time may have been a member of any group that is gone now; an outside address never is.
   */
  view(peer: string, { interface: here, first, last }: Sight): PeerView {
    const known = this.#know(peer);
    const owners = this.neighbours(peer, here);
    const isOwned = owners.some(({ attachedAt }) => attachedAt === undefined || attachedAt <= first);
    const wasOwned =
      owners.length === 0 || owners.some(({ attachedAt }) => attachedAt === undefined || attachedAt <= last);
    const sure = wasOwned ? [...known.addresses, ...known.groups] : known.addresses;
    return { sure, maybe: this.#maybe(known, isOwned) };
  }

  #maybe({ isInside }: Known, isOwned: boolean): readonly number[] {
    const possible: number[] = [];
    for (const [number, source] of this.#sources) {
      if (source.kind === 'group' && isInside && !isOwned) possible.push(number);
      if (source.kind === 'unknown' && (source.privateOnly !== true || (isInside && !isOwned))) possible.push(number);
    }
    return possible;
  }

  #know(peer: string): Known {
    const held = this.#known.get(peer);
    if (held) return held;
    const address = addressBlock(peer);
    const isInside = isPrivate(address) || this.#ownNetworks.some((network) => contains(network, address));
    const known = {
      isInside,
      owners: this.#owners.at(address),
      addresses: this.#byCidr.at(address),
      groups: this.#byMember.at(address),
    };
    this.#known.set(peer, known);
    return known;
  }

  #learn(source: Source): void {
    for (const name of namesOf(source)) {
      if (this.#numbers.has(name)) continue;
      const number = this.#numbers.size;
      this.#numbers.set(name, number);
      if (source.kind !== 'addresses') this.#sources.set(number, source);
      if (source.kind === 'group')
        for (const member of source.members) this.#byMember.add(addressBlock(member), number);
      if (source.kind === 'addresses') this.#byCidr.add(addressBlock(name), number);
    }
  }
}

function namesOf(source: Source): readonly string[] {
  if (source.kind === 'addresses') return source.cidrs;
  return [source.kind === 'group' ? `group ${source.group}` : `unknown ${source.name}`];
}

/**
 * Networks that are ours although their addresses are public by standard: the /56 that a cloud gives a network in IPv6,
 * and the /16 around an interface whose IPv4 address is not a private one.
 */
function networksAround(interfaces: readonly Interface[]): readonly AddressBlock[] {
  const networks = new Map<string, AddressBlock>();
  for (const address of interfaces.flatMap(({ addresses }) => addresses)) {
    const block = addressBlock(address);
    if (isPrivate(block)) continue;
    const network = addressBlock(`${address.split('/')[0] ?? address}/${block.family === 4 ? 16 : 56}`);
    networks.set(`${network.family} ${network.low}`, network);
  }
  return [...networks.values()];
}
