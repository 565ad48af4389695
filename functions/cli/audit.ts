import type { AnchorToCheck } from '../../shared/audit/verify/anchor-check.ts';
import type { WitnessPolicy } from '../../shared/audit/verify/witness-check.ts';
import { readEntries, tilesEntries, type IndexedEntry, type UnreadableEntry } from '../../shared/audit/read.ts';
import type { Refused } from '../../shared/audit/sealing/waiting.ts';
import type { LogWriter } from '../../shared/audit/writer-key.ts';
import { tiledDirectory, tiledLog, type TiledLog } from '../../shared/audit/export/tiled-log.ts';
import type { ObjectHistory, ObjectStore } from '../../shared/objects/contract.ts';

/** The stores of one log, to read from. */
export interface AuditStores {
  readonly log: ObjectStore;
  /** Undefined where none was found: then nobody can tell whether entries were cut off the end. */
  readonly state: ObjectStore | undefined;
  /** What the log store remembers of its past; undefined where it keeps none. */
  readonly history: ObjectHistory | undefined;
  /** Where the log is, for people. */
  readonly where: string;
  /** Where the state store is; undefined where there is none. */
  readonly stateWhere?: string | undefined;
  /**
   * `log`: as lockkeeper writes it. `tiles`: a plain tlog-tiles directory, as `audit export` or any other log made it.
   */
  readonly kind: 'log' | 'tiles';
  /** The public key to trust, as the configuration has it; undefined: the one that came with the log. */
  readonly verifyWith: string | undefined;
  /** Stores that have copies of the checkpoints. */
  readonly anchors: readonly AnchorToCheck[];
  /** Whose cosignatures count, as the configuration has it; undefined: nobody's are looked for. */
  readonly trustedWitnesses?: WitnessPolicy | undefined;
  /** Whose proofs count, of what is not signed yet; undefined where its key is not at hand. */
  readonly writer?: LogWriter | undefined;
}

/** Which log is meant; the configured one where nothing is said. */
export interface AuditPlace {
  /** A directory: one that holds `log` and `state`, a log alone, or plain tlog-tiles. */
  readonly dir?: string | undefined;
  /**
   * A log in a cloud: s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, https://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX.
   */
  readonly store?: string | undefined;
  /** The state store that belongs to `store`, written the same way. */
  readonly state?: string | undefined;
  /** The file with the key of the writer's proofs, instead of the configured one. */
  readonly writerKey?: string | undefined;
}

/** What the wiring provides. */
export interface AuditDeps {
  /** The stores of `place`, to read from. `not-found` where no log is there, `invalid` where two places are named. */
  stores(place: AuditPlace): Promise<AuditStores>;
  /** The text of a file that a person named; `not-found` where there is none. */
  text(path: string): Promise<string>;
}

/** Files that a person names. */
export interface AuditFiles {
  /** `not-found` where there is none. */
  bytes(path: string): Promise<Uint8Array>;
  /** Makes a file; `conflict` where another one is there, for it may be evidence. The same bytes again are fine. */
  create(path: string, bytes: Uint8Array): Promise<void>;
}

/** What stands in a log of either kind, in its order; what is left out is told to `refused`. */
export function allEntriesOf(
  { kind, log, state, writer }: AuditStores,
  refused?: (one: Refused) => void,
): AsyncGenerator<IndexedEntry | UnreadableEntry> {
  return kind === 'tiles' ? tilesEntries(log) : readEntries({ log, state, writer, ...(refused && { refused }) });
}

/** Those of them that can be read. */
export async function* readableOf(stores: AuditStores): AsyncGenerator<IndexedEntry> {
  for await (const entry of allEntriesOf(stores)) if (!('unreadable' in entry)) yield entry;
}

/** Those that can be read, and that the key or a signature vouches for. */
export async function* entriesOf(stores: AuditStores): AsyncGenerator<IndexedEntry> {
  for await (const entry of readableOf(stores)) if (entry.unproven !== true) yield entry;
}

/**
 * A log of either kind as plain tiles, up to its newest checkpoint; `key` counts before the configured one. Errors: see
 * tiledLog.
 */
export async function tilesOf(
  { kind, log, state, verifyWith }: AuditStores,
  key: string | undefined,
): Promise<TiledLog> {
  return kind === 'tiles'
    ? await tiledDirectory(log, key ?? verifyWith)
    : await tiledLog({ log, state }, key ?? verifyWith);
}

/** How many acknowledged entries are not among the first `size`, which a checkpoint covers. */
export async function unsealed({ kind, ...stores }: AuditStores, size: number): Promise<number> {
  let count = 0;
  if (kind === 'log') for await (const _ of readEntries({ ...stores, from: size })) count += 1;
  return count;
}
