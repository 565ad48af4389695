import { publishedKey, partialPrefix } from '../../shared/audit/layout.ts';
import { parseCheckpoint } from '../../shared/audit/tlog/checkpoint.ts';
import { parseNote } from '../../shared/audit/tlog/note.ts';
import { bundlePath, parseTilePath, tilePath, tilesOf, tileWidth } from '../../shared/audit/tlog/tile.ts';
import type { VerifyReport } from '../../shared/audit/verify/report.ts';
import { verifyLog, type VerifyLogOptions } from '../../shared/audit/verify/verify.ts';
import type { MemoryBucket } from '../../shared/objects/memory.ts';
import type { LongLog } from '../audit/long-log.ts';
import { stored, tamper } from '../audit/place.ts';

/** An object of the log, or one that its state store publishes. */
export interface Target {
  readonly bucket: MemoryBucket;
  readonly key: string;
  /** What stands before the first slash of its key; for tiles also the level, and whether it is partial. */
  readonly kind: string;
  readonly bytes: Uint8Array;
}

/** Everything in the log store, the published checkpoint, and the partial tiles of its size. */
export function targetsOf({ bucket, heads }: LongLog): readonly Target[] {
  const { size } = parseCheckpoint(parseNote(stored(heads, publishedKey)).text);
  const partial = tilesOf(size)
    .filter(({ width }) => width < tileWidth)
    .flatMap(({ level, index, width }) => [
      tilePath(level, index, width),
      ...(level === 0 ? [bundlePath(index, width)] : []),
    ]);
  const published = [publishedKey, ...partial.map((path) => `${partialPrefix}${path}`)];
  const inLog = [...bucket.objects.keys()].map((key) => targetAt(bucket, key));
  return [...inLog, ...published.map((key) => targetAt(heads, key))];
}

function targetAt(bucket: MemoryBucket, key: string): Target {
  return { bucket, key, kind: kindOf(key), bytes: stored(bucket, key) };
}

function kindOf(key: string): string {
  const tile = parseTilePath(key.replace(partialPrefix, ''));
  if (!tile) return key === publishedKey ? 'published' : (key.split('/')[0] ?? key);
  const what = tile.kind === 'entries' ? 'entries' : `tile-${tile.level}`;
  return tile.width < tileWidth ? `partial-${what}` : what;
}

/** A whole verification with everything that an auditor can give: the key, the witness, the anchor. */
export async function verifyWhole(at: LongLog, more: Partial<VerifyLogOptions> = {}): Promise<VerifyReport> {
  const trustedWitnesses = { keys: [at.witnessKey], needed: 1 };
  return await verifyLog({
    log: at.log,
    state: at.state,
    anchors: at.anchors ?? [],
    verifierKey: at.verifierKey,
    trustedWitnesses,
    ...more,
  });
}

/** What `look` sees while objects hold other bytes; afterwards they hold their own. */
export async function whileChanged<T>(
  changes: readonly { readonly target: Target; readonly bytes: Uint8Array }[],
  look: () => Promise<T>,
): Promise<T> {
  for (const { target, bytes } of changes) tamper(target.bucket, target.key, bytes);
  try {
    return await look();
  } finally {
    for (const { target } of changes) tamper(target.bucket, target.key, target.bytes);
  }
}

/** What `look` sees of a log of which anything may be changed; afterwards it is as it was. */
export async function onACopy<T>(at: LongLog, look: () => Promise<T>): Promise<T> {
  const buckets = [at.bucket, at.heads, at.anchored];
  const before = buckets.map(({ objects }) => new Map(objects));
  try {
    return await look();
  } finally {
    for (const [index, { objects }] of buckets.entries()) {
      objects.clear();
      for (const [key, object] of before[index] ?? []) objects.set(key, object);
    }
  }
}

/** The bytes with one bit the other way. */
export function flipped(bytes: Uint8Array, at: number, bit: number): Uint8Array {
  return bytes.with(at, (bytes[at] ?? 0) ^ (1 << bit));
}
