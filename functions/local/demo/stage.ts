import type { FastWorld } from '../../../shared/base/world.ts';
import type { OpenPage } from '../page-wire.ts';
import type { LocalDeps } from '../deps-wire.ts';
import type { Alive } from './alive.ts';
import type { Teller } from './teller.ts';

/** What every chapter of the demo plays on. */
export interface Stage {
  readonly teller: Teller;
  readonly alive: Alive;
  readonly deps: LocalDeps;
  readonly page: OpenPage;
  /** The clock of gates and clients; stories live in real time. */
  readonly world: FastWorld;
  /** Where the stores, the configuration and the flow logs are. */
  readonly directory: string;
  /** Who approves in this demo. */
  readonly approver: string;
  /** True: no person is there, and the page's forms are sent by the demo. */
  readonly isScript: boolean;
  readonly signal: AbortSignal;
}

/** The openings that the story is about, by what happened at them. */
export const openings = {
  used: 'aws-orders-api',
  silent: 'aws-legacy-ftp',
  scanned: 'aws-old-admin',
  gap: 'aws-metrics',
} as const;
