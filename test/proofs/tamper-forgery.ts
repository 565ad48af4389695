import { sha256 } from '../../shared/base/canonical.ts';
import { checkpointOf } from '../../shared/audit/sealing/checkpoints.ts';
import { GrowingTree, growTo } from '../../shared/audit/sealing/grow.ts';
import { checkpointKey, partialPrefix, publishedKey, sequenceKey, verifierKeyKey } from '../../shared/audit/layout.ts';
import {
  decodeSequence,
  encodeSequence,
  endOf,
  noSequence,
  type SequencedBatch,
} from '../../shared/audit/sealing/sequence.ts';
import { decodeBatch } from '../../shared/audit/sealing/batch.ts';
import { parseVerifierKey, verifierKey } from '../../shared/audit/tlog/note.ts';
import type { MemoryBucket } from '../../shared/objects/memory.ts';
import type { Signer } from '../../shared/signers/contract.ts';
import type { LongLog } from '../audit/long-log.ts';
import { identity, stored, tamper } from '../audit/place.ts';

/** The batches of every sequence record, in order. */
export function recordsOf({ bucket }: LongLog): readonly (readonly SequencedBatch[])[] {
  const records = keysIn(bucket, 'seq/').map((key) => decodeSequence(stored(bucket, key)));
  return records.toSorted((a, b) => a.first - b.first).map(({ batches }) => batches);
}

/** Keys of a bucket that begin so. */
export function keysIn({ objects }: MemoryBucket, prefix: string): readonly string[] {
  return [...objects.keys()].filter((key) => key.startsWith(prefix)).toSorted();
}

/**
 * Writes the sequence anew from what lies in the inbox by now, each record fit to the one before: what anybody can do
 * who may write.
 */
export function resequence({ bucket }: LongLog, records: readonly (readonly SequencedBatch[])[]): void {
  for (const key of keysIn(bucket, 'seq/')) bucket.objects.delete(key);
  let [first, previous] = [0, noSequence];
  for (const listed of records) {
    const batches = listed.map(({ key }) => ({
      key,
      hash: sha256(stored(bucket, key)),
      count: decodeBatch(stored(bucket, key)).entries.length,
    }));
    const bytes = encodeSequence({ first, previous, batches });
    tamper(bucket, sequenceKey(first), bytes);
    [first, previous] = [endOf({ first, previous, batches }), sha256(bytes)];
  }
}

/** Makes every bundle and tile anew; signs nothing. */
export async function rederive(at: LongLog): Promise<void> {
  forgetTiles(at);
  await growTo(
    at,
    new GrowingTree(),
    recordsOf(at)
      .flat()
      .reduce((sum, { count }) => sum + count, 0),
  );
}

/**
 * Makes every bundle and tile anew, signs a checkpoint at the end of each record with this key, and shows readers the
 * last.
 */
export async function resign(at: LongLog, signer: Signer = identity.signer): Promise<void> {
  forgetTiles(at);
  for (const key of keysIn(at.bucket, 'cp/')) at.bucket.objects.delete(key);
  const key = verifierKey(identity.origin, await signer.publicKey());
  tamper(at.bucket, verifierKeyKey, Buffer.from(`${key}\n`));
  const tree = new GrowingTree();
  for (const batches of recordsOf(at)) {
    await growTo(at, tree, tree.size + batches.reduce((sum, { count }) => sum + count, 0));
    const { note } = await checkpointOf({ ...at, signer }, parseVerifierKey(key), tree);
    tamper(at.heads, publishedKey, Buffer.from(note));
  }
}

/**
 * Cuts the last `count` records off, with all that follows from them, in both stores: what whoever rules both can do
 * without the key.
 */
export async function truncate(
  at: LongLog,
  count: number,
  keep: (key: string) => boolean = () => false,
): Promise<void> {
  const records = recordsOf(at);
  const cut = records.slice(-count).flat();
  for (const { key } of cut) if (!keep(key)) at.bucket.objects.delete(key);
  resequence(at, records.slice(0, -count));
  const size = records
    .slice(0, -count)
    .flat()
    .reduce((sum, one) => sum + one.count, 0);
  for (const key of [...keysIn(at.bucket, 'cp/'), ...keysIn(at.bucket, 'cosig/')])
    if (Number(key.split('/')[1]) > size) at.bucket.objects.delete(key);
  tamper(at.heads, publishedKey, stored(at.bucket, checkpointKey(size)));
  await rederive(at);
}

function forgetTiles({ bucket, heads }: LongLog): void {
  for (const key of keysIn(bucket, 'tile/')) bucket.objects.delete(key);
  for (const key of keysIn(heads, partialPrefix)) heads.objects.delete(key);
}
