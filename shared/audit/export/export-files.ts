import { sha256 } from '../../base/canonical.ts';
import { verifierKeyKey } from '../layout.ts';
import { bundlePath, parseTilePath, tilePath, tileWidth, type TilePath } from '../tlog/tile.ts';
import type { Finding } from '../verify/finding.ts';
import { beginOf } from '../verify/live-tiles.ts';
import type { VerifiedTiles } from '../verify/verify.ts';
import { tilesCheckpoint } from './tiled-log.ts';

type Problem = Pick<Finding, 'kind' | 'what'>;

/** Tables of an export, as their paths. */
export const csvPath = 'entries.csv';
const parquetPath = /^ocsf\/class_uid=\d{1,9}\/entries\.parquet$/;

const unfinished = 'is left of an export that was not finished: export again';

/**
 * Looks at every file of a directory of plain tiles that is none of the tree of its checkpoint; notes those that no
 * export writes so. Answers which tables are there.
 */
export async function checkExportFiles(verified: VerifiedTiles): Promise<readonly string[]> {
  const tables: string[] = [];
  for await (const { key, oddity } of verified.store.list('')) {
    const isTable = key === csvPath || parquetPath.test(key);
    if (key === '~unfinished') verified.note({ key, kind: 'foreign', what: unfinished });
    else if (oddity !== undefined)
      verified.note({ key, kind: 'unreadable', what: `is ${oddity}, and no file of an export` });
    else if (isTable) tables.push(key);
    else {
      const problem = await problemOf(verified, key);
      if (problem) verified.note({ key, ...problem });
    }
  }
  return tables;
}

async function problemOf(verified: VerifiedTiles, key: string): Promise<Problem | undefined> {
  if (key === tilesCheckpoint || key === verifierKeyKey) return undefined;
  const tile = parseTilePath(key);
  if (tile) return await tileProblem(verified, key, tile);
  const hash = /^evidence\/([0-9a-f]{64})\.json$/.exec(key)?.[1];
  if (hash !== undefined) {
    const stored = await verified.store.get(key);
    // Where an entry rests on it, it was noted.
    if (!stored || sha256(stored.bytes) === hash || verified.isNoted(key)) return undefined;
    return { kind: 'changed', what: 'was changed: it is named after another content' };
  }
  return { kind: 'foreign', what: 'is no file of an export' };
}

/** A tile of the tree was compared with it already; one of an earlier, smaller tree holds the beginning of it. */
async function tileProblem({ store, size }: VerifiedTiles, key: string, tile: TilePath): Promise<Problem | undefined> {
  const held = Math.floor(size / tileWidth ** (tile.kind === 'entries' ? 0 : tile.level)) - tile.index * tileWidth;
  const width = Math.min(tileWidth, held);
  if (tile.width === width) return undefined;
  if (tile.width > held)
    return {
      kind: 'foreign',
      what: 'is no tile of the tree that was signed: an export that was not finished left it, or somebody put it there',
    };
  const path = tile.kind === 'entries' ? bundlePath(tile.index, width) : tilePath(tile.level, tile.index, width);
  const [narrow, wide] = [await store.get(key), await store.get(path)];
  const begin = beginOf(tile, wide?.bytes);
  if (!narrow || !begin || Buffer.compare(narrow.bytes, begin) === 0) return undefined;
  return { kind: 'changed', what: `was changed: it is not the beginning of ${path}` };
}
