import type { Entry } from '../entries/codec.ts';
import { LockkeeperError } from '../../base/error.ts';
import type { IndexedEntry } from '../read.ts';
import { tampered } from '../tampered.ts';
import type { TiledLog } from './tiled-log.ts';
import { decodeBundle } from '../tlog/bundle.ts';
import { parseVerifierKey } from '../tlog/note.ts';
import { checkProof, inclusionProof, subtreeReader, type Proof } from '../tlog/proof.ts';
import { bundlePath, tilePath, tileWidth } from '../tlog/tile.ts';

/** An entry, byte for byte, and what proves that it is in the log. */
export interface ProvenEntry {
  readonly entry: Uint8Array;
  readonly proof: Proof;
}

/**
 * Proves the entry at `index` against the log's checkpoint, and checks the proof as its receiver will. Reads one bundle
 * and a tile a level. Errors: `invalid` where the checkpoint does not cover the index or what was read is not what was
 * signed, `conflict` where it is gone.
 */
export async function proveEntry(tiles: TiledLog, index: number): Promise<ProvenEntry> {
  const { checkpoint, verifierKey } = tiles;
  const { size } = checkpoint;
  const hashes = await inclusionProof(
    index,
    size,
    subtreeReader(size, (level, at, width) => tiles.tile(tilePath(level, at, width))),
  );
  const bundle = Math.floor(index / tileWidth);
  const entry = decodeBundle(await tiles.tile(bundlePath(bundle, Math.min(tileWidth, size - bundle * tileWidth))))[
    index % tileWidth
  ];
  if (!entry) throw tampered(`${bundlePath(bundle)} does not hold entry ${index}`);
  const proof = { index, hashes, checkpoint: checkpoint.note };
  checkProof({ proof, entry, keys: [parseVerifierKey(verifierKey)] });
  return { entry, proof };
}

/**
 * The one entry that `name` means: an id, RUN/N, an index, or the first 6 or more digits of an id or leaf hash. An
 * exact name counts before digits that others may share; what is unproven is found by its exact name alone, last. Reads until it is sure. `not-found` where none is meant,
 * `invalid` where several are.
 */
export async function findEntry(entries: AsyncIterable<IndexedEntry>, name: string): Promise<IndexedEntry> {
  const alike: IndexedEntry[] = [];
  let unproven: IndexedEntry | undefined;
  for await (const entry of entries) {
    if (entry.unproven === true) {
      if (isExactly(entry, name)) unproven ??= entry;
      continue;
    }
    if (isExactly(entry, name)) return entry;
    if (/^[0-9a-f]{6,64}$/.test(name) && (entry.hash.startsWith(name) || entry.id.startsWith(name))) alike.push(entry);
  }
  const [found = unproven, ...more] = alike;
  if (found && more.length === 0) return found;
  if (found)
    throw new LockkeeperError(
      'invalid',
      `${alike.length} entries fit ${name}: ${alike.slice(0, mostNamed).map(placeOf).join(', ')}${alike.length > mostNamed ? ', …' : ''}`,
      { hint: 'Give more of the digits, or the index.' },
    );
  throw new LockkeeperError('not-found', `the log has no entry ${JSON.stringify(name)}`, {
    hint: 'Give its index, its id, RUN/N, or at least 6 digits of its hash: `lockkeeper audit show --output json` prints them.',
  });
}

const mostNamed = 5;

function isExactly({ index, id, run, n, hash }: IndexedEntry, name: string): boolean {
  return String(index) === name || id === name || hash === name || `${run}/${n}` === name;
}

function placeOf({ index, run, n }: Pick<IndexedEntry, 'index'> & Pick<Entry, 'run' | 'n'>): string {
  return index === undefined ? `${run}/${n}` : `entry ${index}`;
}
