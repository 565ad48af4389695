import { sha256 } from '../../base/canonical.ts';
import { asLockkeeperError, hasCode } from '../../base/error.ts';
import type { ObjectInfo, ObjectStore, StoredObject } from '../../objects/contract.ts';
import { inboxPrefix, parseBatchKey } from '../layout.ts';
import { decodeBatch, largestBatch, standingOf, type Batch, type Standing } from './batch.ts';
import type { SequencedBatch } from './sequence.ts';
import type { Sequenced } from './sequenced.ts';
import { decodeEntry, parseCanonical } from '../entries/codec.ts';
import { statementOf } from '../entries/statement.ts';
import { writerKeyId, type LogWriter } from '../writer-key.ts';

/** A batch of the inbox that has no place yet. */
export interface WaitingBatch extends SequencedBatch {
  readonly entries: readonly Uint8Array[];
  readonly standing: Standing;
}

/** An object of the inbox that gets no place, and why; the phrase continues "KEY …". */
export interface Refused {
  readonly key: string;
  readonly why: string;
}

export interface InboxOptions {
  readonly log: ObjectStore;
  /** Whose proofs count. Without it nothing is refused for its proof: each batch tells its standing. */
  readonly writer: LogWriter | undefined;
  /** Keys of batches and records without a valid proof that a person vouches for. */
  readonly admitted?: ReadonlySet<string> | undefined;
  /** What was refused before: it is not read again. What is refused now is added. */
  readonly known?: Map<string, string>;
}

const atOnce = 16;
/** So many that no run can have written are named by whoever seals; `verify` names more of them. */
const refusedAtMost = 10_000;

/**
 * Reads the inbox once from its beginning to its end: batches that come after what is sequenced, in the order of their
 * keys, those of a run in their order. What no run can have written is passed over and told; it stops nobody but the
 * folder in which it lies, which its own writer leaves. So the work is one listing, and one read of each object.
 */
