import { day, minute, type Instant } from '../../../base/time.ts';
import { tcp, udp, type Conversation, type Tally } from './conversations.ts';
import { areServerPorts, ephemeral, isServerPort } from './ports.ts';
import type { Surroundings } from './surroundings.ts';

/** Rows this close to the beginning of the history may belong to something that began before it. */
const startOfHistoryMs = 15 * minute;
/** A connection without a packet for so long is forgotten by the firewall (AWS: 432,000 s), so its next packet is new. */
const longestSilenceMs = 5 * day;
/** The times of a row can be this much late. */
const rowDelayMs = minute;

/**
 * True only where something proves that the inbound packets answer what local began: then they are no use of a port.
 * A proof is something that whoever can send packets, with whatever source and flags, cannot bring about, and neither
 * can a host elsewhere that has the peer's address.
 *
 * | proof                                                                          | holds for                        |
 * |--------------------------------------------------------------------------------|----------------------------------|
 * | our own interface sent a SYN from that local port to that port of the peer      | TCP with flags                   |
 * | the peer's interface in our network answered at that port, and it is open to us | TCP with flags, both ends logged |
 * | the peer's port is one that only servers answer from                           | TCP, UDP, packets went both ways |
 * | the peer's interface in our network has an opening for just that port, for us   | TCP, UDP, packets went both ways |
 * | our first packet is strictly older than the peer's first                       | no flags, one local port         |
 *
 * None of them holds for a local port that is served: one that answered, that has an opening of its own, or that is
 * well known while the peer's is not.
 */
export function isReply(conversation: Conversation, about: Surroundings, hasFlags: boolean): boolean {
  const inbound = conversation.kinds.in;
  if (!inbound || (conversation.protocol !== tcp && conversation.protocol !== udp)) return false;
  if (isServedHere(conversation, inbound, about)) return false;
  if (isOwn(conversation, inbound, about) || isAnswerer(conversation, inbound, about)) return true;
  const outbound = conversation.kinds.out;
  if (inbound.portLow < 1024 || !outbound || !spans(outbound, inbound)) return false;
  if (cameFirst(conversation, { inbound, outbound }, about)) return false;
  if (areServerPorts(inbound.peerPortLow, inbound.peerPortHigh)) return true;
  if (isServedAtPeer(conversation, inbound, about)) return true;
  if (hasFlags && conversation.protocol === tcp) return false;
  return wentFirst(conversation, { inbound, outbound }, about);
}

/**
 * A local port that serves is never the client's end. Where the row holds many local ports, those of them count from
 * which this very peer was answered.
 */
function isServedHere(conversation: Conversation, packets: Tally, about: Surroundings): boolean {
  const { interface: place, protocol } = conversation;
  const { portLow, portHigh, peerPortLow, peerPortHigh } = packets;
  if (portLow !== portHigh) return about.isBegunByPeer(conversation, packets);
  if (isServerPort(portLow) || (portLow < 1024 && peerPortHigh >= ephemeral)) return true;
  if (about.isAnswered(place, protocol, portLow)) return true;
  return about.isMeant(place, protocol, portLow) && !areServerPorts(peerPortLow, peerPortHigh);
}

/**
 * Our own SYNs went from just these ports. From one local port, that is the connection itself: an operating system
 * connects from no port that is listened at. From several, one between them may be a server's whose session is older
 * than the log: then its packets are older than our first SYN. A peer's high port may be a client's, to which somebody
 * made us connect, so there only the one local port will do. Facts of older versions do not have the local ports.
 */
function isOwn(conversation: Conversation, inbound: Tally, about: Surroundings): boolean {
  const { portLow, portHigh, peerPortLow, peerPortHigh } = inbound;
  if (peerPortLow !== peerPortHigh) return false;
  const own = about.ownSyns(conversation, peerPortLow);
  if (!own || !spans(own, inbound)) return false;
  if (own.portLow === own.portHigh && portLow === portHigh) return true;
  const isOrdered = inbound.first + rowDelayMs >= own.first && !about.isInboundCapped(conversation);
  return peerPortLow < ephemeral && isOrdered;
}

/**
 * The peer listens at that port. Whoever spoofs a SYN at the right moment makes a client answer from its own port too,
 * but only an opening lets a SYN in that begins anything.
 */
function isAnswerer(conversation: Conversation, { peerPortLow, peerPortHigh }: Tally, about: Surroundings): boolean {
  const { interface: place, protocol, peer, local } = conversation;
  if (peer === undefined || peerPortLow !== peerPortHigh || peerPortLow >= ephemeral) return false;
  const isListening = about.neighbours(peer, place).some((there) => about.isAnswered(there, protocol, peerPortLow));
  return isListening && about.letsIn({ peer, protocol, port: peerPortLow }, { interface: place, local });
}

interface Ways {
  readonly inbound: Tally;
  readonly outbound: Tally;
}

/** The peer's first packet is older than ours; near the start of the history that says nothing. */
function cameFirst({ interface: place }: Conversation, { inbound, outbound }: Ways, about: Surroundings): boolean {
  const start = about.historyStart(place);
  return inbound.first < outbound.first && !isSoonAfter(start, inbound.first, startOfHistoryMs);
}

/** Unless the ports themselves tell client from server, the peer's port must be a server's by its opening alone. */
function isServedAtPeer(
  { interface: place, protocol, peer, local }: Conversation,
  { peerPortLow, peerPortHigh }: Tally,
  about: Surroundings,
): boolean {
  if (peer === undefined || peerPortLow !== peerPortHigh) return false;
  return about.servesAt({ peer, protocol, port: peerPortLow }, { interface: place, local });
}

/**
 * What went first began it, from one high local port to one port below: a server's answers are never older than what
 * they answer. Unless the session is older than the log, or its beginning is among the peers beyond the cap.
 */
function wentFirst(conversation: Conversation, { inbound, outbound }: Ways, about: Surroundings): boolean {
  const { portLow, portHigh, peerPortLow, peerPortHigh } = inbound;
  if (portLow !== portHigh || outbound.portLow !== outbound.portHigh || peerPortLow !== peerPortHigh) return false;
  if (portLow < ephemeral || peerPortLow >= ephemeral || about.isInboundCapped(conversation)) return false;
  const start = about.historyStart(conversation.interface);
  return outbound.first < inbound.first && !isSoonAfter(start, outbound.first, longestSilenceMs);
}

function isSoonAfter(start: Instant | undefined, at: Instant, ms: number): boolean {
  return start === undefined || at - start <= ms;
}

/** True where the local ports of `outer` hold those of `inner`. */
function spans(outer: Tally, inner: Tally): boolean {
  return outer.portLow <= inner.portLow && inner.portHigh <= outer.portHigh;
}
