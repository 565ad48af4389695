import { sha256 } from '../../base/canonical.ts';
import { asLockkeeperError } from '../../base/error.ts';
import type { ObjectStore, StoredObject } from '../../objects/contract.ts';
import { numberIn, parseBatchKey, sequenceKey, sequencePrefix, type BatchName } from '../layout.ts';
import { decodeSequence, endOf, noSequence, type SequencedBatch, type StoredSequence } from '../sealing/sequence.ts';
import { batchEntries } from '../sealing/batch.ts';
import { ahead, objectsAhead } from './ahead.ts';
import type { Note } from './finding.ts';

/** A stretch of entries in their places; the bytes are undefined where no object can be trusted to hold them. */
export interface Stretch {
  readonly first: number;
  readonly count: number;
  readonly entries: readonly Uint8Array[] | undefined;
}

export interface SequenceCheckOptions {
  readonly log: ObjectStore;
  /** The first entry that is of interest. */
  readonly from: number;
  readonly note: Note;
}

/** Reads a batch and compares it with what got its place, `first` being the index of its first entry. */
export async function stretchOf(
  { log, note }: Pick<SequenceCheckOptions, 'log' | 'note'>,
  { key, hash, count }: SequencedBatch,
  first: number,
): Promise<Stretch> {
  const stored = await log.get(key);
  const isSame = stored !== undefined && sha256(stored.bytes) === hash;
  if (!isSame)
    note({
      key,
      index: first,
      kind: stored ? 'changed' : 'missing',
      what: stored ? 'was changed: it is not what got its place' : 'is missing',
    });
  const entries = isSame ? batchEntries(stored.bytes) : undefined;
  if (isSame && entries?.length !== count)
    note({
      key,
      index: first,
      kind: 'changed',
      what: `holds ${entries?.length ?? 'no'} entries, and ${count} got their place`,
    });
  return { first, count, entries: entries?.length === count ? entries : undefined };
}

/** The batch of a run that comes next. */
export type NextBatch = Pick<BatchName, 'day' | 'batch'>;

/** A batch and the index of its first entry. */
interface Place {
  readonly batch: SequencedBatch;
  readonly first: number;
}

/** Reads sequence records and the batches they name, in order; what is wrong with either is told, and leaves a hole. */
export class SequenceCheck {
  readonly #options: SequenceCheckOptions;
  /** Next batch of each run, and the day it lies under: whatever is in the inbox from there on has no place yet. */
  readonly next = new Map<string, NextBatch>();
  /** The two last days under which batches that have their place were put, the later one first. */
  #lastDays: readonly string[] = [];
  #end = 0;
  #previous: string | undefined;
  /** False after a record that is lost: batches that it named seem to be left out. */
  #whole = true;

  constructor(options: SequenceCheckOptions) {
    this.#options = options;
  }

  /** How many entries have their place, as far as was read. */
  get size(): number {
    return this.#end;
  }

  /** False where a record is lost: then nobody knows which batches it named. */
  get isWhole(): boolean {
    return this.#whole;
  }

  /**
   * The last day but one under which batches have their place: one wrong clock alone cannot move it. '' where there are
   * no two.
   */
  get lastDay(): string {
    return this.#lastDays[1] ?? '';
  }

  /** Every entry from `from` on, in order, without gaps, in stretches. Records and batches are read ahead. */
  async *stretches(): AsyncGenerator<Stretch> {
    yield* ahead(
      this.#places(),
      async (place) => ('batch' in place ? await this.#stretch(place.batch, place.first) : place),
      objectsAhead,
    );
  }

  async *#places(): AsyncGenerator<Place | Stretch> {
    const { log, from, note } = this.#options;
    this.#previous = from === 0 ? noSequence : undefined;
    this.#end = from;
    for await (const { key, stored } of ahead(
      log.list(sequencePrefix),
      async (listed) => ({ ...listed, stored: await log.get(listed.key) }),
      objectsAhead,
    )) {
      const first = numberIn(key, sequencePrefix);
      if (first === undefined || key !== sequenceKey(first))
        note({ key, kind: 'foreign', what: 'is no object of the log' });
      // What cannot be read was noted, and is as good as absent: the next record shows what is missing.
      else if (!stored) note({ key, kind: 'missing', what: 'was listed and is gone' });
      else yield* this.#record(key, first, this.#read(key, stored));
    }
  }

