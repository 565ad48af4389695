/** Packets and their bytes, IP and TCP headers included. */
export interface Traffic {
  readonly packets: number;
  readonly bytes: number;
}

/** Not one packet. */
export const noTraffic: Traffic = { packets: 0, bytes: 0 };

/** A SYN is longer than other bare packets: it carries options. */
const synBytes = 60;
const headerBytes = 52;
const payloadBytes = 1_448;

/**
 * The packets that carried `payload` bytes one way while `returned` bytes came back. A gateway sees bytes, not packets,
 * so this is an estimate: full segments, one acknowledgement for two segments, handshake and FIN where they happened. A
 * connection that moved nothing has one keep-alive packet.
 */
export function packetsOf(
  payload: number,
  returned: number,
  at: { readonly begins: boolean; readonly ends: boolean },
): Traffic {
  const data = Math.ceil(payload / payloadBytes);
  const acknowledgements = data > 0 ? 0 : Math.ceil(returned / (2 * payloadBytes));
  const bare = acknowledgements + (at.ends ? 1 : 0);
  const quiet = !at.begins && data + bare === 0;
  const packets = data + bare + (at.begins ? 1 : 0) + (quiet ? 1 : 0);
  return { packets, bytes: payload + (data + bare + (quiet ? 1 : 0)) * headerBytes + (at.begins ? synBytes : 0) };
}
