import type { Plain } from '../base/canonical.ts';
import type { Cloud } from '../base/cloud.ts';
import type { Instant } from '../base/time.ts';

/** A transport by its IANA number; `all` is a rule for every protocol. */
export type Protocol = number | 'all';

/** Both ends included, 0–65535. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** Who an opening lets in. */
export type Source =
  | { readonly kind: 'addresses'; readonly cidrs: readonly string[] }
  /** The members of a group: addresses of the interfaces that carry it now. */
  | { readonly kind: 'group'; readonly group: string; readonly members: readonly string[] }
  /**
   * It exists, but nobody here can list it: another account, a peered network, a managed list. `privateOnly`: only
   * private addresses can be behind it.
   */
  | { readonly kind: 'unknown'; readonly name: string; readonly why: string; readonly privateOnly?: boolean };

/** One permission of one firewall rule. */
export interface Opening {
  /** The cloud's own id of the rule (sgr-…). */
  readonly id: string;
  /** The rule set that holds it: security group id, network, NSG. */
  readonly ruleSet: string;
  readonly direction: 'ingress' | 'egress';
  readonly protocol: Protocol;
  /**
   * `all` also where the protocol has no ports or the cloud ignores them. For ICMP and ICMPv6 the range is over
   * type × 256 + code, so that echo requests alone are 2048–2303.
   */
  readonly ports: PortRange | 'all';
  readonly sources: readonly Source[];
  /** Ids of the interfaces it applies to now; the same ids as in usage facts. */
  readonly targets: readonly string[];
  /** Undefined where the cloud does not tell. */
  readonly createdAt: Instant | undefined;
  readonly description: string;
  /** The tool that owns the rule, where marks say so; then lockkeeper hands out a patch and does not touch it. */
  readonly managedBy: string | undefined;
  /** The rule exactly as the cloud tells it. */
  readonly rule: Plain;
  /** SHA-256 of the canonical form of `rule`. Any edit by anybody changes it. */
  readonly fingerprint: string;
}

/** A network interface that openings apply to. */
export interface Interface {
  readonly id: string;
  /** Canonical addresses, the primary one first; prefixes delegated to it that are too many to list, as CIDR. */
  readonly addresses: readonly string[];
  /** Where it hangs, widest first: network, subnet. Flow logs are switched on at one of these or at the interface. */
  readonly within: readonly string[];
  /** Undefined where the cloud does not tell. */
  readonly attachedAt: Instant | undefined;
  /** A reason why flow logs cannot see all of its traffic; undefined where they can. */
  readonly blindSpot: string | undefined;
}

export interface FirewallState {
  readonly cloud: Cloud;
  /** `union`: any matching opening lets a packet in. `first-match`: the first matching rule decides. */
  readonly evaluation: 'union' | 'first-match';
  readonly openings: readonly Opening[];
  readonly interfaces: readonly Interface[];
}

export type Change = { readonly kind: 'close'; readonly opening: string };

/** Everything needed to carry a change out and to take it back, without asking the cloud again. */
export interface PreparedChange {
  readonly firewall: string;
  readonly change: Change;
  readonly before: Plain;
  /** Undefined: the rule is gone afterwards. */
  readonly after: Plain | undefined;
  /** Of the rule that `before` shows. */
  readonly fingerprint: string;
  /** False: nobody could see who is refused afterwards, so nothing can reopen by itself. */
  readonly rejectsVisible: boolean;
  /** Connections that are open now live on for at most this long, in milliseconds; undefined: not known. */
  readonly openConnectionsLastMs: number | undefined;
}

/**
 * One place where openings live. Errors of every method: denied, throttled, unreachable, uncertain, unsupported (this
 * driver only reads).
 */
export interface Firewall {
  /** All openings and the interfaces they apply to, as they are now. Reads only. */
  openings(): Promise<FirewallState>;
  /** What a change would do, exactly. Reads only. `not-found` where the opening is gone. */
  prepare(change: Change): Promise<PreparedChange>;
  /**
   * Carries it out, only if the live rule still has the prepared fingerprint; else `conflict`, and nothing changed.
   * Alters no other opening. Repeating it after it happened succeeds and changes nothing.
   */
  apply(prepared: PreparedChange): Promise<void>;
  /**
   * Puts back exactly `before`. Succeeds without a change where it is back already; `conflict` where somebody else
   * changed the rule after it was closed.
   */
  restore(prepared: PreparedChange): Promise<void>;
}
