import { hasCode, LockkeeperError } from '../../base/error.ts';
import type { ObjectStore } from '../../objects/contract.ts';
import { readCheckpoint, readVerifierKey, type SignedCheckpoint } from '../sealing/checkpoints.ts';
import { openTree } from '../sealing/grow.ts';
import { cosignatureKey, verifierKeyKey } from '../layout.ts';
import type { LogPlaces } from '../log-deps.ts';
import { readPublished } from '../sealing/published.ts';
import { tampered } from '../tampered.ts';
import { formatNote, mostSignatures, parseNote, parseVerifierKey, type NoteSignature } from '../tlog/note.ts';
import { decodeCosignature } from '../vouching/witness-line.ts';

/** Any log as plain tlog-tiles, as far as one signed checkpoint goes: what is exported and proven. */
export interface TiledLog {
  /** The key that signed it, as text. */
  readonly verifierKey: string;
  /** The newest that was published, with every cosignature that the log has of it. */
  readonly checkpoint: SignedCheckpoint;
  /**
   * The tile or entry bundle of a log of exactly this size; `conflict` where it is gone. Whether it is the signed one
   * is not checked.
   */
  tile(path: string): Promise<Uint8Array>;
}

/** Where plain tiles have their checkpoint (https://c2sp.org/tlog-tiles). */
export const tilesCheckpoint = 'checkpoint';

/**
 * A log as lockkeeper writes it; `state` saves making the tiles that are not full anew. `verifierKey` is the key that
 * counts, else the one that lies in the log. Errors: `not-found` where nothing was sealed yet, `invalid` where this key
 * did not sign it, `conflict` where the entries are not those that were signed.
 */
export async function tiledLog({ log, state }: LogPlaces, verifierKey?: string): Promise<TiledLog> {
  const published = await readPublished({ log, state });
  if (!published) throw nothingSigned('nothing was sealed yet', 'Run `lockkeeper audit seal`.');
  const key = await keyOf(log, verifierKey);
  const checkpoint = readCheckpoint(await cosigned(log, published), parseVerifierKey(key));
  const partial = new Map(
    (await openTree({ log, state }, checkpoint)).partial().map(({ path, bytes }) => [path, bytes]),
  );
  return { verifierKey: key, checkpoint, tile: async (path) => partial.get(path) ?? (await storedTile(log, path)) };
}

/** A plain tlog-tiles directory; see tiledLog. */
export async function tiledDirectory(store: ObjectStore, verifierKey?: string): Promise<TiledLog> {
  const stored = await store.get(tilesCheckpoint);
  if (!stored) throw nothingSigned('it has no checkpoint', 'Take it from a copy of the log.');
  const key = await keyOf(store, verifierKey);
  const checkpoint = readCheckpoint(Buffer.from(stored.bytes).toString(), parseVerifierKey(key));
  return { verifierKey: key, checkpoint, tile: (path) => storedTile(store, path) };
}

async function keyOf(log: ObjectStore, given: string | undefined): Promise<string> {
  const key = given ?? (await readVerifierKey(log));
  if (key !== undefined) return key;
  throw nothingSigned(`${verifierKeyKey} is gone`, 'Give the key of the log: --key NAME+ID+KEY.');
}

/**
 * The log's own line, then those of its witnesses, published ones first, as many as a note takes. One that does not fit
 * is left out: `verify` tells it.
 */
async function cosigned(
  log: ObjectStore,
  { size, note }: { readonly size: number; readonly note: string },
): Promise<string> {
  const { text, signatures } = parseNote(note);
  const lines = new Map(signatures.map((line) => [`${line.name} ${line.id}`, line]));
  for await (const { key } of log.list(cosignatureKey(size, ''))) {
    if (lines.size >= mostSignatures) break;
    const line = await cosignatureAt(log, key, note);
    if (line && !lines.has(`${line.name} ${line.id}`)) lines.set(`${line.name} ${line.id}`, line);
  }
  return formatNote(text, [...lines.values()]);
}

async function cosignatureAt(log: ObjectStore, key: string, note: string): Promise<NoteSignature | undefined> {
  const stored = await log.get(key);
  try {
    return stored && decodeCosignature(stored.bytes, note).signature;
  } catch (thrown) {
    if (hasCode(thrown, 'invalid') || hasCode(thrown, 'unsupported')) return undefined;
    throw thrown;
  }
}

async function storedTile(log: ObjectStore, path: string): Promise<Uint8Array> {
  const stored = await log.get(path);
  if (stored) return stored.bytes;
  throw tampered(`${path} is gone`);
}

function nothingSigned(why: string, hint: string): LockkeeperError {
  return new LockkeeperError('not-found', `the audit log has no signed tree to show: ${why}`, { hint });
}
