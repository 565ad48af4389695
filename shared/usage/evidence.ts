import type { Instant } from '../base/time.ts';
import type { Fact } from '../flow-logs/contract.ts';

/** Half-open: `from` is in it, `to` is not. */
export interface Window {
  readonly from: Instant;
  readonly to: Instant;
}

/** All facts of one port, kind and peer over the whole history, summed up; `days` tells when. */
export interface UsageRow extends Omit<Fact, 'day'> {
  /** First packet inside the window, and last; undefined where there is none. */
  readonly firstInWindow: Instant | undefined;
  readonly lastInWindow: Instant | undefined;
  /** UTC days with such traffic, ascending, before the window included. */
  readonly days: readonly string[];
}

/** What the logs could have seen of one scope inside the window. */
export interface ScopeCoverage {
  readonly scope: string;
  /** Hours of the window with rows of this scope. */
  readonly seenHours: number;
  /** Hours of the window in which the cloud says it lost records. */
  readonly lostHours: number;
  /** UTC days of the window with at least one seen hour, ascending. */
  readonly seenDays: readonly string[];
  /** Median of seen hours over the days that have any: the log's own rhythm. 24 where "no traffic" is logged too. */
  readonly hoursADay: number;
  readonly firstSeen: Instant;
  readonly lastSeen: Instant;
  /** Stretches of whole hours without a row between the window's ends, longest first, 20 at most. */
  readonly gaps: readonly Window[];
}

/** Everything a judge may know about traffic. Plain data: the same evidence gives the same verdicts. */
export interface UsageEvidence {
  readonly window: Window;
  readonly rows: readonly UsageRow[];
  readonly coverage: readonly ScopeCoverage[];
  /** Objects that could not be read, and rows that were malformed, by object key. */
  readonly damaged: readonly {
    readonly key: string;
    readonly malformed: number;
    readonly unreadable: string | undefined;
  }[];
  /** Is any log of this evidence sampled? */
  readonly sampled: boolean;
  /** SHA-256 over the canonical rows and coverage: an auditor can recompute the verdict. */
  readonly digest: string;
}
