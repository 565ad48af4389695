import type { FastWorld } from '../../../shared/base/world.ts';
import type { LocalRooms } from '../rooms-wire.ts';
import type { Alive } from './alive.ts';
import type { Teller } from './teller.ts';

/** What every chapter of the demo plays on. */
export interface Stage {
  readonly teller: Teller;
  readonly alive: Alive;
  readonly rooms: LocalRooms;
  readonly world: FastWorld;
  /** Where the stores, the configuration and the flow logs are. */
  readonly directory: string;
  readonly signal: AbortSignal;
}
