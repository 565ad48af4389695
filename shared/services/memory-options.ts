import type { World } from '../base/world.ts';
import type { Fence, ServiceDescription, Slot, Strategy, ValueKind } from './contract.ts';

/** How a service in memory is set up. */
export interface MemoryHostOptions {
  readonly strategy: Strategy;
  readonly slots: readonly Slot[];
  /** The service's own clock; a rotator may have another. */
  readonly world: World;
  /** Names of its endpoints; one called `memory` unless given. */
  readonly endpoints?: readonly string[];
  /**
   * `shared`, the default: changes are made at the first endpoint and the others follow. `each`: they are made at every
   * endpoint.
   */
  readonly fleet?: 'shared' | 'each';
  /** Values a slot holds at once; Infinity for additive, else 1, unless given. */
  readonly capacity?: number;
  /** `lock` unless given. */
  readonly fence?: Fence;
  /** False: whoever finds the lock held gets `conflict` at once. True unless given. */
  readonly lockWaits?: boolean;
  /** `exact` for alternating, else `marked`, unless given. */
  readonly sessionsSeen?: ServiceDescription['sessionsSeen'];
  /** Whether it tells how many values a slot holds; unless given, where that can be more than 1. */
  readonly counts?: boolean;
  /** Whether it tells its time; true unless given. */
  readonly clock?: boolean;
  /** Texts of 32 characters unless given. */
  readonly value?: ValueKind;
  /** Whether logins are encrypted, and promised to be; false unless given. */
  readonly encrypted?: boolean;
}
