import { tcpFlag, type FlowSlice } from '../../../../functions/local/gate/flow-table.ts';
import { noTraffic } from '../../../../functions/local/gate/packets.ts';
import type { Instant } from '../../../../shared/base/time.ts';

/** Who sends, where, when. */
export interface Packet {
  readonly peer: string;
  readonly interface: string;
  readonly port: number;
  readonly at: Instant;
}

/** One SYN whose sender is made up, as the gate's own log tells it: it was refused, and nothing followed. */
export function spoofed({ peer, port, at, interface: id }: Packet, n = 0): FlowSlice {
  return {
    service: { name: 'spoofed', port, upstream: 0, interface: id },
    peer,
    peerPort: 40_000 + n,
    rule: undefined,
    outcome: 'rejected',
    first: at,
    last: at,
    begins: true,
    ends: true,
    received: { packets: 1, bytes: 60, flags: tcpFlag.syn },
    sent: { ...noTraffic, flags: 0 },
  };
}

/** A whole conversation with payload in both directions, which nobody can make up. */
export function conversation(packet: Packet): FlowSlice {
  return {
    ...spoofed(packet),
    rule: 'to-it',
    outcome: 'accepted',
    received: { packets: 4, bytes: 900, flags: tcpFlag.syn + tcpFlag.fin },
    sent: { packets: 4, bytes: 900, flags: tcpFlag.synAck + tcpFlag.fin },
  };
}
