import { sha256 } from '../../base/canonical.ts';
import { LockkeeperError } from '../../base/error.ts';
import type { ObjectStore } from '../../objects/contract.ts';
import type { SignedCheckpoint } from '../sealing/checkpoints.ts';
import { tilePrefix } from '../layout.ts';
import { tampered } from '../tampered.ts';
import { tilesCheckpoint, type TiledLog } from './tiled-log.ts';
import { bundlePath, eachNewTile, parseTilePath, tilePath, tileWidth } from '../tlog/tile.ts';
import { ahead } from '../verify/ahead.ts';
import { verifyTiles } from '../verify/verify.ts';
import type { ExportFolder } from './folder.ts';

export interface TilesToExport {
  readonly tiles: TiledLog;
  readonly log: ObjectStore;
  readonly folder: ExportFolder;
  /** What the folder has already. */
  readonly earlier: SignedCheckpoint | undefined;
  readonly threads?: number;
}

/**
 * Copies what the earlier export has not, and verifies it where it lies now. What an export that died has left is not
 * copied again: its files are whole, and verified with the others. Tells which folders there are. `conflict` where
 * anything is not what was signed.
 */
export async function exportTiles(options: TilesToExport): Promise<readonly string[]> {
  const { tiles, log, folder, earlier } = options;
  const there = await pathsIn(folder, tilePrefix);
  await inGroups(newPaths(earlier?.size ?? 0, tiles.checkpoint.size), async (path) => {
    if (!there.has(path)) await folder.put(path, await tiles.tile(path));
  });
  const evidence = await exportEvidence(log, folder);
  await expectSigned(options);
  return evidence > 0 ? [tilePrefix, evidencePrefix] : [tilePrefix];
}

function* newPaths(from: number, to: number): Generator<string> {
  for (const { level, index, width } of eachNewTile(from, to)) {
    yield tilePath(level, index, width);
    if (level === 0) yield bundlePath(index, width);
  }
}

/**
 * Deletes tiles of earlier exports that were not full: those of the same place hold all that they held. Wider ones are
 * of an export that began since.
 */
export async function sweepTiles(folder: ExportFolder, size: number): Promise<void> {
  for (const path of await pathsIn(folder, tilePrefix)) {
    const tile = parseTilePath(path);
    if (!tile || tile.width === tileWidth) continue;
    const held = Math.floor(size / tileWidth ** (tile.kind === 'entries' ? 0 : tile.level));
    if (tile.index * tileWidth + tile.width < held) await folder.remove(path);
  }
}

/**
 * Tells how many there are. An object named after its content that has another one is no evidence of anything:
 * `conflict`.
 */
async function exportEvidence(log: ObjectStore, folder: ExportFolder): Promise<number> {
  const [there, paths] = [
    await pathsIn(folder, evidencePrefix),
    [...(await pathsIn({ objects: log }, evidencePrefix))],
  ];
  await inGroups(paths, async (path) => {
    if (there.has(path)) return;
    const stored = await log.get(path);
    if (!stored || path !== `${evidencePrefix}${sha256(stored.bytes)}.json`)
      throw tampered(`${path} ${stored ? 'was changed' : 'is gone'}`);
    await folder.put(path, stored.bytes);
  });
  return paths.length;
}

const evidencePrefix = 'evidence/';

/** Reads back what was written; what the earlier export was verified with is not read again. */
async function expectSigned({ tiles, log, folder, earlier, threads }: TilesToExport): Promise<void> {
  const { checkpoint, verifierKey } = tiles;
  const held = { bytes: Buffer.from(checkpoint.note), version: '' };
  const store: ObjectStore = {
    ...log,
    get: async (path) => (path === tilesCheckpoint ? held : await folder.objects.get(path)),
  };
  const report = await verifyTiles({
    store,
    verifierKey,
    since: earlier?.note,
    ...(threads === undefined ? {} : { threads }),
  });
  const [first] = report.findings;
  if (!first) return;
  const place = first.index === undefined ? first.key : `${first.key} (entry ${first.index})`;
  throw new LockkeeperError(
    'conflict',
    `the export in ${folder.where} is not what was signed: ${place} ${first.what}${report.found > 1 ? `, and ${report.found - 1} more` : ''}`,
    {
      hint: 'Run `lockkeeper audit verify`. If it finds nothing, the files of the export were changed: export to an empty directory.',
    },
  );
}

async function pathsIn({ objects }: Pick<ExportFolder, 'objects'>, prefix: string): Promise<ReadonlySet<string>> {
  const paths = new Set<string>();
  for await (const { key } of objects.list(prefix)) paths.add(key);
  return paths;
}

const atOnce = 16;

async function inGroups(paths: Iterable<string>, work: (path: string) => Promise<void>): Promise<void> {
  for await (const _ of ahead(paths, work, atOnce));
}
