import { withhold } from '../../audit/entries/withhold.ts';
import { canonicalJson } from '../../base/canonical.ts';
import { formatInstant, type Instant } from '../../base/time.ts';
import type { Opening, PreparedChange } from '../../firewalls/contract.ts';
import type { Closure } from './closure.ts';
import { approversOf, isLate } from './decision.ts';
import { exempted, type ClosingPolicy } from './limits.ts';
import { missing, type People } from './people.ts';
import { differences, hashOf, proposalFor, type Material } from './proposal.ts';

/** May an approved opening be closed now? */
export type Check =
  | { readonly kind: 'go' }
  /** A crashed run closed it already: only the rest is left to do. */
  | { readonly kind: 'closed-already' }
  | { readonly kind: 'expired'; readonly why: string }
  /** The approval is void: what was agreed to is no longer so. */
  | { readonly kind: 'void'; readonly why: string };

/** What is known of the opening right before the deed; `fresh` is undefined where it is gone or has another verdict. */
export interface Fresh {
  readonly live: Opening | undefined;
  readonly material: Material | undefined;
  /** Why there is no material, for people. */
  readonly otherwise: string;
  readonly people: People | undefined;
}

/** The last look before closing: is this still exactly what people approved, and did enough of them? Pure. */
export function checkApproval(
  closure: Closure,
  fresh: Fresh,
  { policy, now }: { policy: ClosingPolicy; now: Instant },
): Check {
  if (closure.phase === 'closing' && closure.prepared && wasApplied(closure.prepared, fresh.live))
    return { kind: 'closed-already' };
  if (isLate(closure, policy, now)) {
    return {
      kind: 'expired',
      why: `it was approved at ${formatInstant(closure.approvedAt ?? closure.since)} and not closed in time`,
    };
  }
  if (!fresh.material) return { kind: 'void', why: fresh.otherwise };
  const live = proposalFor(fresh.material, closure.proposal.round);
  if (hashOf(live) !== closure.hash)
    return { kind: 'void', why: `it is not what was approved: ${differences(closure.proposal, live).join('; ')}` };
  const exemption = exempted(policy, closure, now);
  if (exemption !== undefined) return { kind: 'void', why: exemption };
  return enoughAgree(closure, fresh.people);
}

/** True where the prepared change is what is there now. A rule that somebody else removed looks the same. */
export function wasApplied(prepared: PreparedChange, live: Opening | undefined): boolean {
  if (prepared.after === undefined) return live === undefined;
  return live === undefined || canonicalJson(withhold(live.rule)) === canonicalJson(withhold(prepared.after));
}

/** The configuration may have changed since: who may not decide any more does not count, and the bar may be higher. */
function enoughAgree(closure: Closure, people: People | undefined): Check {
  const current = people ?? closure.people;
  const agreed = approversOf({ ...closure, people: current });
  const why = missing(agreed, current, Math.max(current.needed, closure.people.needed));
  return why === undefined ? { kind: 'go' } : { kind: 'void', why };
}
