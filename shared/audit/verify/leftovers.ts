import { sha256 } from '../../base/canonical.ts';
import { hasCode } from '../../base/error.ts';
import { selfTestObject, type ObjectHistory, type ObjectStore } from '../../objects/contract.ts';
import { checkpointSizes } from '../sealing/checkpoints.ts';
import {
  checkpointKey,
  checkpointPrefix,
  cosignatureKey,
  cosignaturePrefix,
  evidenceKey,
  keptOpenMs,
  numberIn,
  parseBatchKey,
  sequenceKey,
  sequencePrefix,
  verifierKeyKey,
} from '../layout.ts';
import { edgeIndex } from '../tlog/tile-rows.ts';
import { parseTilePath, tileWidth, type TilePath } from '../tlog/tile.ts';
import { endOf, sequencesFrom } from '../sealing/sequence.ts';
import type { LogWriter } from '../writer-key.ts';
import { cosignatureProblem } from '../vouching/witness-line.ts';
import { checkBundle } from './bundle-check.ts';
import type { Finding, Note } from './finding.ts';
import { waitingBatch } from './proof-check.ts';
import type { RunCheck } from './run-check.ts';
import type { NextBatch } from './sequence-check.ts';

export interface LeftoversOptions {
  readonly log: ObjectStore;
  /** Next batch of each run, as the sequence records say. */
  readonly next: ReadonlyMap<string, NextBatch>;
  /** How many entries have their place. */
  readonly size: number;
  /** False where a sequence record is lost: then what it named seems to wait. */
  readonly isWhole: boolean;
  /** A day under which batches have their place, and under a later one too. */
  readonly lastDay: string;
  /** What the runs are at, as far as their entries have their place. */
  readonly runs: Pick<RunCheck, 'add'>;
  /** Whose proofs count; without it those of earlier versions, which have none, are told. */
  readonly writer: LogWriter | undefined;
  readonly note: Note;
}

/** Entries that were acknowledged and have no place yet. */
export interface Waiting {
  readonly batches: number;
  /** The first UTC day on which one of their runs began. */
  readonly since: string | undefined;
}

/**
 * Looks at every object of the log store that the tree does not speak of; tells those that lockkeeper did not write so.
 */
export async function checkLeftovers(options: LeftoversOptions): Promise<Waiting> {
  const next = new Map(options.next);
  let [batches, since]: [number, string | undefined] = [0, undefined];
  for await (const { key, oddity } of options.log.list('')) {
    if (oddity !== undefined) {
      options.note({ key, kind: 'unreadable', what: `is ${oddity}, and no object of the log` });
      continue;
    }
    const name = parseBatchKey(key);
    const { day, batch: expected } = (name && next.get(name.run)) ?? { day: name?.day, batch: 0 };
    if (name && name.batch < expected && name.day === day) continue;
    const strayed = name && name.day !== day ? toldAs(`is no object of the log: its run lies under ${day}`) : undefined;
    const problem = strayed ?? (name ? await waitingProblem(options, key) : toldAs(await problemOf(options, key)));
    if (problem) options.note({ key, ...problem });
    if (!name || problem) continue;
    if (name.batch > expected && options.isWhole)
      options.note({ key, kind: 'omitted', what: `is batch ${name.batch} of its run; batch ${expected} is missing` });
    else if (options.isWhole && isPassedOver(name.day, options.lastDay))
      options.note({
        key,
        kind: 'omitted',
        what: `has no place, though runs of ${options.lastDay} have: whoever sealed since left it out`,
      });
    next.set(name.run, { day: name.day, batch: name.batch + 1 });
    batches += 1;
    since ??= name.day;
  }
  return { batches, since };
}

/** Whoever gave runs of the last day their place was not done with that day yet. */
function isPassedOver(began: string, lastDay: string): boolean {
  return Date.parse(began) + keptOpenMs < Date.parse(lastDay);
}

/** Objects that the store knows to have been replaced, deleted or hidden; nothing of the log ever is. */
export async function checkHistory(history: ObjectHistory, note: Note): Promise<void> {
  for await (const { key, contents, deleted } of history.altered('')) {
    const replaced = contents > 1 ? [`was replaced: the store keeps ${contents} contents of it`] : [];
    const hidden = deleted ? ['was deleted, or hidden behind a delete marker'] : [];
    note({ key, kind: 'altered', what: [...replaced, ...hidden].join(', and ') || 'was altered' });
  }
}

/**
 * Every sequence record ends in a checkpoint, and nothing else does; `size`: how many entries were signed. Only lists.
 */
