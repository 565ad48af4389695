import type { Instant } from '../../../base/time.ts';
import type { UsageEvidence } from '../../../usage/evidence.ts';

/** A flow log as the cloud describes it: what it could have seen, and what was read of it. */
export interface CoverageExpectation {
  /** The cloud's own id of the log. */
  readonly name: string;
  /** Ids of the networks, subnets or interfaces it is switched on at; undefined: everywhere. */
  readonly covers: readonly string[] | undefined;
  /** Which packets it keeps. A log of rejected packets proves nothing about silence. */
  readonly traffic: 'all' | 'accepted' | 'rejected';
  /** It saw nothing before; undefined where the cloud does not tell. */
  readonly createdAt: Instant | undefined;
  /** What is wrong with it, as a sentence with what to do; undefined where it works. */
  readonly trouble: string | undefined;
  /** Whether its rows have TCP flags; undefined: not known. */
  readonly hasFlags: boolean | undefined;
  /** What was read of this log alone; undefined where there is no other log, so that all evidence is this log's. */
  readonly evidence: UsageEvidence | undefined;
}
