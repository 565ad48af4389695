import type { Instant } from '../../../base/time.ts';
import type { UsageRow } from '../../../usage/evidence.ts';
import { earlier, later, mergeTallies, type Conversation, type Tally } from './conversations.ts';
import { ephemeral, type Ports } from './ports.ts';

/** As much as is known of packets to several peers together. */
export type Sent = Pick<Tally, 'largest' | 'lastInWindow'>;

/** What is known beyond one conversation: from the rows of every log, and from the firewall. */
export interface Surroundings extends Ports {
  /** The SYNs that the conversation's interface itself sent to this port of its peer, at any time of the history. */
  ownSyns(conversation: Conversation, peerPort: number): Tally | undefined;
  /** True where the interface itself sent a SYN-ACK from the port, to whomever. */
  isAnswered(interfaceId: string, protocol: number, port: number): boolean;
  /** True where the interface sent this peer, or one beyond the cap, a SYN-ACK from a port of the inbound packets. */
  isBegunByPeer(conversation: Conversation, inbound: Tally): boolean;
  /**
   * What went out from the port and may have been to this peer: to the peers beyond a log's cap, of whom it may be one;
   * to anybody, where the conversation itself is with those.
   */
  othersOut(conversation: Conversation): Sent | undefined;
  /** True where packets came in from peers beyond the cap: this conversation's peer may have come before it is seen. */
  isInboundCapped(conversation: Conversation): boolean;
  /** What went out from the high local port, in rows that are folded by the peer's port, to this peer or beyond the cap. */
  foldedOut(conversation: Conversation, syns: Tally): readonly Sent[];
  /** Earliest row of the interface. */
  historyStart(interfaceId: string): Instant | undefined;
}

/** Indexes the rows of every log once, so that each conversation can be looked at in the light of all the others. */
export function surroundings(rows: readonly UsageRow[], ports: Ports): Surroundings {
  const index = new Index(rows);
  return {
    ...ports,
    ownSyns: ({ interface: place, protocol, peer }, port) => index.ownSyns.get(keyOf(place, protocol, peer, port)),
    isAnswered: (place, protocol, port) => index.answered.has(keyOf(place, protocol, port)),
    isBegunByPeer: ({ interface: place, protocol, peer }, inbound) =>
      [peer, undefined].some((who) =>
        index.answers.get(keyOf(place, protocol, who))?.some((answer) => isOneOf(answer, inbound)),
      ),
    othersOut: (one) => (one.peer === undefined ? index.anyOut : index.cappedOut).get(placeOf(one)),
    isInboundCapped: (one) => index.cappedIn.has(placeOf(one)),
    foldedOut: ({ interface: place, protocol, peer, port }, syns) =>
      [peer ?? anybody, undefined]
        .flatMap((who) => index.foldedOut.get(keyOf(place, protocol, who)) ?? [])
        .filter((out) => isOneOf({ ...out, port }, { ...syns, portLow: out.portLow, portHigh: out.portHigh })),
    historyStart: (place) => index.starts.get(place),
  };
}

class Index {
  readonly ownSyns = new Map<string, Tally>();
  readonly answered = new Set<string>();
  /** SYN-ACKs from high ports, by peer. */
  readonly answers = new Map<string, UsageRow[]>();
  readonly cappedOut = new Map<string, Sent>();
  readonly anyOut = new Map<string, Sent>();
  readonly cappedIn = new Set<string>();
  readonly foldedOut = new Map<string, UsageRow[]>();
  readonly starts = new Map<string, Instant>();

  constructor(rows: readonly UsageRow[]) {
    for (const row of rows) {
      this.starts.set(row.interface, earlier(this.starts.get(row.interface), row.first) ?? row.first);
      if (row.kind === 'opened-out') this.#addOwnSyn(row);
      if (row.kind === 'answered') this.#addAnswer(row);
      if (row.kind === 'out') this.#addOut(row);
      if (row.kind === 'in' && row.peer === undefined) this.cappedIn.add(placeOf(conversationOf(row)));
    }
  }

  /** SYNs to peers beyond the cap explain nothing: nobody knows to whom they went. */
  #addOwnSyn(row: UsageRow): void {
    if (row.peer === undefined) return;
    const key = keyOf(row.interface, row.protocol, row.peer, row.port);
    this.ownSyns.set(key, mergeTallies([this.ownSyns.get(key), row]) ?? row);
  }

  #addAnswer(row: UsageRow): void {
    this.answered.add(keyOf(row.interface, row.protocol, row.port));
    if (row.port >= ephemeral) push(this.answers, keyOf(row.interface, row.protocol, row.peer), row);
  }

  #addOut(row: UsageRow): void {
    const one = conversationOf(row);
    const place = placeOf(one);
    this.anyOut.set(place, sentTogether(row, this.anyOut.get(place)));
    if (row.peer === undefined) this.cappedOut.set(place, sentTogether(row, this.cappedOut.get(place)));
    if (!one.isFolded) return;
    for (const who of [row.peer, anybody]) push(this.foldedOut, keyOf(row.interface, row.protocol, who), row);
  }
}

function sentTogether({ largest, lastInWindow }: Sent, held: Sent | undefined): Sent {
  return {
    largest: Math.max(largest, held?.largest ?? 0),
    lastInWindow: later(lastInWindow, held?.lastInWindow),
  };
}

/** Stands for every peer where the peer itself is beyond the cap. */
const anybody = 'anybody';

function isOneOf(answer: UsageRow, { portLow, portHigh, peerPortLow, peerPortHigh }: Tally): boolean {
  return (
    portLow <= answer.port &&
    answer.port <= portHigh &&
    answer.peerPortLow <= peerPortHigh &&
    peerPortLow <= answer.peerPortHigh
  );
}

type Place = Pick<Conversation, 'interface' | 'protocol' | 'isFolded' | 'port'> & { readonly fold: number };

function conversationOf(row: UsageRow): Place {
  const isFolded = row.port === 0 && row.portHigh > 0;
  return { interface: row.interface, protocol: row.protocol, isFolded, port: row.port, fold: row.peerPortLow };
}

/** A port, or the peer's port by which high local ones are folded, whoever the peer is. */
function placeOf(one: Place | Conversation): string {
  const fold = 'fold' in one ? one.fold : (one.kinds.in ?? one.kinds.out)?.peerPortLow;
  return keyOf(one.interface, one.protocol, one.isFolded ? 'folded' : '', one.isFolded ? fold : one.port);
}

function keyOf(...parts: readonly (string | number | undefined)[]): string {
  return parts.join(' ');
}

function push<Value>(lists: Map<string, Value[]>, key: string, value: Value): void {
  const held = lists.get(key);
  if (held) held.push(value);
  else lists.set(key, [value]);
}
