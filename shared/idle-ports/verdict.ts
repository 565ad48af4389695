import type { Instant } from '../base/time.ts';

export type VerdictName = 'used' | 'unused' | 'narrow' | 'no-effect' | 'cannot-tell';

/** Why a verdict is what it is: a stable code for machines, one sentence for people. */
export interface Reason {
  readonly code: string;
  readonly text: string;
}

/** What is known about one opening. Never a boolean: silence, blindness and uselessness are different things. */
export interface Verdict {
  /** The opening's id, the cloud's own. */
  readonly rule: string;
  readonly ruleSet: string;
  readonly verdict: VerdictName;
  /** At least one; for cannot-tell the first says the one thing that would fix it. */
  readonly reasons: readonly Reason[];
  /** Last time somebody new came in: an answered or begun connection. */
  readonly lastNew: Instant | undefined;
  /** Last packet of any credited traffic, long-lived sessions included. */
  readonly lastPacket: Instant | undefined;
  /** Days of the window with credited traffic. */
  readonly activeDays: number;
  /** Share of the window that the logs could have seen on every interface, 0–1. */
  readonly coverage: number;
  /** Attempts that nobody answered, and who made the last ones. */
  readonly knocks: { readonly count: number; readonly last: Instant | undefined; readonly from: readonly string[] };
  /** For narrow: the part that is used. */
  readonly usedPorts: readonly { readonly from: number; readonly to: number }[];
  /** Other openings that let the same traffic in. */
  readonly alsoAllowedBy: readonly string[];
}
