import { day, hour } from '../../../shared/base/time.ts';
import type { MemoryHostOptions } from '../../../shared/services/memory-options.ts';
import type { MemoryVaultOptions } from '../../../shared/secrets/memory.ts';

/** What a person or the surroundings may do at any point. */
export type Act =
  | 'reset-user'
  | 'restore-service'
  | 'change-by-hand'
  | 'garbage'
  | 'roll-back'
  | 'lose-pending'
  | 'lose-journal'
  | 'emergency'
  | 'force'
  | 'silence-endpoint'
  | 'lag-endpoint'
  | 'store-down'
  | 'state-down'
  | 'open-session'
  | 'policy';

/** How a call of a rotator can go wrong, and that its host can die. */
export type Fault = 'failed' | 'lost-applied' | 'lost-not-applied' | 'crash' | 'rejected' | 'lock-lost' | 'no-intent';

/** A promise that the drivers of a setup cannot keep by themselves: it is found and told, or healed, by a quiet run. */
export type Weaker = 'what is handed out logs in' | 'what was handed out within the window logs in';

/** One configuration of the world, and what may happen in it. */
export interface Setup {
  readonly name: string;
  readonly service: Pick<
    MemoryHostOptions,
    'strategy' | 'endpoints' | 'fleet' | 'capacity' | 'fence' | 'sessionsSeen' | 'lockWaits'
  >;
  readonly stores: readonly Pick<MemoryVaultOptions, 'writes' | 'settlesMs' | 'keepsPrevious' | 'ids'>[];
  /** How far the clocks of the rotators' hosts are ahead of the true time, in milliseconds. */
  readonly clocks: readonly number[];
  /** False: the service tells no time. */
  readonly serviceClock: boolean;
  readonly acts: readonly Act[];
  readonly faults: readonly Fault[];
  /** True: a second rotator may begin at any point. */
  readonly secondRotator: boolean;
  /** True: time may pass while a run is under way; the schedule goes on without it. */
  readonly pauses: boolean;
  /** True: an emergency may be ordered while a run is under way. */
  readonly racingEmergency: boolean;
  /** Somebody to tell to read again. */
  readonly refresh: boolean;
  readonly weaker: readonly Weaker[];
  /** Moves of the adversary on one path. */
  readonly moves: number;
}

/** How long a consumer goes on with what it read. */
export const propagationMs = 2 * hour;

export const everyMs = 30 * day;

/** The name of the credential. */
export const credential = 'app-db';

/** The secret that every store of the model holds. */
export const secret = 'app-db';

export const allFaults: readonly Fault[] = [
  'failed',
  'lost-applied',
  'lost-not-applied',
  'crash',
  'rejected',
  'no-intent',
];

export const allActs: readonly Act[] = [
  'reset-user',
  'restore-service',
  'change-by-hand',
  'garbage',
  'roll-back',
  'lose-pending',
  'lose-journal',
  'emergency',
  'force',
];

/** The users of a service of this strategy. */
export function slotsOf({ service }: Pick<Setup, 'service'>): readonly string[] {
  return service.strategy === 'alternating' ? ['app_a', 'app_b'] : ['app_a'];
}

/** The names of the setup's stores. */
export function storesOf({ stores }: Pick<Setup, 'stores'>): readonly string[] {
  return ['one', 'two', 'three'].slice(0, stores.length);
}
