import { hour, minute } from '../../../shared/base/time.ts';
import type { SecretStore } from '../../../shared/secrets/contract.ts';
import type { Fence, ServiceDescription, Strategy, ValueKind } from '../../../shared/services/contract.ts';
import type { Choice } from '../hostile/seeded.ts';

/** What kind of store one copy lies in. */
export interface StoreSetting {
  readonly writes: SecretStore['writes'];
  readonly settlesMs: number;
  readonly keepsPrevious: boolean;
  readonly ids: 'kept' | 'renewed';
}

/** Everything about one walk that does not change on the way. Plain data. */
export interface Setting {
  readonly strategy: Strategy;
  readonly fence: Fence;
  /** 0: no limit. */
  readonly capacity: number;
  readonly counts: boolean;
  readonly sessionsSeen: ServiceDescription['sessionsSeen'];
  readonly kind: ValueKind['kind'];
  readonly fleet: 'shared' | 'each';
  readonly endpoints: number;
  readonly lockWaits: boolean;
  /** The service tells its time. */
  readonly clock: boolean;
  /** How far the clock of each rotator is off, in milliseconds. */
  readonly skews: readonly number[];
  readonly stores: readonly StoreSetting[];
  readonly refreshes: number;
  readonly propagationMs: number;
  readonly adopts: boolean;
  /** Runs that a host ends after 15 minutes; else they go on for as long as they want. */
  readonly deadlines: boolean;
  /** Log entries carry fingerprints of values. */
  readonly fingerprints: boolean;
}

/** The plainest setting: what a walk is shrunk towards. */
export const plainSetting: Setting = {
  strategy: 'alternating',
  fence: 'lock',
  capacity: 1,
  counts: false,
  sessionsSeen: 'exact',
  kind: 'text',
  fleet: 'shared',
  endpoints: 1,
  lockWaits: true,
  clock: true,
  skews: [0],
  stores: [{ writes: 'conditional', settlesMs: 0, keepsPrevious: true, ids: 'kept' }],
  refreshes: 0,
  propagationMs: 2 * hour,
  adopts: true,
  deadlines: false,
  fingerprints: false,
};

/** A setting out of all that a service and its stores can declare. */
export function drawSetting(choice: Choice): Setting {
  const strategy = choice.of(['alternating', 'alternating', 'additive', 'additive', 'replacing', 'single'] as const);
  const rotators = choice.of([1, 2, 2, 3]);
  return {
    strategy,
    fence: choice.of(['lock', 'lock', 'exact', 'none']),
    capacity: strategy === 'additive' ? choice.of([0, 2, 2, 3, ...(choice.once(4) ? [1] : [])]) : 1,
    counts: strategy === 'additive' ? !choice.once(12) : choice.once(2),
    sessionsSeen:
      strategy === 'alternating' ? choice.of(['exact', 'exact', 'none']) : choice.of(['marked', 'marked', 'none']),
    kind: choice.once(100) ? 'key-pair' : choice.of(['text', 'text', 'text', 'issued']),
    fleet: choice.of(['shared', 'each']),
    endpoints: choice.of([1, 1, 2, 2, 3]),
    lockWaits: !choice.once(3),
    clock: !choice.once(3),
    skews: Array.from({ length: rotators }, () => (choice.once(2) ? 0 : (choice.below(13) - 6) * hour)),
    stores: Array.from({ length: choice.of([1, 2, 2]) }, () => drawStore(choice)),
    refreshes: choice.of([0, 0, 1, 2]),
    propagationMs: choice.of([2 * hour, 2 * hour, 15 * minute, 0]),
    adopts: !choice.once(5),
    deadlines: choice.once(2),
    fingerprints: choice.once(4),
  };
}

function drawStore(choice: Choice): StoreSetting {
  return {
    writes: choice.of(['conditional', 'conditional', 'checked']),
    settlesMs: choice.of([0, 0, 10 * minute, 5 * hour]),
    keepsPrevious: !choice.once(4),
    ids: choice.of(['kept', 'kept', 'renewed']),
  };
}
