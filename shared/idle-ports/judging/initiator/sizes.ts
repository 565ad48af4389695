import { hour } from '../../../base/time.ts';
import type { Tally } from './conversations.ts';
import type { Sent } from './surroundings.ts';

/**
 * Bytes of packets without payload, IP header included: a reset has no options, a SYN or an ACK has some.
 *
 * |                     | IPv4 | IPv6 |
 * |---------------------|------|------|
 * | reset               |   40 |   60 |
 * | largest without payload |   60 |   80 |
 */
const bare = { v4: { reset: 40, empty: 60 }, v6: { reset: 60, empty: 80 } } as const;

function sizesFor(peer: string | undefined): (typeof bare)['v4' | 'v6'] {
  return peer?.includes(':') ? bare.v6 : bare.v4;
}

/** True where some record's mean packet is too large for a handshake: somebody sent data, so a session stood. */
export function carriesPayload({ largest }: Tally, peer: string | undefined): boolean {
  return largest > sizesFor(peer).empty;
}

/**
 * True where something went out that is larger than a bare reset. However many small packets somebody mixes into a
 * record, its mean stays above theirs.
 */
export function isMoreThanResets({ largest }: Sent, peer: string | undefined): boolean {
  return largest > sizesFor(peer).reset;
}

/** Without flags: data in, or anything out that is more than resets. */
export function answeredWithoutFlags(inbound: Tally, outbound: Sent | undefined, peer: string | undefined): boolean {
  return carriesPayload(inbound, peer) || (outbound !== undefined && isMoreThanResets(outbound, peer));
}

/**
 * Without flags: one pair of ports with small packets both ways, hour after hour, is a session kept alive and not a
 * scanner that comes back.
 */
export function isLastingSession(inbound: Tally, outbound: Sent | undefined): boolean {
  if (!outbound || inbound.peerPortLow !== inbound.peerPortHigh || inbound.portLow !== inbound.portHigh) return false;
  return inbound.last - inbound.first >= 6 * hour && inbound.records >= 6 * inbound.days.length;
}
