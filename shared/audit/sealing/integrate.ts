import { hasCode } from '../../base/error.ts';
import { after, dayOf, type Instant } from '../../base/time.ts';
import { publishAnchors } from '../vouching/anchor.ts';
import { checkpointOf, expectOwnKey, readCheckpoint, type SignedCheckpoint } from './checkpoints.ts';
import { GrowingTree, growTo, hasPartials, openTree, sweepPartials } from './grow.ts';
import { writerOf, type LogDeps } from '../log-deps.ts';
import { publish, readPublished, type Published } from './published.ts';
import { catchUp, follow, keepSequenced, readSequenced, type HeldSequenced } from './sequenced.ts';
import { keptOpenMs, sequenceKey } from '../layout.ts';
import {
  decodeSequence,
  encodeSequence,
  endOf,
  proveSequence,
  readOwnSequence,
  sequencesFrom,
  type SequenceTrust,
} from './sequence.ts';
import { tampered } from '../tampered.ts';
import { parseNote, parseVerifierKey, verifyNote, type VerifierKey } from '../tlog/note.ts';
import { InboxReader, type InboxOptions, type Refused } from './waiting.ts';
import type { LogWriter } from '../writer-key.ts';
import { witnessed, type Witnessed } from '../vouching/witness.ts';

/** What sealing did. */
export interface SealReport {
  /** How many entries the published checkpoint covers. */
  readonly size: number;
  /** Root of their tree, hex; undefined for an empty log. */
  readonly root: string | undefined;
  /** Objects of the inbox that no run can have written; they stay outside. */
  readonly refused: readonly Refused[];
  /** How many of the witnesses cosigned that checkpoint. */
  readonly cosigned: number;
  /** Whether as many did as must. Where fewer did, the log goes on all the same: the next sealing tries again. */
  readonly witnessed: boolean;
  /** Witnesses and anchors that could not be reached; the next sealing tries again. */
  readonly problems: readonly string[];
  /** Those of the problems that say that the log was cut off or forked, or that it cannot go on. */
  readonly alarms: readonly string[];
}

/** What one sealing is asked besides. */
export type SealOptions = Pick<InboxOptions, 'admitted' | 'known'>;

/**
 * Puts what is in the inbox into the tree and publishes it: sequence, derive, sign, publish, have it cosigned and
 * anchored. Repeatable, by anybody, at any time, several at once: only the creation of a sequence record decides
 * anything, and whoever loses that race goes on from what the winner wrote. What an earlier one left unfinished is
 * finished first. Errors: those of the stores and the signer; `conflict` where the stores hold what this log cannot
 * have written.
 */
export async function integrate(deps: LogDeps, options: SealOptions = {}): Promise<SealReport> {
  const key = await expectOwnKey(deps);
  // Before the inbox is listed: whoever sleeps after that knows nothing of what came since.
  const began = deps.world.now();
  // In this order: another integrator may publish what it gave its place in between.
  const published = await readPublished(deps);
  const trust = { signed: published?.size ?? 0, writer: await writerOf(deps), admitted: options.admitted };
  const held = await readSequenced({ ...deps, now: began, trust });
  if ((published?.size ?? 0) > held.size)
    throw tampered(`${published?.size} entries were published, and only ${held.size} have their place`);
  const inbox = new InboxReader({ ...options, log: deps.log, writer: trust.writer });
  const { sequenced, all } = await sequenceAll(deps, held, { inbox, trust });
  const refused = inbox.refused;
  const blocked = await blockedAt(deps, sequenced.size, trust);
  if (sequenced.size === 0)
    return { size: 0, root: undefined, refused, cosigned: 0, witnessed: true, problems: blocked, alarms: blocked };
  const { checkpoint, cosigned, problems, alarms } = await sealed(deps, {
    key,
    published,
    size: sequenced.size,
    trust,
  });
  await keepSequenced(deps.state, held, { ...sequenced, doneBefore: doneBefore(began, held, all) });
  const unanchored = await publishAnchors(deps, checkpoint);
  const { witnesses = [], needed = witnesses.length } = deps;
  const root = Buffer.from(checkpoint.root).toString('hex');
  return {
    size: checkpoint.size,
    root,
    refused,
    cosigned,
    witnessed: cosigned >= needed,
    problems: [...blocked, ...problems, ...unanchored],
    alarms: [...blocked, ...alarms],
  };
}

type Sealed = Omit<Witnessed, 'note'> & { readonly checkpoint: SignedCheckpoint };

interface Sealing {
  readonly key: VerifierKey;
  readonly published: Published | undefined;
  readonly size: number;
  readonly trust: SequenceTrust;
}

