import { after, type Instant } from '../../../shared/base/time.ts';
import type { World } from '../../../shared/base/world.ts';
import type { GateService } from './network.ts';
import { noTraffic, packetsOf, type Traffic } from './packets.ts';

/** TCP flags as bits, as flow logs have them. An ACK alone shows nowhere. */
export const tcpFlag = { fin: 1, syn: 2, rst: 4, synAck: 18 } as const;

/** Who is at the other end, and where he came in. */
export interface Knock {
  readonly service: GateService;
  readonly peer: string;
  readonly peerPort: number;
  /** Id of the rule that let it in; undefined: none did. */
  readonly rule: string | undefined;
}

/** What one connection did within one aggregation interval. */
export interface FlowSlice extends Knock {
  /** `refused`: the gate let it in, but the service answered RST. */
  readonly outcome: 'accepted' | 'refused' | 'rejected';
  readonly first: Instant;
  readonly last: Instant;
  readonly begins: boolean;
  readonly ends: boolean;
  /** From the peer to the service, and back. */
  readonly received: Traffic & { readonly flags: number };
  readonly sent: Traffic & { readonly flags: number };
}

/** One whole aggregation interval: `from` is in it, `to` is not. */
export interface Interval {
  readonly from: Instant;
  readonly to: Instant;
  readonly slices: readonly FlowSlice[];
  readonly losses: readonly Loss[];
}

/** Connections to one interface that the log cannot tell about, for one reason, within one interval. */
export interface Loss {
  readonly interface: string;
  /** As people read it: what the gate ran out of, or what came back. */
  readonly why: string;
  readonly connections: number;
}

/** An open connection, as the one who forwards its bytes tells it. */
export interface OpenFlow {
  received(bytes: number): void;
  sent(bytes: number): void;
  /** The side that said FIN or RST. Both may; the flow is over with `over()`. */
  ended(side: 'peer' | 'service', how: 'fin' | 'rst'): void;
  over(): void;
}

/**
 * Counts connections and cuts them at the ends of aggregation intervals of `intervalMs` world time, aligned to the
 * epoch. An interval is handed to `emit` once, in order, empty ones included: at the first event after its end or at
 * the next `advance()`.
 */
export class FlowTable {
  readonly #world: World;
  readonly #intervalMs: number;
  readonly #emit: (interval: Interval) => void;
  readonly #mostSlices: number;
  readonly #open = new Set<Counting>();
  #finished: FlowSlice[] = [];
  #losses = new Map<string, Loss>();
  #from: Instant;
  #to: Instant;

  constructor(options: {
    readonly world: World;
    readonly intervalMs: number;
    readonly emit: (interval: Interval) => void;
    /** Connections that one interval keeps apart; 200,000 by default. */
    readonly mostSlices?: number;
  }) {
    this.#world = options.world;
    this.#intervalMs = options.intervalMs;
    this.#emit = options.emit;
    this.#mostSlices = options.mostSlices ?? 200_000;
    this.#from = options.world.now();
    this.#to = after(this.#from, this.#intervalMs - (this.#from % this.#intervalMs));
  }

  /** No rule lets it in. */
  rejected(knock: Knock): void {
    const now = this.advance();
    this.#finish(momentary(knock, 'rejected', now));
  }

  /** It was let in and nobody listens: SYN answered by RST. */
  refused(knock: Knock): void {
    const now = this.advance();
    this.#finish(momentary(knock, 'refused', now));
  }