export class InboxReader {
  readonly #options: InboxOptions;
  readonly #stopped = new Set<string>();
  readonly #refused = new Map<string, string>();
  #after: string | undefined;
  #isDone = false;

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  /** True once the listing came to its end. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** What was refused so far. */
  get refused(): readonly Refused[] {
    return [...this.#refused].map(([key, why]) => ({ key, why }));
  }

  /** From the beginning again. */
  restart(): void {
    this.#after = undefined;
    this.#isDone = false;
  }

  /** At most `limit` batches, from where the call before ended; fewer only at the end. */
  async next(sequenced: Sequenced, limit: number): Promise<readonly WaitingBatch[]> {
    const found: WaitingBatch[] = [];
    const expected = new Map([...sequenced.runs].map(([run, one]) => [`${one.day}/${run}`, one.next]));
    let group: ObjectInfo[] = [];
    for await (const info of this.#options.log.list(inboxPrefix, this.#after ?? begin(sequenced))) {
      this.#after = info.key;
      if (!this.#isNext(info, sequenced, expected)) continue;
      group.push(info);
      if (group.length < atOnce && found.length + group.length < limit) continue;
      found.push(...(await this.#read(group)));
      group = [];
      if (found.length >= limit) return found;
    }
    found.push(...(await this.#read(group)));
    this.#isDone = true;
    return found;
  }

  /** Whether the batch of this key is the next of its run; counts it. */
  #isNext({ key, oddity }: ObjectInfo, { runs }: Sequenced, expected: Map<string, number>): boolean {
    if (oddity !== undefined) return this.#refuse(key, `is ${oddity}, and no object of the log`);
    const name = parseBatchKey(key);
    if (!name) return this.#refuse(key, 'is no batch: lockkeeper never writes such a key');
    const folder = folderOf(key);
    const known = runs.get(name.run);
    if (known && known.day !== name.day) return this.#refuse(key, `lies beside its run, which is under ${known.day}`);
    if (this.#stopped.has(folder) || name.batch !== (expected.get(folder) ?? 0)) return false;
    expected.set(folder, name.batch + 1);
    return true;
  }

  async #read(group: readonly ObjectInfo[]): Promise<readonly WaitingBatch[]> {
    const read = await Promise.all(group.map((info) => this.#readOne(info)));
    return read.flatMap((one, at) => {
      const key = group[at]?.key ?? '';
      if (this.#stopped.has(folderOf(key))) return [];
      if (typeof one !== 'string') return [one];
      this.#stopped.add(folderOf(key));
      this.#refuse(key, one);
      return [];
    });
  }

  /** The batch, or why it is none. */
  async #readOne({ key, size }: ObjectInfo): Promise<WaitingBatch | string> {
    const { log, known, admitted, writer } = this.#options;
    const before = known?.get(key);
    if (before !== undefined && admitted?.has(key) !== true) return before;
    if (size > largestBatch) return `is no batch: it has ${size} bytes`;
    const stored = await readable(log, key);
    if (!stored) return 'was listed and is gone';
    if (typeof stored === 'string') return stored;
    const isAdmitted = admitted?.has(key) === true;
    const read = readBatch(stored.bytes, key, { writer, isAdmitted });
    if (typeof read === 'string') known?.set(key, read);
    return read;
  }

  #refuse(key: string, why: string): false {
    if (this.#refused.size < refusedAtMost) this.#refused.set(key, why);
    return false;
  }
}

/** Longer than any batch, or replaced meanwhile: whoever may create objects must not stop all sealing with one. */
async function readable(log: ObjectStore, key: string): Promise<StoredObject | string | undefined> {
  try {
    return await log.get(key);
  } catch (thrown) {
    if (hasCode(thrown, 'conflict')) return `cannot be read: ${thrown.message}`;
    throw thrown;
  }
}

function begin({ doneBefore }: Sequenced): string | undefined {
  return doneBefore === '' ? undefined : `${inboxPrefix}${doneBefore}`;
}

function folderOf(key: string): string {
  return key.slice(inboxPrefix.length, key.lastIndexOf('/'));
}

interface Reading {
  readonly writer: LogWriter | undefined;
  /** A person vouches for it: then its form has to be one that this version knows. */
  readonly isAdmitted: boolean;
}

/** The bytes as the batch of this key, or why no run can have written them there. */
export function readBatch(
  bytes: Uint8Array,
  key: string,
  { writer, isAdmitted }: Reading = { writer: undefined, isAdmitted: false },
): WaitingBatch | string {
  try {
    const batch = decodeBatch(bytes);
    const standing = standingOf(batch, key, writer);
    const why = (isAdmitted ? undefined : distrust(batch, standing, writer)) ?? strangeness(batch, key, isAdmitted);
    if (why !== undefined) return why;
    const { entries } = batch;
    return { key, hash: sha256(bytes), count: entries.length, entries, standing };
  } catch (thrown) {
    return `holds no entries: ${asLockkeeperError(thrown).message}`;
  }
}

/** Why its writer is not believed; undefined where it is, or nothing can be said without a key. */
function distrust({ proof }: Batch, standing: Standing, writer: LogWriter | undefined): string | undefined {
  if (!writer || standing === 'proven') return undefined;
  if (!proof)
    return 'has no proof of its writer: an earlier version of lockkeeper wrote it, or somebody who has no key';
  const own = writerKeyId(writer.key);
  if (proof.keyId === own) return 'has a proof that does not fit it: it was made by somebody who has no key, or copied';
  return `has a proof made with the writer key ${proof.keyId}, and the key of this host is ${own}`;
}

function strangeness({ entries }: Batch, key: string, isStrict: boolean): string | undefined {
  // Not the whole form of an entry: a newer version of lockkeeper may know more kinds.
  for (const entry of entries)
    if (isStrict) decodeEntry(entry);
    else parseCanonical(entry);
  if (entries.length === 0) return 'holds no entry';
  const run = parseBatchKey(key)?.run;
  return entries.every((entry) => statementOf(entry).run === run) ? undefined : 'holds entries of another run';
}
