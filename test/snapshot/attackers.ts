import { hour, instant, minute, second, type Instant } from '../../shared/base/time.ts';
import { on, type Account } from './account.ts';
import type { LogRow } from './log-rows.ts';

/** Real traffic that somebody wants to be overlooked: a client's packets to a port of a server. */
export interface Victim {
  /** The server's interface. */
  readonly eni: string;
  readonly server: string;
  readonly client: string;
  /** The client's port. */
  readonly sport: number;
  /** The server's port. */
  readonly port: number;
  readonly protocol: number;
  readonly at: Instant;
}

/** Puts into the logs what an attacker can: packets of his own, what they provoke, and hosts in networks of his own. */
export type Attacker = (account: Account, victim: Victim) => void;

interface Packet {
  readonly src?: string;
  readonly dst?: string;
  readonly sport?: number;
  readonly dport?: number;
  readonly flags: number;
  readonly at?: Instant;
  readonly bytes?: number;
  readonly packets?: number;
  readonly eni?: string;
  readonly protocol?: number;
}

const [syn, reset, synAck] = [2, 4, 18];

/** One packet with any source, from the client's address and port unless told otherwise. */
function spoof(account: Account, victim: Victim, packet: Packet): void {
  const { eni, client, server, sport, port, at, protocol } = victim;
  account.row(
    row({ eni, src: client, dst: server, sport, dport: port, at, protocol, ...packet, direction: 'ingress' }),
  );
}

/** What the server sends back to a spoofed packet: it cannot but answer as its state says. */
function reply(account: Account, victim: Victim, packet: Packet): void {
  const { eni, client, server, sport, port, at, protocol } = victim;
  account.row(
    row({ eni, src: server, dst: client, sport: port, dport: sport, at, protocol, ...packet, direction: 'egress' }),
  );
}

function row(packet: Packet & Pick<LogRow, 'direction' | 'eni'> & { readonly at: Instant }): LogRow {
  const { at, bytes = 40, packets = 1, flags, protocol = 6, ...rest } = packet;
  const flagged = protocol === 6 ? flags : 0;
  const end = instant(at + 20 * second);
  return { ...rest, protocol, flags: flagged, packets, bytes, start: at, end, status: 'OK', action: 'ACCEPT' };
}

/** Packets with the very addresses and ports of the real ones: a cloud counts them in the same rows. */
function mix(account: Account, victim: Victim, alter: (row: LogRow, isInbound: boolean) => LogRow): void {
  const { eni, client, server, sport, port } = victim;
  account.change(eni, (one) => {
    if (one.eni !== eni) return one;
    if (one.src === client && one.sport === sport && one.dport === port) return alter(one, true);
    return one.src === server && one.dst === client && one.dport === sport && one.sport === port
      ? alter(one, false)
      : one;
  });
}

const mixFlags =
  (flags: number): Attacker =>
  (account, victim) =>
    mix(account, victim, (one, isInbound) =>
      isInbound && one.protocol === 6
        ? { ...one, flags: (one.flags ?? 0) | flags, packets: (one.packets ?? 0) + 1, bytes: (one.bytes ?? 0) + 40 }
        : one,
    );

/** Small packets, and the bare acknowledgement that each provokes. */
const dilute: Attacker = (account, victim) =>
  mix(account, victim, (one) => ({
    ...one,
    packets: (one.packets ?? 0) + 5_000,
    bytes: (one.bytes ?? 0) + 200_000,
  }));

const around = ({ at }: Victim): readonly Instant[] => [
  on(0, 0),
  instant(at - minute),
  at,
  instant(at + minute),
  instant(at + 3 * hour),
];

const packets =
  (packet: Packet): Attacker =>
  (account, victim) => {
    for (const at of around(victim)) spoof(account, victim, { ...packet, at });
  };

const count = (many: number): readonly number[] => Array.from({ length: many }, (_, index) => index);

/** The client seems to be a server: packets from its port to many of ours, each answered by a reset. */
const fanOut =
  (flags: number): Attacker =>
  (account, victim) => {
    for (const index of count(12)) {
      const port = 33_000 + 2_500 * index;
      spoof(account, victim, { dport: port, flags });
      reply(account, victim, { sport: port, flags: reset });
    }
  };

/** Connections from the client's port seem to begin at ports on both sides of the real one, and packets go on there. */
const surround: Attacker = (account, victim) => {
  for (const port of [victim.port - 13, victim.port + 60]) {
    spoof(account, victim, { dport: port, flags: syn });
    reply(account, victim, { sport: port, flags: reset });
    spoof(account, victim, { dport: port, flags: 0, at: instant(victim.at + minute) });
  }
};

/** More sources than a log's cap, before and after the client's packets, so that the client is not named any more. */
const manySources =
  (kinds: readonly { readonly flags: number; readonly answer: number }[]): Attacker =>
  (account, victim) => {
    for (const index of count(150)) {
      const { flags, answer } = kinds[index % kinds.length] ?? { flags: syn, answer: synAck };
      const peer = `10.250.${index}.7`;
      const at = instant(victim.at + (index % 2 === 0 ? -2 : 2) * minute);
      spoof(account, victim, { src: peer, flags, at, bytes: 44 });
      reply(account, victim, { dst: peer, flags: answer, at, bytes: answer === synAck ? 44 : 40 });
    }
  };

