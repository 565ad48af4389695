import { z } from 'zod';
import { canonicalJson, sha256 } from '../../base/canonical.ts';
import { hasCode, LockkeeperError } from '../../base/error.ts';
import type { ObjectStore } from '../../objects/contract.ts';
import { inboxPrefix, sequenceKey } from '../layout.ts';
import { tampered } from '../tampered.ts';
import { isSameProof, proofOf, type LogWriter } from '../writer-key.ts';

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
  /** Keyed proof of who made it, hex; earlier versions wrote none. */
  readonly proof?: string | undefined;
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

/**
 * The stored form: canonical JSON, keys without the inbox's prefix, and a sum that covers every other byte. With a
 * proof it is of form 2.
 */
export function encodeSequence({ proof, ...record }: SequenceRecord): Uint8Array {
  const open = proof === undefined ? openForm(record, form) : { ...openForm(record, provenForm), proof };
  return Uint8Array.from(Buffer.from(canonicalJson({ ...open, sum: sha256(canonicalJson(open)) })));
}

/** The record with the proof of who made it: what a sealing writes. */
export function proveSequence(record: Omit<SequenceRecord, 'proof'>, writer: LogWriter): SequenceRecord {
  return { ...record, proof: sequenceProof(record, writer).toString('hex') };
}

/** Whether somebody with the key made this record. */
export function isOwnSequence(record: SequenceRecord, writer: LogWriter): boolean {
  return record.proof !== undefined && isSameProof(Buffer.from(record.proof, 'hex'), sequenceProof(record, writer));
}

function sequenceProof(record: SequenceRecord, writer: LogWriter): Buffer {
  return proofOf(writer, 'lockkeeper.sequence/2', [canonicalJson(openForm(record, provenForm))]);
}

function openForm({ first, previous, batches }: SequenceRecord, form: string) {
  const listed = batches.map(({ key, hash, count }) => [key.slice(inboxPrefix.length), hash, count]);
  return { form, first, previous, batches: listed };
}

/** The record that the bytes hold; `invalid` unless every byte is what encodeSequence would have written. */
export function decodeSequence(bytes: Uint8Array): StoredSequence {
  const parsed = schema.safeParse(parse(bytes));
  if (!parsed.success) throw damaged('it does not have the form of a sequence record');
  const { first, previous, batches, proof } = parsed.data;
  const listed = batches.map(([name, hash, count]) => ({ key: `${inboxPrefix}${name}`, hash, count }));
  const record = { first, previous, batches: listed, ...(proof !== undefined && { proof }) };
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

/** Whose records count: those that a checkpoint of `signed` entries covers, and those that `writer` proves. */
export interface SequenceTrust {
  readonly signed: number;
  /** Without it nothing counts that is not signed. */
  readonly writer: LogWriter | undefined;
  /** Keys of records without a valid proof that a person vouches for. */
  readonly admitted?: ReadonlySet<string> | undefined;
}

/**
 * The record that begins at `first` and counts, undefined where there is none, or `planted`: somebody without the key
 * put an object there. `conflict` where one that is signed was changed.
 */
export async function readOwnSequence(
  log: ObjectStore,
  first: number,
  { signed, writer, admitted }: SequenceTrust,
): Promise<StoredSequence | 'planted' | undefined> {
  if (first < signed) return await readSequence(log, first);
  const stored = await log.get(sequenceKey(first));
  if (!stored) return undefined;
  try {
    const record = decodeSequence(stored.bytes);
    const counts = admitted?.has(sequenceKey(first)) === true || (writer && isOwnSequence(record, writer));
    return record.first === first && counts ? record : 'planted';
  } catch (thrown) {
    if (hasCode(thrown, 'invalid')) return 'planted';
    throw thrown;
  }
}

/**
 * The records from the one that begins at `first` on, in order, as far as they count; `conflict` where one does not
 * follow the one before. Without `trust` all do.
 */
export async function* sequencesFrom(
  log: ObjectStore,
  first: number,
  trust: SequenceTrust = { signed: Infinity, writer: undefined },
): AsyncGenerator<StoredSequence> {
  let before: StoredSequence | undefined;
  for (let at = first; ; at = endOf(before)) {
    const next = await readOwnSequence(log, at, trust);
    if (next === undefined || next === 'planted') return;
    if (before && next.previous !== before.hash)
      throw tampered(`${sequenceKey(next.first)} does not follow the record before it`);
    yield next;
    before = next;
  }
}

const form = 'lockkeeper.sequence/1';
const provenForm = 'lockkeeper.sequence/2';
const hexHash = z.string().regex(/^[0-9a-f]{64}$/);
const members = {
  first: z.number().int().nonnegative(),
  previous: hexHash,
  batches: z.array(z.tuple([z.string(), hexHash, z.number().int().positive()])).min(1),
  sum: hexHash,
};
const schema = z.discriminatedUnion('form', [
  z.strictObject({ form: z.literal(form), ...members, proof: z.undefined().optional() }),
  z.strictObject({ form: z.literal(provenForm), ...members, proof: hexHash }),
]);

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