  /** Nobody knows what would have become of it: neither a rule nor the service refused it. */
  lost(id: string, why: string): void {
    this.advance();
    const connections = (this.#losses.get(`${id} ${why}`)?.connections ?? 0) + 1;
    this.#losses.set(`${id} ${why}`, { interface: id, why, connections });
  }

  /** The service accepted it. */
  opened(knock: Knock): OpenFlow {
    const counting = new Counting(knock, this.advance());
    this.#open.add(counting);
    return {
      received: (bytes) => counting.add('received', bytes, this.advance()),
      sent: (bytes) => counting.add('sent', bytes, this.advance()),
      ended: (side, how) => counting.flag(side === 'peer' ? 'received' : 'sent', tcpFlag[how], this.advance()),
      over: () => {
        const now = this.advance();
        if (this.#open.delete(counting)) this.#finish(counting.cut(now, true));
      },
    };
  }

  /** Cuts every interval that is over by now; answers now. */
  advance(): Instant {
    const now = this.#world.now();
    while (now >= this.#to) this.#cut(this.#to);
    return now;
  }

  /** Cuts the running interval short: its end is now. For the end of a run. */
  flush(): void {
    const now = this.advance();
    const isEmpty = this.#finished.length === 0 && this.#open.size === 0 && this.#losses.size === 0;
    if (now > this.#from || !isEmpty) this.#cut(after(this.#from, Math.max(1, now - this.#from)));
  }

  /** A flood may not fill the memory; what has no place any more is lost, and the log says so. */
  #finish(slice: FlowSlice): void {
    if (this.#finished.length < this.#mostSlices) this.#finished.push(slice);
    else this.lost(slice.service.interface, `more than ${this.#mostSlices} connections in one interval`);
  }

  #cut(at: Instant): void {
    const lastMoment = after(at, -1);
    const slices = [...this.#finished, ...[...this.#open].map((flow) => flow.cut(lastMoment, false))];
    this.#finished = [];
    const losses = [...this.#losses.values()];
    this.#losses = new Map();
    const from = this.#from;
    this.#from = at;
    if (at >= this.#to) this.#to = after(at, this.#intervalMs - (at % this.#intervalMs));
    this.#emit({ from, to: at, slices, losses });
  }
}

/** The running count of one open connection within the current interval. */
class Counting {
  readonly #knock: Knock;
  #begins = true;
  #first: Instant | undefined;
  #last: Instant;
  readonly #bytes = { received: 0, sent: 0 };
  readonly #flags = { received: tcpFlag.syn as number, sent: tcpFlag.synAck as number };

  constructor(knock: Knock, now: Instant) {
    this.#knock = knock;
    this.#first = now;
    this.#last = now;
  }

  add(way: 'received' | 'sent', bytes: number, now: Instant): void {
    this.#bytes[way] += bytes;
    this.#touch(now);
  }

  flag(way: 'received' | 'sent', flag: number, now: Instant): void {
    this.#flags[way] |= flag;
    this.#touch(now);
  }

  /** A connection that moved nothing is still there: its keep-alive is one packet each way. */
  cut(at: Instant, ends: boolean): FlowSlice {
    const counts = {
      begins: this.#begins,
      ends: (this.#flags.received & tcpFlag.fin) !== 0 || (this.#flags.sent & tcpFlag.fin) !== 0,
    };
    const slice: FlowSlice = {
      ...this.#knock,
      outcome: 'accepted',
      first: this.#first ?? at,
      last: this.#first === undefined ? at : this.#last,
      begins: this.#begins,
      ends,
      received: { ...packetsOf(this.#bytes.received, this.#bytes.sent, counts), flags: this.#flags.received },
      sent: { ...packetsOf(this.#bytes.sent, this.#bytes.received, counts), flags: this.#flags.sent },
    };
    this.#begins = false;
    this.#first = undefined;
    this.#bytes.received = this.#bytes.sent = 0;
    this.#flags.received = this.#flags.sent = 0;
    return slice;
  }

  #touch(now: Instant): void {
    this.#first ??= now;
    this.#last = now;
  }
}

function momentary(knock: Knock, outcome: 'rejected' | 'refused', now: Instant): FlowSlice {
  const answered = outcome === 'refused';
  return {
    ...knock,
    outcome,
    first: now,
    last: now,
    begins: true,
    ends: true,
    received: { packets: 1, bytes: 60, flags: tcpFlag.syn },
    sent: answered ? { packets: 1, bytes: 40, flags: tcpFlag.rst } : { ...noTraffic, flags: 0 },
  };
}
