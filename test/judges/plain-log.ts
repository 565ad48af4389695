import { createHash, createPrivateKey, sign, type KeyObject } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { rawEd25519 } from '../../shared/base/ed25519.ts';
import { encodeBundle } from '../../shared/audit/tlog/bundle.ts';
import { formatCheckpoint } from '../../shared/audit/tlog/checkpoint.ts';
import { leafHash, RightEdge, treeRoot, type Hash } from '../../shared/audit/tlog/merkle.ts';
import { formatNote, keyId, verifierKey } from '../../shared/audit/tlog/note.ts';
import { bundlePath, tilePath, tilesOf, tileWidth } from '../../shared/audit/tlog/tile.ts';

/** The origin of the logs that judges are shown. */
export const origin = 'example.com/lockkeeper';

/** A key for tests: the same name gives the same key. */
export function namedKey(name: string): KeyObject {
  const seed = createHash('sha256').update(name).digest();
  return createPrivateKey({
    key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]),
    format: 'der',
    type: 'pkcs8',
  });
}

/** The key of those logs, and its one line for auditors. */
export const logKey = namedKey(origin);
export const logVkey = verifierKey(origin, rawEd25519(logKey));

/**
 * The entries of the published vectors: what a log of `size` of them holds, and its roots, are known from elsewhere.
 */
export function vectorEntries(size: number): readonly Uint8Array[] {
  return Array.from({ length: size }, (_, i) =>
    Buffer.from(JSON.stringify({ i, action: 'rotate', t: 1_700_000_000 + i })),
  );
}

/** Roots of logs of vectorEntries, as golang.org/x/mod, Tessera and litewitness took them. */
export const vectorRoots: Readonly<Record<number, string>> = {
  1: '51qoly1yw7ctBukohSEX+A+6TpVlllwZjq8Wt9RSmlA=',
  255: '+fb+qbBR/kZUOGv32HOZaeqlNUrY783iRTxiMMXujFo=',
  256: 'vQD5xMvVwIc0Ryr2IIOa1CtXnibfx9WbSIsulAo8VFA=',
  257: 'DvAQwVNlBYcdWm6aA2g0z/e3iCBZK1ZV6NgnH/fDyFw=',
  70_000: 'C9vXFNN55laWr1YXlGQtz8rqfO8QUe+SLjeoAur9//I=',
};

/** A signed checkpoint of these logs. */
export function signedCheckpoint(size: number, root: Hash, key: KeyObject = logKey): string {
  const text = formatCheckpoint({ origin, size, root, extensions: [] });
  const bytes = sign(null, Buffer.from(text), key);
  return formatNote(text, [{ name: origin, id: keyId(origin, 0x01, rawEd25519(key)), bytes }]);
}

/** The root over these entries. */
export function rootOf(entries: readonly Uint8Array[]): Hash {
  const edge = new RightEdge();
  for (const entry of entries) edge.append(leafHash(entry));
  return edge.root();
}

/** Writes a tlog-tiles directory of these entries with nothing but the tree's own code: no store, no inbox. */
export async function writePlainLog(directory: string, entries: readonly Uint8Array[]): Promise<void> {
  const rows: Hash[][] = [entries.map((entry) => leafHash(entry))];
  for (const { level, index, width } of tilesOf(entries.length)) {
    const [from, to] = [index * tileWidth, index * tileWidth + width];
    const hashes = (rows[level] ?? []).slice(from, to);
    await put(join(directory, tilePath(level, index, width)), Buffer.concat(hashes));
    if (level === 0) await put(join(directory, bundlePath(index, width)), encodeBundle(entries.slice(from, to)));
    if (width === tileWidth) (rows[level + 1] ??= []).push(treeRoot(hashes));
  }
  await put(join(directory, 'checkpoint'), signedCheckpoint(entries.length, rootOf(entries)));
}

async function put(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}
