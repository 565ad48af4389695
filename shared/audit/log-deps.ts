import type { World } from '../base/world.ts';
import type { ObjectStore } from '../objects/contract.ts';
import type { Signer } from '../signers/contract.ts';
import type { LogWriter } from './writer-key.ts';

/** Somebody independent who puts a cosignature to checkpoints that only ever grow (C2SP tlog-witness). */
export interface Witness {
  /** The witness's verifier key, as text. */
  readonly key: string;
  /** Where it takes checkpoints: `add-checkpoint` is put to it. */
  readonly url: string;
  /** How long it may take for one answer; 10 s if left out. */
  readonly waitMs?: number;
}

/** A store in another cloud that gets a copy of every checkpoint. */
export interface Anchor {
  /** For people. */
  readonly name: string;
  readonly store: ObjectStore;
}

/** Where one log lies, to be read. */
export interface LogPlaces {
  readonly log: ObjectStore;
  /** Without it the log is read as far as the log store alone tells. */
  readonly state?: ObjectStore | undefined;
}

/** Who writes the log of these: its key and its name. Throws what the key's file throws. */
export async function writerOf({ writerKey, origin }: Pick<LogDeps, 'writerKey' | 'origin'>): Promise<LogWriter> {
  return { key: await writerKey(), origin };
}

/** Everything that one log works with. */
export interface LogDeps {
  /** Create-only; under retention where the store has it. */
  readonly log: ObjectStore;
  readonly state: ObjectStore;
  readonly world: World;
  /** The log's name for ever: a schemeless URL prefix, as tlog-checkpoint wants it. */
  readonly origin: string;
  readonly signer: Signer;
  /** The key of the proofs that batches carry: 32 bytes, the same for all who write to this log. */
  readonly writerKey: () => Promise<Uint8Array>;
  readonly witnesses?: readonly Witness[];
  /** How many of them must cosign before a checkpoint counts as witnessed; all if left out. */
  readonly needed?: number;
  readonly anchors?: readonly Anchor[];
}

/** What the log of one run takes. */
export interface AuditLogOptions extends LogDeps {
  /** Names the run in its entries; a random end makes it unique. */
  readonly run: string;
  /** The version of the tool, for the run's first entry. */
  readonly version?: string | undefined;
}
