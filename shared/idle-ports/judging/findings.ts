import type { Interface } from '../../firewalls/contract.ts';
import type { UsageEvidence } from '../../usage/evidence.ts';
import type { Coverage } from './coverage/coverage.ts';
import type { Credit } from './credit.ts';
import type { Overlaps } from './match/cover.ts';
import type { IdlePolicy } from './policy.ts';

/** Everything that was found out before any opening is judged. */
export interface Findings {
  readonly interfaces: ReadonlyMap<string, Interface>;
  readonly evidence: UsageEvidence;
  readonly policy: IdlePolicy;
  readonly credits: ReadonlyMap<string, Credit>;
  readonly overlaps: Overlaps;
  readonly coverage: ReadonlyMap<string, Coverage>;
  readonly withoutEffect: ReadonlySet<string>;
}
