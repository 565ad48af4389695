import type { ObjectStore } from '../../objects/contract.ts';
import { numberIn, sequenceKey, sequencePrefix } from '../layout.ts';
import { decodeBatch } from '../sealing/batch.ts';
import { decodeSequence, isOwnSequence, type StoredSequence } from '../sealing/sequence.ts';
import { readBatch } from '../sealing/waiting.ts';
import { asLockkeeperError } from '../../base/error.ts';
import type { LogWriter } from '../writer-key.ts';
import type { Finding, Note } from './finding.ts';

type Problem = Pick<Finding, 'kind' | 'what'>;

/**
 * The entries of a batch that waits for its place, or what is wrong with it. One without any proof is told with and
 * without a key; whether a proof fits, only with it.
 */
export function waitingBatch(
  bytes: Uint8Array,
  key: string,
  writer: LogWriter | undefined,
): Problem | { readonly bundle: Uint8Array } {
  const read = readBatch(bytes, key, { writer, isAdmitted: false });
  if (typeof read === 'string') return { kind: read.includes(' proof ') ? 'unproven' : 'foreign', what: read };
  if (read.standing === 'unproven') return { kind: 'unproven', what: unproven };
  return { bundle: decodeBatch(bytes).bundle };
}

const unproven =
  'has no proof of its writer: an earlier version of lockkeeper wrote it, or somebody who has no key. It gets no place until a person admits it';

/**
 * Tells sequence records beyond the `size` entries that are signed which nobody with the key made, and the batches that
 * they name: whoever seals next does not build on them. Answers whether there are any.
 */
export async function checkUnsignedRecords({
  log,
  size,
  writer,
  note,
}: {
  readonly log: ObjectStore;
  readonly size: number;
  readonly writer: LogWriter | undefined;
  readonly note: Note;
}): Promise<boolean> {
  let found = false;
  for await (const { key } of log.list(sequencePrefix, size === 0 ? undefined : sequenceKey(size - 1))) {
    const first = numberIn(key, sequencePrefix);
    if (first === undefined || first < size || key !== sequenceKey(first)) continue;
    const record = recordIn((await log.get(key))?.bytes);
    if (!record || isBelieved(record, writer)) continue;
    found = true;
    note({ key, index: first, kind: 'unproven', what: 'is not signed, and has no proof that this log made it' });
    for (const batch of record.batches) await checkNamed(log, batch.key, { writer, note });
  }
  return found;
}

/** Without a key only those of earlier versions, which have no proof, are told. */
function isBelieved(record: StoredSequence, writer: LogWriter | undefined): boolean {
  return writer ? isOwnSequence(record, writer) : record.proof !== undefined;
}

function recordIn(bytes: Uint8Array | undefined): StoredSequence | undefined {
  try {
    return bytes && decodeSequence(bytes);
  } catch (thrown) {
    // What is damaged is told where all records are read.
    if (asLockkeeperError(thrown).code === 'invalid') return undefined;
    throw thrown;
  }
}

async function checkNamed(
  log: ObjectStore,
  key: string,
  { writer, note }: { readonly writer: LogWriter | undefined; readonly note: Note },
): Promise<void> {
  const stored = await log.get(key);
  const read = stored && waitingBatch(stored.bytes, key, writer);
  if (read && 'kind' in read) note({ key, ...read });
}
