/** A port of an address. */
export interface PeerPort {
  readonly peer: string;
  readonly protocol: number;
  readonly port: number;
}

/** Who would be the client of a port, as one of our interfaces. */
export interface Client {
  readonly interface: string;
  readonly local: string;
}

/**
 * What the firewall tells about ports, without any traffic. An address means something in one network only: the same
 * private address elsewhere is somebody else. Where a network is not known, nobody vouches for anybody.
 */
export interface Ports {
  /** Interfaces that have the address in the very network of the interface `here`. */
  neighbours(address: string, here: string): readonly string[];
  /** True where the peer's own interface, in the client's network, has an opening for just that port that lets it in. */
  servesAt(at: PeerPort, client: Client): boolean;
  /** True where the peer's own interface, in the client's network, has any opening for that port that lets it in. */
  letsIn(at: PeerPort, client: Client): boolean;
  /** True where an opening of the interface is meant for the port, and not for a wide range that holds it too. */
  isMeant(interfaceId: string, protocol: number, port: number): boolean;
}

/** Local ports from here on are given out by operating systems to connections that they begin. */
export const ephemeral = 32_768;

/**
 * Ports above 599 that clients with reserved source ports (NFS, rsh) may use too, but that only servers answer from.
 */
const servedAbove599 = new Set([631, 636, 853, 873, 902, 989, 990, 992, 993, 995]);

/** Only servers answer from it. Active FTP connects from port 20, and reserved client ports run from 600 to 1023. */
export function isServerPort(port: number): boolean {
  return (port > 0 && port < 600 && port !== 20) || servedAbove599.has(port);
}

/** Only servers answer from any port between the two, ends included. */
export function areServerPorts(low: number, high: number): boolean {
  return low === high ? isServerPort(low) : low > 20 && high < 600;
}
