import { LockkeeperError } from '../../base/error.ts';
import { readCheckpoint, type SignedCheckpoint } from '../sealing/checkpoints.ts';
import { verifierKeyKey } from '../layout.ts';
import { tilesCheckpoint, type TiledLog } from './tiled-log.ts';
import { verifyConsistency } from '../tlog/merkle.ts';
import { parseVerifierKey } from '../tlog/note.ts';
import { consistencyProof, subtreeReader } from '../tlog/proof.ts';
import { tilePath } from '../tlog/tile.ts';
import type { ExportFolder } from './folder.ts';

/** All that an export has at its top. A log store has more, so it is never taken for one. */
const ownNames = new Set([tilesCheckpoint, verifierKeyKey, 'tile', 'evidence', 'ocsf', 'entries.csv']);

/**
 * The checkpoint of the export that is in the folder; undefined for an empty folder and for an export that died before
 * its end.
 * `invalid` where anything else is there, `conflict` where the log does not go on from that export.
 */
export async function earlierExport(tiles: TiledLog, folder: ExportFolder): Promise<SignedCheckpoint | undefined> {
  const names = await folder.names();
  if (names.length === 0) return undefined;
  const stranger = names.find((name) => !ownNames.has(name));
  if (stranger !== undefined) throw noExport(folder, `${JSON.stringify(stranger)} is in it, which no export has`);
  const key = await textOf(folder, verifierKeyKey);
  if (key === undefined)
    throw noExport(folder, `it is not empty, and has no ${verifierKeyKey} that says of which log it is`);
  if (key.trimEnd() !== tiles.verifierKey)
    throw noExport(folder, `it is of the log ${key.trimEnd()}, and this one is ${tiles.verifierKey}`);
  const note = await textOf(folder, tilesCheckpoint);
  if (note === undefined) return undefined;
  const earlier = readCheckpoint(note, parseVerifierKey(tiles.verifierKey));
  await expectGrown(earlier, tiles);
  return earlier;
}

/** Nothing may be added to an export of a log that was cut off or written anew since: it is the evidence of that. */
async function expectGrown(earlier: SignedCheckpoint, tiles: TiledLog): Promise<void> {
  const { checkpoint } = tiles;
  const [oldSize, newSize] = [earlier.size, checkpoint.size];
  if (oldSize > newSize)
    throw shrunk(
      `it was exported with ${oldSize} entries, and has ${newSize} now: it was cut off, or this is an older copy`,
    );
  const proof = await consistencyProof(
    oldSize,
    newSize,
    subtreeReader(newSize, (level, index, width) => tiles.tile(tilePath(level, index, width))),
  );
  if (verifyConsistency({ oldSize, newSize, proof, oldRoot: earlier.root, newRoot: checkpoint.root })) return;
  throw shrunk(`it was exported with ${oldSize} entries, and its ${newSize} entries do not begin with those`);
}

async function textOf(folder: ExportFolder, path: string): Promise<string | undefined> {
  const stored = await folder.objects.get(path);
  return stored && Buffer.from(stored.bytes).toString();
}

function noExport({ where }: ExportFolder, why: string): LockkeeperError {
  return new LockkeeperError('invalid', `nothing is exported to ${where}: ${why}`, {
    hint: 'Name an empty directory, or an export of this log, which is added to.',
  });
}

function shrunk(why: string): LockkeeperError {
  return new LockkeeperError('conflict', `the log does not go on from its export: ${why}`, {
    hint: 'Keep that export: it is evidence. Run `lockkeeper audit verify --since` with its checkpoint.',
  });
}
