import type { Instant } from '../../../base/time.ts';
import type { FirewallState, Opening } from '../../../firewalls/contract.ts';
import type { PeerPort } from '../initiator/replies.ts';
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

  /**
   * True where the interface that has the server's address has an opening for hardly more than its port that lets
   * `client` in.
   */
  servesAt({ peer, protocol, port }: PeerPort, client: string, at: Instant): boolean {
    if (peer === undefined) return false;
    return this.#peers
      .ownersOf(peer)
      .some(({ id }) =>
        this.credit({ interface: id, protocol, low: port, high: port, peer: client, first: at, last: at }).sure.some(
          isSpecific,
        ),
      );
  }

  #at(rules: CompiledRules, arrival: Arrival, sources?: PeerView['sure']): Opening[] {
    const found = rules.find(arrival, sources);
    return [...found].toSorted((a, b) => a - b).flatMap((index) => this.#openings[index] ?? []);
  }
}

function isSpecific({ protocol, ports }: Opening): boolean {
  return protocol !== 'all' && ports !== 'all' && ports.to - ports.from < 16;
}