/**
 * The published checkpoint of `size` entries; what is published already, whole and cosigned by everybody stays as it
 * is.
 */
async function sealed(deps: LogDeps, { key, published, size, trust }: Sealing): Promise<Sealed> {
  if (
    published?.size === size &&
    published.version !== undefined &&
    isCosigned(deps, key, published.note) &&
    (await hasPartials(deps.state, size))
  ) {
    return {
      checkpoint: readCheckpoint(published.note, key),
      cosigned: deps.witnesses?.length ?? 0,
      problems: [],
      alarms: [],
    };
  }
  const checkpoint = await signAll(deps, { key, published, trust });
  const { note, ...vouched } = await witnessed(deps, checkpoint);
  await publish(deps, note);
  await sweepPartials(deps.state, published?.size ?? 0, size);
  return { checkpoint, ...vouched };
}

/**
 * Signs the tree at the end of every sequence record since the one that was published, so that no checkpoint can go
 * unseen.
 */
async function signAll(deps: LogDeps, { key, published, trust }: Omit<Sealing, 'size'>): Promise<SignedCheckpoint> {
  const tree = published ? await openTree(deps, published) : new GrowingTree();
  let checkpoint: SignedCheckpoint | undefined;
  for await (const record of sequencesFrom(deps.log, tree.size, trust)) {
    await growTo(deps, tree, endOf(record));
    checkpoint = await checkpointOf(deps, key, tree);
  }
  if (checkpoint) return checkpoint;
  await growTo(deps, tree, tree.size);
  return await checkpointOf(deps, key, tree);
}

/** Whether the log and every witness signed it; a line that was changed since does not count. */
function isCosigned({ witnesses = [] }: LogDeps, own: VerifierKey, note: string): boolean {
  const keys = [own, ...witnesses.map(({ key }) => parseVerifierKey(key))];
  try {
    return verifyNote(parseNote(note), keys).length === keys.length;
  } catch (thrown) {
    if (hasCode(thrown, 'invalid')) return false;
    throw thrown;
  }
}

/** How many batches one record names at most, and how often a lost race is tried again: others do the same work. */
const atMost = { batches: 500, lost: 3 };

interface SequencedAll {
  readonly sequenced: HeldSequenced;
  /** False where others were faster, again and again: then something may be left in the inbox. */
  readonly all: boolean;
}

interface Sequencing {
  readonly inbox: InboxReader;
  readonly trust: SequenceTrust & { readonly writer: LogWriter };
}

/** Goes through the inbox once; from its beginning again where others were faster. */
async function sequenceAll(deps: LogDeps, held: HeldSequenced, { inbox, trust }: Sequencing): Promise<SequencedAll> {
  let sequenced = held;
  for (let lost = 0; lost < atMost.lost;) {
    const batches = await inbox.next(sequenced, atMost.batches);
    if (batches.length === 0) return { sequenced, all: inbox.isDone };
    const listed = batches.map(({ key, hash, count }) => ({ key, hash, count }));
    const record = { first: sequenced.size, previous: sequenced.last, batches: listed };
    const bytes = encodeSequence(proveSequence(record, trust.writer));
    const { outcome } = await deps.log.create(sequenceKey(sequenced.size), bytes);
    const before = sequenced.size;
    if (outcome === 'done') sequenced = { ...sequenced, ...follow(sequenced, decodeSequence(bytes)) };
    else {
      lost += 1;
      inbox.restart();
      sequenced = await catchUp(deps.log, sequenced, trust);
    }
    if (sequenced.size === before) break;
  }
  return { sequenced, all: false };
}

/** What stands where the next record has to be, put there by somebody without the key: the log cannot go on before. */
async function blockedAt(
  { log }: Pick<LogDeps, 'log'>,
  size: number,
  trust: SequenceTrust,
): Promise<readonly string[]> {
  if ((await readOwnSequence(log, size, trust)) !== 'planted') return [];
  return [
    `${sequenceKey(size)} was put into the log store by somebody who has no writer key, and stands where the log has to go on: nothing more is sealed until it is taken away, or admitted where an earlier version wrote it. What is recorded meanwhile is kept in the inbox`,
  ];
}

/**
 * Only days that were listed to their end are done with, and only long after they are over: clocks differ. It never
 * goes back, for whoever lags behind keeps its runs under the day that this tells.
 */
function doneBefore(now: Instant, held: HeldSequenced, all: boolean): string {
  const wanted = dayOf(after(now, -keptOpenMs));
  return all && wanted > held.saidDone ? wanted : held.saidDone;
}