export async function checkBoundaries(
  { log, size, note, isWhole }: LeftoversOptions,
  sequenced: number,
): Promise<void> {
  const signed = checkpointSizes(log);
  let next = await signed.next();
  const step = async (end: number) => {
    for (; next.done === false && next.value < end; next = await signed.next()) {
      if (isWhole)
        note({
          key: checkpointKey(next.value),
          kind: 'foreign',
          what: 'is a checkpoint within a sequence record, where none is made',
        });
    }
    if (next.done === false && next.value === end) next = await signed.next();
    else if (end <= size) note({ key: checkpointKey(end), kind: 'missing', what: 'is missing' });
  };
  for await (const { key } of log.list(sequencePrefix)) {
    const first = numberIn(key, sequencePrefix);
    if (first !== undefined && first > 0 && first < sequenced) await step(first);
  }
  if (sequenced > 0) await step(sequenced);
  if (sequenced < size) await step(size);
}

const changedEvidence = 'was changed: it is named after another content';

/** What is said of evidence that is gone. */
export const missingEvidence = 'is missing: an entry rests on it';

/** What is wrong with the evidence of this hash, which an entry rests on; undefined where nothing is. */
export async function evidenceProblem(store: ObjectStore, hash: string): Promise<string | undefined> {
  const stored = await store.get(evidenceKey(hash));
  if (!stored) return missingEvidence;
  return sha256(stored.bytes) === hash ? undefined : changedEvidence;
}

type Problem = Pick<Finding, 'kind' | 'what'>;

function toldAs(what: string | undefined): Problem | undefined {
  return what === undefined ? undefined : { kind: what.startsWith('was changed') ? 'changed' : 'foreign', what };
}

/** Whether a log of `size` entries has this tile full by now: others may have sealed since that was counted. */
async function isGrown(
  { log, size, writer }: Pick<LeftoversOptions, 'log' | 'size' | 'writer'>,
  tile: TilePath,
): Promise<boolean> {
  const isFull = (entries: number) => tile.index < edgeIndex(tile.kind === 'hashes' ? tile.level : 0, entries);
  if (isFull(size)) return true;
  try {
    for await (const record of sequencesFrom(log, size, writer && { signed: size, writer }))
      if (isFull(endOf(record))) return true;
  } catch (thrown) {
    if (!hasCode(thrown, 'conflict')) throw thrown;
  }
  return false;
}

/** What waits has to go on where its run is: else somebody put it there again, or left something out. */
async function waitingProblem(
  { log, runs, isWhole, writer }: LeftoversOptions,
  key: string,
): Promise<Problem | undefined> {
  const stored = await log.get(key);
  const batch = stored && waitingBatch(stored.bytes, key, writer);
  if (!batch || 'kind' in batch) return batch;
  const checked = checkBundle(0, batch.bundle);
  const [wrong] = isWhole ? [...checked.problems, ...runs.add(checked)] : [];
  return wrong && { kind: wrong.kind, what: `waits for its place, and one of its entries ${wrong.what}` };
}

async function problemOf(options: LeftoversOptions, key: string): Promise<string | undefined> {
  const stranger = 'is no object of the log';
  const { log } = options;
  const tile = parseTilePath(key);
  if (tile) return tile.width === tileWidth && (await isGrown(options, tile)) ? undefined : stranger;
  const [first, signed] = [numberIn(key, sequencePrefix), numberIn(key, checkpointPrefix)];
  if (first !== undefined) return key === sequenceKey(first) ? undefined : stranger;
  if (signed !== undefined) return key === checkpointKey(signed) && signed > 0 ? undefined : stranger;
  if (key === verifierKeyKey) return undefined;
  const named = /^evidence\/([0-9a-f]{64})\.json$/.exec(key)?.[1];
  const cosigned = /^cosig\/\d{20}\/[0-9a-f]{8}$/.test(key) ? numberIn(key, cosignaturePrefix) : undefined;
  // Nobody reads what no object of the log is called: it may be anything.
  if (named === undefined && cosigned === undefined && key !== selfTestObject.key) return stranger;
  const bytes = (await log.get(key))?.bytes;
  if (!bytes) return undefined;
  if (key === selfTestObject.key)
    return Buffer.compare(bytes, Buffer.from(selfTestObject.text)) === 0 ? undefined : stranger;
  if (named !== undefined) return sha256(bytes) === named ? undefined : changedEvidence;
  if (cosigned === undefined) return stranger;
  const checkpoint = (await log.get(checkpointKey(cosigned)))?.bytes;
  return cosignatureProblem(bytes, checkpoint, (id) => key === cosignatureKey(cosigned, id));
}
