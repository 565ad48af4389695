import { findEntry, proveEntry } from '../../shared/audit/export/prove.ts';
import { leafHash } from '../../shared/audit/tlog/merkle.ts';
import { formatProof } from '../../shared/audit/tlog/proof.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import { readableOf, tilesOf, type AuditFiles, type AuditPlace, type AuditDeps } from './audit.ts';
import { exitCode, type ExitCode, type Terminal } from './io.ts';

export interface AuditProveOptions extends AuditPlace {
  /** An index, an entry's id, RUN/N, or the first 6 or more digits of its leaf hash or id. */
  readonly wanted: string;
  /** Where the proof goes; to stdout where it is left out. */
  readonly out?: string | undefined;
  /** Where the entry's exact bytes go. */
  readonly entry?: string | undefined;
  /** The verifier key to trust, NAME+ID+KEY. */
  readonly key?: string | undefined;
}

/**
 * `lockkeeper audit prove ENTRY`: writes a c2sp.org/tlog-proof@v1 for the newest published checkpoint, which whoever
 * holds the entry and the log's key checks without the log. It was checked before it is written; files are never
 * written over others. `not-found` for an entry that waits for its place. JSON: {index, hash, verifierKey, proof}.
 */
export async function auditProveVerb(
  options: AuditProveOptions,
  deps: AuditDeps & AuditFiles,
  terminal: Terminal,
): Promise<ExitCode> {
  const stores = await deps.stores(options);
  const tiles = await tilesOf(stores, options.key);
  const { size, origin } = tiles.checkpoint;
  const index = isIndex(options.wanted, size)
    ? Number(options.wanted)
    : (await findEntry(readableOf(stores), options.wanted)).index;
  if (index === undefined || index >= size) {
    throw new LockkeeperError(
      'not-found',
      `there is no proof of ${options.wanted} yet: it waits for its place in the signed tree`,
      { hint: 'Run `lockkeeper audit seal`, then ask again.' },
    );
  }
  const { entry, proof } = await proveEntry(tiles, index);
  const text = formatProof(proof);
  if (options.entry !== undefined) await deps.create(options.entry, entry);
  if (options.out !== undefined) await deps.create(options.out, Buffer.from(text));
  const hash = Buffer.from(leafHash(entry)).toString('hex');
  if (terminal.json) terminal.out(JSON.stringify({ index, hash, verifierKey: tiles.verifierKey, proof: text }));
  else if (options.out === undefined) terminal.out(text.trimEnd());
  else terminal.out(`${options.out}: entry ${index} is in ${origin} as of ${size} entries`);
  return exitCode.done;
}

/** Digits that are an index of the log mean it, whatever hash they begin. */
function isIndex(name: string, size: number): boolean {
  return /^(0|[1-9]\d{0,15})$/.test(name) && Number(name) < size;
}
