import type { Notice } from '../../approvals/contract.ts';
import type { Instant } from '../../base/time.ts';
import type { PortRange, PreparedChange, Protocol } from '../../firewalls/contract.ts';
import type { People } from './people.ts';
import type { Evidence, Proposal } from './proposal.ts';

/**
 * Where a closing stands.
 *
 * ```
 * proposed ─▶ approved ─▶ closing ─▶ quarantined ─▶ settled
 *    │           │           │            │            │
 *    └─ denied, snoozed,     │            └─ reopening ┴─▶ reopened
 *       exempted, expired,   └─ drifted, failed, reopening
 *       drifted
 * ```
 */
export type Phase =
  | 'proposed'
  | 'approved'
  /** The preparation is durable; the rule may be closed or not. */
  | 'closing'
  | 'quarantined'
  | 'settled'
  /** The rule may be back or not. */
  | 'reopening'
  | 'reopened'
  | 'denied'
  | 'snoozed'
  | 'exempted'
  /** Nobody answered, or nobody used the approval, in time. */
  | 'expired'
  /** What was agreed to is no longer so; nothing was closed. */
  | 'drifted'
  /** The firewall refused for good. */
  | 'failed';

/** One answer that counted. */
export interface Vote {
  /** The proposal it was said to. */
  readonly hash: string;
  readonly answer: 'approve' | 'deny' | 'snooze' | 'exempt';
  readonly who: string;
  readonly why: string;
  readonly at: Instant;
}

/** Who wanted it open again. */
export interface Reopening {
  readonly who: string;
  readonly why: string;
  readonly at: Instant;
  /** True: a known source was refused, or the closing had no effect. */
  readonly automatic: boolean;
  /** True: the closing had no effect, which nobody outside can bring about. It stops further closings for a while. */
  readonly standstill?: boolean | undefined;
}

/**
 * The journal of one opening's closing, from the question to the undo: everything needed to finish it or to take it
 * back after a crash. It is one object, so a decision and its use can never come apart.
 */
export interface Closure {
  readonly firewall: string;
  readonly opening: string;
  readonly proposal: Proposal;
  readonly hash: string;
  readonly evidence: Evidence;
  readonly people: People;
  readonly phase: Phase;
  /** When this phase began. */
  readonly since: Instant;
  /** When the question is void. */
  readonly expires: Instant;
  /** False: the question may not have reached people yet; the next run shows it. */
  readonly shown: boolean;
  readonly votes: readonly Vote[];
  /** When enough people had agreed. */
  readonly approvedAt: Instant | undefined;
  /** For denied, snoozed, exempted, reopened and failed: until when nobody is asked again; always there for them. */
  readonly until: Instant | undefined;
  /** What was read right before closing. From here on everything can be undone without asking the cloud. */
  readonly prepared: PreparedChange | undefined;
  /** When closing was first tried: who is refused from here on is refused by it. */
  readonly closedAt: Instant | undefined;
  readonly reopening: Reopening | undefined;
  /** Why it is drifted, failed or waits; for people. */
  readonly problem: string | undefined;
  /** Notices that must still reach people. Telling may repeat, but is never forgotten. */
  readonly notices: readonly Notice[];
  /** Knocks up to here were told. */
  readonly knocksTold: Instant | undefined;
  /** Who knocked, by what people and the log were told; no more than `mostKnockers`. */
  readonly knockers: readonly string[] | undefined;
}

/** True while people are asked or their answer may still be used. */
export function isOpenQuestion(closure: Closure): boolean {
  return closure.phase === 'proposed' || closure.phase === 'approved';
}

/** True while it is unsure, or watched, whether somebody needs the opening. */
export function isUnderway(closure: Closure): boolean {
  return closure.phase === 'closing' || closure.phase === 'quarantined' || closure.phase === 'reopening';
}

/** The closure in another phase, with more notices for people if any are given. */
export function moved(closure: Closure, phase: Phase, change: Partial<Closure> & { readonly since: Instant }): Closure {
  return { ...closure, ...change, phase };
}

/** One notice that belongs to the closure's question. */
export function notice(closure: Closure, level: Notice['level'], text: string): Notice {
  return { hash: closure.hash, level, text };
}

/** Names the opening for people. */
export function nameOf(closure: Pick<Closure, 'firewall' | 'opening' | 'evidence'>): string {
  const { protocol, ports } = closure.evidence;
  return `${closure.opening} (${describeProtocol(protocol)} ${hasPorts(protocol) ? describePorts(ports) : describeTypes(ports)}) in ${closure.firewall}`;
}

/** `tcp`, `udp`, `icmp`, or the number. */
export function describeProtocol(protocol: Protocol): string {
  if (protocol === 'all') return 'every protocol,';
  return (
    new Map([
      [1, 'icmp'],
      [6, 'tcp'],
      [17, 'udp'],
      [58, 'icmpv6'],
    ]).get(protocol) ?? `protocol ${protocol}`
  );
}

/** False for ICMP, whose range is over type × 256 + code and not over ports. */
export function hasPorts(protocol: Protocol): boolean {
  return protocol !== 1 && protocol !== 58;
}

function describeTypes(range: PortRange | 'all'): string {
  if (range === 'all') return 'every type';
  const [from, to] = [Math.floor(range.from / 256), Math.floor(range.to / 256)];
  return from === to ? `type ${from}` : `types ${from}–${to}`;
}

/** `5432`, `8000–8100`, or `all ports`. */
export function describePorts(ports: PortRange | 'all'): string {
  if (ports === 'all') return 'all ports';
  return ports.from === ports.to ? `${ports.from}` : `${ports.from}–${ports.to}`;
}