const manyPorts: Attacker = (account, victim) => {
  for (const index of count(100)) {
    spoof(account, victim, { sport: 1_024 + 600 * index, flags: syn, bytes: 44 });
    reply(account, victim, { dport: 1_024 + 600 * index, flags: synAck, bytes: 44 });
  }
};

/** Whoever can make the server fetch an address makes it connect to the client's own port; a reset comes back. */
const fetches: Attacker = (account, victim) => {
  for (const [index, at] of around(victim).slice(1).entries()) {
    const port = [33_001, 60_998, 41_000, 52_000][index] ?? 33_001;
    reply(account, victim, { sport: port, flags: syn, bytes: 60, at: instant(at + 2 * hour) });
    spoof(account, victim, { dport: port, flags: 20, at: instant(at + 2 * hour) });
  }
};

/** It connects to the client's port number at more peers than a log lists. */
const fetchesElsewhere: Attacker = (account, victim) => {
  for (const index of count(100)) {
    const [peer, sport] = [`10.251.${index}.9`, 33_000 + 200 * index];
    reply(account, victim, { dst: peer, sport, flags: syn, bytes: 60 });
    spoof(account, victim, { src: peer, dport: sport, flags: synAck, bytes: 60 });
  }
};

/** Ids of hosts and rules that attackers bring along begin so. */
export const twinTag = 'twin-';

/** A host with the client's address, in another network or at an interface nobody describes, serves the client's port. */
const twin =
  (network: string | undefined): Attacker =>
  (account, victim) => {
    const eni = `${twinTag}${victim.eni}-${victim.sport}`;
    const group = `${eni}-group`;
    if (network !== undefined) {
      account.interface(eni, { ip: victim.client, groups: [group], vpc: network, subnet: `subnet-${network}` });
      account.rule(eni, group, {
        IpProtocol: victim.protocol === 6 ? 'tcp' : 'udp',
        FromPort: victim.sport,
        ToPort: victim.sport,
        CidrIpv4: '0.0.0.0/0',
      });
    }
    for (const peer of [victim.server, '10.252.0.1', '10.252.0.2']) {
      spoof(account, victim, { eni, src: peer, dst: victim.client, sport: 40_000, dport: victim.sport, flags: syn });
      const answer = { eni, src: victim.client, dst: peer, sport: victim.sport, dport: 40_000, flags: synAck };
      reply(account, victim, { ...answer, bytes: 60 });
    }
  };

/** A SYN in the server's name at the moment when the client connects: the client's own port answers it. */
const simultaneous: Attacker = (account, victim) => {
  for (const eni of account.at(victim.client, 'vpc-1')) {
    const { client, server, sport, port } = victim;
    spoof(account, victim, { eni, src: server, dst: client, sport: port, dport: sport, flags: syn });
    reply(account, victim, { eni, src: client, dst: server, sport, dport: port, flags: synAck, bytes: 60 });
  }
};

/** Every kind of attacker by what he does. */
export const attackers: Readonly<Record<string, Attacker>> = {
  'SYN-ACKs in the client’s name': packets({ flags: synAck }),
  'resets in the client’s name': packets({ flags: reset }),
  'bare packets in the client’s name': packets({ flags: 0 }),
  'SYN-ACKs from a well-known port of the client': (account, victim) => {
    for (const sport of [22, 443, 993]) packets({ flags: synAck, sport })(account, victim);
  },
  'bare packets from a well-known port of the client': (account, victim) => {
    for (const sport of [22, 443, 993]) packets({ flags: 0, sport })(account, victim);
  },
  'ports the other way round': (account, { sport, port, ...victim }) =>
    packets({ flags: synAck, sport: port, dport: sport })(account, { ...victim, sport, port }),
  'SYN-ACKs mixed into the client’s rows': mixFlags(synAck),
  'SYNs mixed into the client’s rows': mixFlags(syn),
  'resets mixed into the client’s rows': mixFlags(reset),
  'small packets mixed into both ways': dilute,
  'a fan of SYNs': fanOut(syn),
  'a fan of bare packets': fanOut(0),
  'a fan of SYN-ACKs': fanOut(synAck),
  'sessions on both sides of the port': surround,
  'SYNs from many sources': manySources([{ flags: syn, answer: synAck }]),
  'bare packets from many sources': manySources([{ flags: 0, answer: reset }]),
  'SYNs and bare packets from many sources': manySources([
    { flags: syn, answer: 0 },
    { flags: 0, answer: 0 },
    { flags: syn, answer: reset },
  ]),
  'many ports of the client': manyPorts,
  'connections that the server is made to begin': fetches,
  'connections to many others on the client’s port': fetchesElsewhere,
  'a host in another network with the client’s address': twin('vpc-2'),
  'an interface that nobody describes with the client’s address': twin(undefined),
  'a SYN that crosses the client’s own': simultaneous,
};