  *#record(key: string, first: number, record: StoredSequence | undefined): Generator<Place | Stretch> {
    if (first < this.#options.from && (!record || endOf(record) <= this.#options.from)) {
      this.#previous = record?.hash;
      if (record) for (const { key: batch } of record.batches) this.#count(batch, this.#options.from);
      return;
    }
    // One that is no record and follows nothing hides nothing: whatever it took the place of is missing all the same.
    if (!record && first > this.#end) return;
    if (!record) return this.#lose();
    if (first > this.#end) yield this.#hole(first);
    if (this.#previous !== undefined && record.previous !== this.#previous)
      this.#options.note({
        key,
        index: first,
        kind: 'chain',
        what: 'does not follow the record before it: one of the two was rewritten',
      });
    this.#previous = record.hash;
    const beginsBefore = first < this.#options.from && this.#end === this.#options.from;
    if (first < this.#end && !beginsBefore) {
      this.#options.note({ key, index: first, kind: 'foreign', what: 'gives places that were given already' });
      return;
    }
    let begin = first;
    for (const batch of record.batches) {
      this.#count(batch.key, begin);
      yield { batch, first: begin };
      begin += batch.count;
    }
    this.#end = begin;
  }

  /** As far as it is of interest. */
  async #stretch(batch: SequencedBatch, first: number): Promise<Stretch> {
    const before = Math.min(batch.count, Math.max(0, this.#options.from - first));
    if (before === batch.count) return { first: first + before, count: 0, entries: [] };
    const { entries, count } = await stretchOf(this.#options, batch, first);
    return { first: first + before, count: count - before, entries: entries?.slice(before) };
  }

  #count(key: string, index: number): void {
    const name = parseBatchKey(key);
    const next = name && (this.next.get(name.run)?.batch ?? 0);
    const { note } = this.#options;
    if (!name || next === undefined)
      note({ key, index, kind: 'foreign', what: 'has a place and is no object of the inbox' });
    else if (name.batch < next) note({ key, index, kind: 'doubled', what: 'has a place twice' });
    else if (name.batch > next && this.#whole)
      note({ key, index, kind: 'omitted', what: `has a place, and batch ${next} of its run has none before it` });
    if (name && !this.#lastDays.includes(name.day))
      this.#lastDays = [...this.#lastDays, name.day].toSorted().toReversed().slice(0, 2);
    if (name && next !== undefined) this.next.set(name.run, { day: name.day, batch: Math.max(next, name.batch + 1) });
  }

  #hole(end: number): Stretch {
    const first = this.#end;
    this.#options.note({
      key: sequenceKey(first),
      index: first,
      kind: 'missing',
      what: `is missing, or the record before it was changed; the next one is ${sequenceKey(end)}`,
    });
    this.#end = end;
    this.#lose();
    return { first, count: end - first, entries: undefined };
  }

  #lose(): void {
    this.#previous = undefined;
    this.#whole = false;
  }

  #read(key: string, stored: StoredObject): StoredSequence | undefined {
    const first = numberIn(key, sequencePrefix);
    try {
      const record = decodeSequence(stored.bytes);
      if (record.first === first) return record;
      this.#options.note({ key, kind: 'moved', what: `holds the record of entry ${record.first}` });
    } catch (thrown) {
      this.#options.note({ key, kind: 'changed', what: asLockkeeperError(thrown).message });
    }
    return undefined;
  }
}
