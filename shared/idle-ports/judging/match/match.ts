import type { Instant } from '../../../base/time.ts';
import type { FirewallState, Opening } from '../../../firewalls/contract.ts';
import type { Client, PeerPort, Ports } from '../initiator/ports.ts';
import { Peers, type PeerView } from './peers.ts';
import { compileRules, type CompiledRules } from './rules.ts';

/** Packets that came to one interface, as far as a firewall rule can tell them apart. */
export interface Arrival {
  readonly interface: string;
  readonly protocol: number;
  /** The local port is one of these; both 0 where there are none. */
  readonly low: number;
  readonly high: number;
  /** Undefined: peers beyond a log's cap, so any source at all. */
  readonly peer: string | undefined;
  /** First and last packet. */
  readonly first: Instant;
  readonly last: Instant;
}

export interface Credited {
  /** Openings that let these packets in. */
  readonly sure: readonly Opening[];
  /** Openings that may have: whether the peer is one of their sources cannot be known. */
  readonly maybe: readonly Opening[];
}

/** Which openings let packets in, for a firewall in which any matching opening does (`union`). */
export class Matcher {
  readonly #openings: readonly Opening[];
  readonly #peers: Peers;
  readonly #rulesOf: ReadonlyMap<string, CompiledRules>;

  constructor(state: FirewallState) {
    this.#openings = state.openings;
    this.#peers = new Peers(state);
    this.#rulesOf = compileRules(state, this.#peers.sourcesOf);
  }

  /** Every ingress opening of the interface that matches. Asking again gives the same. */
  credit(arrival: Arrival): Credited {
    const rules = this.#rulesOf.get(arrival.interface);
    if (!rules) return { sure: [], maybe: [] };
    if (arrival.peer === undefined) return { sure: this.#at(rules, arrival), maybe: [] };
    const view = this.#peers.view(arrival.peer, arrival);
    const sure = this.#at(rules, arrival, view.sure);
    const maybe =
      view.maybe.length === 0 ? [] : this.#at(rules, arrival, view.maybe).filter((opening) => !sure.includes(opening));
    return { sure, maybe };
  }

  /** What the openings tell about ports, as of `at`. Asking again gives the same. */
  ports(at: Instant): Ports {
    const meant = new Map<string, boolean>();
    return {
      neighbours: (address, here) => this.#peers.neighbours(address, here).map(({ id }) => id),
      servesAt: (port, client) => this.#admits(port, client, at).some((opening) => width(opening) <= 16),
      letsIn: (port, client) => this.#admits(port, client, at).length > 0,
      isMeant: (place, protocol, port) => {
        const key = `${place} ${protocol} ${port}`;
        const isMeant = meant.get(key) ?? this.#openingsOf(place, protocol, port).some(isForServices);
        meant.set(key, isMeant);
        return isMeant;
      },
    };
  }

  /** True where interfaces of another network than that of `here` have the address. */
  isElsewhereToo(address: string, here: string): boolean {
    return this.#peers.isElsewhereToo(address, here);
  }

  /** Openings of the peer's own interface that let the client, in the same network, in at that port. */
  #admits({ peer, protocol, port }: PeerPort, client: Client, at: Instant): readonly Opening[] {
    const arrival = { protocol, low: port, high: port, peer: client.local, first: at, last: at };
    return this.#peers
      .neighbours(peer, client.interface)
      .flatMap(({ id }) => this.credit({ ...arrival, interface: id }).sure);
  }

  #openingsOf(place: string, protocol: number, port: number): readonly Opening[] {
    const rules = this.#rulesOf.get(place);
    return rules ? this.#at(rules, { interface: place, protocol, low: port, high: port }) : [];
  }

  #at(
    rules: CompiledRules,
    arrival: Pick<Arrival, 'interface' | 'protocol' | 'low' | 'high'>,
    sources?: PeerView['sure'],
  ): Opening[] {
    const found = rules.find(arrival, sources);
    return [...found].toSorted((a, b) => a - b).flatMap((index) => this.#openings[index] ?? []);
  }
}

/** A range that is meant for services, and not for whatever local port a reply comes to. */
function isForServices(opening: Opening): boolean {
  return width(opening) <= 4096;
}

function width({ protocol, ports }: Opening): number {
  return protocol === 'all' || ports === 'all' ? 65_536 : ports.to - ports.from + 1;
}
