import type { Instant } from '../../../base/time.ts';
import type { UsageRow } from '../../../usage/evidence.ts';
import { earlier, type Conversation } from './conversations.ts';
import type { Fans, Surroundings } from './replies.ts';

/** Indexes the rows of every log once, so that each conversation can be looked at in the light of all the others. */
export function surroundings(rows: readonly UsageRow[], servesAt: Surroundings['servesAt']): Surroundings {
  const begun = new Set<string>();
  const answered = new Set<string>();
  const starts = new Map<string, Instant>();
  for (const row of rows) {
    if (row.kind === 'opened-out') begun.add([row.interface, row.protocol, row.peer, row.port].join(' '));
    if (row.kind === 'answered') answered.add([row.local, row.protocol, row.port].join(' '));
    starts.set(row.interface, earlier(starts.get(row.interface), row.first) ?? row.first);
  }
  const fans = countFans(rows);
  return {
    began: (interfaceId, { peer, protocol, port }) => begun.has([interfaceId, protocol, peer, port].join(' ')),
    answers: ({ peer, protocol, port }) => answered.has([peer, protocol, port].join(' ')),
    servesAt,
    historyStart: (interfaceId) => starts.get(interfaceId),
    fans,
  };
}

/** For each peer and each of its ports: which local ports packets came to; and for each local port, from where. */
function countFans(rows: readonly UsageRow[]): (conversation: Conversation) => Fans {
  const towards = new Map<string, Map<number, Set<number>>>();
  const sources = new Map<string, Set<string>>();
  for (const row of rows) {
    if (row.kind !== 'in' || row.portLow < 32_768 || row.peerPortLow !== row.peerPortHigh) continue;
    const key = [row.interface, row.protocol, row.peer].join(' ');
    const peerPorts = towards.get(key) ?? new Map<number, Set<number>>();
    const ports = peerPorts.get(row.peerPortLow) ?? new Set<number>();
    towards.set(key, peerPorts.set(row.peerPortLow, ports.add(row.portLow).add(row.portHigh)));
    for (const port of [row.portLow, row.portHigh]) {
      const hub = [row.interface, row.protocol, port].join(' ');
      sources.set(hub, (sources.get(hub) ?? new Set<string>()).add(`${row.peer} ${row.peerPortLow}`));
    }
  }
  const counted = new Map(
    [...towards].map(
      ([key, ports]) =>
        [key, { ports, severalLocal: [...ports.values()].filter(({ size }) => size > 1).length }] as const,
    ),
  );
  return ({ interface: place, protocol, peer, kinds }) => {
    const found = counted.get([place, protocol, peer].join(' '));
    const local = found?.ports.get(kinds.in?.peerPortLow ?? -1) ?? new Set<number>();
    const isHub = [...local].some((port) => (sources.get([place, protocol, port].join(' '))?.size ?? 0) > 1);
    return { peerPorts: found?.ports.size ?? 0, severalLocal: found?.severalLocal ?? 0, localPorts: local.size, isHub };
  };
}
