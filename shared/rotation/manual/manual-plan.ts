import type { Instant } from '../../base/time.ts';
import type { PlannedCopy, RotationDeps } from '../plan.ts';

/**
 * What says when a value is no longer good. `lifetime`: so long after lockkeeper first saw it. `certificate`: the
 * certificate that the places hold.
 */
export type ValidUntil =
  | {
      readonly by: 'date';
      readonly at: Instant;
      /** As the configuration says it. */
      readonly text: string;
    }
  | { readonly by: 'lifetime'; readonly ms: number }
  | { readonly by: 'certificate' };

/** What the configuration says about a credential that people renew. */
export interface ManualPlan {
  /** Names the record: characters of [A-Za-z0-9._=-]. */
  readonly name: string;
  readonly owner: string;
  /** Words by which people choose credentials. */
  readonly tags?: readonly string[];
  /** Every place from which consumers read it, at least one; all hold the same value. */
  readonly stores: readonly PlannedCopy[];
  readonly validUntil: ValidUntil;
  /** How long before the end people are reminded, in milliseconds, in no order. */
  readonly remindMs: readonly number[];
  /** Who renews it and how, for people. */
  readonly renew: string;
}

/** Everything that reminding works with. There is no service: nothing can log in with it, or change it. */
export interface ReminderDeps extends Pick<
  RotationDeps,
  'stores' | 'state' | 'audit' | 'world' | 'notify' | 'actor' | 'account' | 'fingerprintKey'
> {
  readonly plan: ManualPlan;
}
