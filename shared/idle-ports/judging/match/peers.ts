import type { Instant } from '../../../base/time.ts';
import type { FirewallState, Interface, Opening, Source } from '../../../firewalls/contract.ts';
import { addressBlock, AddressTable, contains, isPrivate, type AddressBlock } from './addresses.ts';

/** Sources, as the numbers that `sourcesOf` gives, behind which a peer stood. */
export interface PeerView {
  readonly sure: readonly number[];
  readonly maybe: readonly number[];
}

interface Known {
  readonly isInside: boolean;
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
  readonly #known = new Map<string, Known>();

  constructor({ interfaces, openings }: FirewallState) {
    for (const one of interfaces) for (const address of one.addresses) this.#owners.add(addressBlock(address), one);
    this.#ownNetworks = networksAround(interfaces);
    for (const opening of openings) for (const source of opening.sources) this.#learn(source);
  }

  /** One number for one source, however many openings name it. */
  readonly sourcesOf = (opening: Opening): readonly number[] =>
    opening.sources.flatMap((source) => namesOf(source).flatMap((name) => this.#numbers.get(name) ?? []));

  /** The interfaces that have the address now. */
  ownersOf(address: string): readonly Interface[] {
    return this.#owners.at(addressBlock(address));
  }

  /**
   * The sources that `peer` was between `first` and `last`. An inside address without an owner at that time may have
   * been a member of any group that is gone now; an outside address never is.
   */
  view(peer: string, { first, last }: { readonly first: Instant; readonly last: Instant }): PeerView {
    const known = this.#know(peer);
    const isOwned = known.owners.some(({ attachedAt }) => attachedAt === undefined || attachedAt <= first);
    const wasOwned =
      known.owners.length === 0 ||
      known.owners.some(({ attachedAt }) => attachedAt === undefined || attachedAt <= last);
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
