import { z } from 'zod';
import { canonicalJson, sha256 } from '../../base/canonical.ts';
import { hasCode, LockkeeperError } from '../../base/error.ts';
import type { ObjectStore } from '../../objects/contract.ts';
import { inboxPrefix, sequenceKey } from '../layout.ts';
import { tampered } from '../tampered.ts';

/** One batch of the inbox in its place. */
export interface SequencedBatch {
  readonly key: string;
  /** SHA-256 of the object's bytes, hex. */
  readonly hash: string;
  /** How many entries it holds. */
  readonly count: number;
}

/**
 * Which batches come next in the log. Every member follows from the inbox and the record before: no byte of it is free.
 */
export interface SequenceRecord {
  /** Index of the first entry. */
  readonly first: number;
  /** SHA-256 of the record before, hex; zeros for the first. */
  readonly previous: string;
  readonly batches: readonly SequencedBatch[];
}

/** A record as it is stored. */
export interface StoredSequence extends SequenceRecord {
  /** SHA-256 of its bytes, hex: the next record's `previous`. */
  readonly hash: string;
}

/** What the first record has for the hash of the one before. */
export const noSequence = '0'.repeat(64);

/** Index of the first entry after the record. */
export function endOf({ first, batches }: SequenceRecord): number {
  return batches.reduce((sum, { count }) => sum + count, first);
}

/** The stored form: canonical JSON, keys without the inbox's prefix, and a sum that covers every other byte. */
export function encodeSequence({ first, previous, batches }: SequenceRecord): Uint8Array {
  const listed = batches.map(({ key, hash, count }) => [key.slice(inboxPrefix.length), hash, count]);
  const open = { form, first, previous, batches: listed };
  return Uint8Array.from(Buffer.from(canonicalJson({ ...open, sum: sha256(canonicalJson(open)) })));
}

/** The record that the bytes hold; `invalid` unless every byte is what encodeSequence would have written. */
export function decodeSequence(bytes: Uint8Array): StoredSequence {
  const parsed = schema.safeParse(parse(bytes));
  if (!parsed.success) throw damaged('it does not have the form of a sequence record');
  const { first, previous, batches } = parsed.data;
  const record = {
    first,
    previous,
    batches: batches.map(([name, hash, count]) => ({ key: `${inboxPrefix}${name}`, hash, count })),
  };
  if (Buffer.compare(encodeSequence(record), bytes) !== 0) throw damaged('it is not what was written');
  return { ...record, hash: sha256(bytes) };
}

/** The record whose first entry has this index, or undefined; `conflict` where it was changed. */
export async function readSequence(log: ObjectStore, first: number): Promise<StoredSequence | undefined> {
  const key = sequenceKey(first);
  const stored = await log.get(key);
  const record = stored && decodeStored(key, stored.bytes);
  if (record && record.first !== first) throw tampered(`${key} holds the record of entry ${record.first}`);
  return record;
}

function decodeStored(key: string, bytes: Uint8Array): StoredSequence {
  try {
    return decodeSequence(bytes);
  } catch (cause) {
    if (!hasCode(cause, 'invalid')) throw cause;
    throw tampered(`${key} was changed`, cause);
  }
}

/**
 * The records from the one that begins at `first` on, in order; `conflict` where one does not follow the one before.
 */
export async function* sequencesFrom(log: ObjectStore, first: number): AsyncGenerator<StoredSequence> {
  let before: StoredSequence | undefined;
  for (let next = await readSequence(log, first); next; next = await readSequence(log, endOf(next))) {
    if (before && next.previous !== before.hash)
      throw tampered(`${sequenceKey(next.first)} does not follow the record before it`);
    yield next;
    before = next;
  }
}

const form = 'lockkeeper.sequence/1';
const hexHash = z.string().regex(/^[0-9a-f]{64}$/);
const schema = z.strictObject({
  form: z.literal(form),
  first: z.number().int().nonnegative(),
  previous: hexHash,
  batches: z.array(z.tuple([z.string(), hexHash, z.number().int().positive()])).min(1),
  sum: hexHash,
});

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch (cause) {
    throw damaged('it is not JSON', cause);
  }
}

function damaged(why: string, cause?: unknown): LockkeeperError {
  return new LockkeeperError('invalid', `a sequence record was changed: ${why}`, {
    cause,
    hint: 'Run `lockkeeper audit verify`: it names everything that was changed.',
  });
}
