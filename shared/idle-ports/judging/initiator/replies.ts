import { minute, type Instant } from '../../../base/time.ts';
import { later, tcp, udp, type Conversation, type Tally } from './conversations.ts';

/** Local ports from here on are given out by operating systems to connections that they begin. */
const ephemeral = 32_768;
/** Rows this close to the beginning of the history may belong to something that began before it. */
const startOfHistoryMs = 15 * minute;
/** A peer with more ports than this is a client with many connections, not a server with many services. */
const mostServedPorts = 64;
/**
 * Ports above 599 that clients with reserved source ports (NFS, rsh) may use too, but that only servers answer from.
 */
const servedAbove599 = new Set([631, 636, 853, 873, 902, 989, 990, 992, 993, 995]);

/** A port of a peer; the address undefined for the peers beyond a log's cap, together. */
export interface PeerPort {
  readonly peer: string | undefined;
  readonly protocol: number;
  readonly port: number;
}

/** What is known beyond one conversation. */
export interface Surroundings {
  /** True where this interface began a connection to that port of the peer, at any time of the history. */
  began(interfaceId: string, to: PeerPort): boolean;
  /** True where the peer's own interface answered at that port. */
  answers(at: PeerPort): boolean;
  /** True where the peer's own interface has an opening for just that port that lets this address in. */
  servesAt(at: PeerPort, client: string): boolean;
  /** Earliest row of the interface. */
  historyStart(interfaceId: string): Instant | undefined;
  /** How often a port of the peer was talked to from one or from several local ports. */
  fans(conversation: Conversation): Fans;
}

export interface Fans {
  /** Ports of the peer that appear in packets from it to high local ports. */
  readonly peerPorts: number;
  /** Of these, ports that more than one local port was used towards. */
  readonly severalLocal: number;
  /** Local ports used towards the peer port of this conversation. */
  readonly localPorts: number;
  /** True where one of its local ports was talked to from several ports, as a server's is. */
  readonly isHub: boolean;
}

/**
 * True only where something proves that the inbound packets answer what local began: then they are no use of a port.
 *
 * | proof                                                              | holds for                       |
 * |--------------------------------------------------------------------|---------------------------------|
 * | a SYN of ours went to that peer and port                           | any protocol with opened-out    |
 * | the peer's own interface answered, or has an opening, at that port | both ends logged                |
 * | the peer's port is one that only servers answer from               | TCP, UDP, packets went both ways|
 * | several local ports were used towards the one port of the peer     | no flags, packets both ways     |
 * | our first packet is strictly older than the peer's first           | no flags, one local port        |
 */
export function isReply(conversation: Conversation, about: Surroundings, hasFlags: boolean): boolean {
  const inbound = conversation.kinds.in;
  if (!inbound || (conversation.protocol !== tcp && conversation.protocol !== udp)) return false;
  if (isExplained(conversation, inbound, about)) return true;
  const outbound = conversation.kinds.out;
  if (!outbound || cameFirst(conversation, { inbound, outbound }, about)) return false;
  if (inbound.portLow < 1024) return false;
  if (isServerPort(inbound.peerPortLow) && isServerPort(inbound.peerPortHigh)) return true;
  if (inbound.peerPortLow !== inbound.peerPortHigh) return false;
  if (isServedAtPeer(conversation, inbound, about)) return true;
  if (hasFlags && conversation.protocol === tcp) return false;
  return fansOut(conversation, inbound, about) || wentFirst(conversation, { inbound, outbound }, about);
}

/** A port that local began connections to with more peers than a log lists explains high local ports for any peer. */
function isExplained({ interface: place, protocol, peer }: Conversation, inbound: Tally, about: Surroundings): boolean {
  const { peerPortLow, peerPortHigh, portLow } = inbound;
  if (peerPortLow !== peerPortHigh && peerPortHigh >= 1024) return false;
  const explains = (port: number): boolean =>
    (peer !== undefined && (about.began(place, { peer, protocol, port }) || about.answers({ peer, protocol, port }))) ||
    (portLow >= ephemeral && port < ephemeral && about.began(place, { peer: undefined, protocol, port }));
  return explains(peerPortLow) && explains(peerPortHigh);
}

/** Active FTP connects from port 20, and reserved client ports run from 600 to 1023. */
function isServerPort(port: number): boolean {
  return (port > 0 && port < 600 && port !== 20) || servedAbove599.has(port);
}

interface Ways {
  readonly inbound: Tally;
  readonly outbound: Tally;
}

/** The peer's first packet is older than ours; near the start of the history that says nothing. */
function cameFirst({ interface: place }: Conversation, { inbound, outbound }: Ways, about: Surroundings): boolean {
  return inbound.first < outbound.first && !isNearStart(inbound.first, about.historyStart(place));
}

/** Unless the ports themselves tell client from server, it must not be the other way round just as well. */
function isServedAtPeer(
  { protocol, peer, local }: Conversation,
  { portLow, portHigh, peerPortLow }: Tally,
  about: Surroundings,
): boolean {
  if (peer === undefined || !about.servesAt({ peer, protocol, port: peerPortLow }, local)) return false;
  if (peerPortLow < ephemeral && portLow >= ephemeral) return true;
  return ![portLow, portHigh].some((port) => about.servesAt({ peer: local, protocol, port }, peer));
}

/**
 * A client uses many ports of its own towards one port of a server, each once. A load balancer that reuses its source
 * ports looks like that too, but for the local ports, which many of its connections share.
 */
function fansOut(conversation: Conversation, inbound: Tally, about: Surroundings): boolean {
  if (conversation.peer === undefined || inbound.portLow < ephemeral || inbound.peerPortLow >= ephemeral) return false;
  const { peerPorts, severalLocal, localPorts, isHub } = about.fans(conversation);
  return localPorts > 1 && !isHub && peerPorts <= mostServedPorts && severalLocal * 2 >= peerPorts;
}

/** One local port and one peer port only: what went first began it. */
function wentFirst({ interface: place }: Conversation, { inbound, outbound }: Ways, about: Surroundings): boolean {
  if (inbound.portLow !== inbound.portHigh || outbound.portLow !== outbound.portHigh || inbound.portLow < ephemeral)
    return false;
  return outbound.first < inbound.first && !isNearStart(outbound.first, about.historyStart(place));
}

function isNearStart(at: Instant, start: Instant | undefined): boolean {
  return later(at, start) === start || (start !== undefined && at - start <= startOfHistoryMs);
}
