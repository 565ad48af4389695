import type { ObjectHistory, ObjectStore } from '../../objects/contract.ts';
import { readVerifierKey, type SignedCheckpoint } from '../sealing/checkpoints.ts';
import { checkpointKey, evidenceKey, publishedKey } from '../layout.ts';
import { type VerifierKey } from '../tlog/note.ts';
import { tileWidth } from '../tlog/tile.ts';
import { asFound } from './as-found.ts';
import { checkAnchors, type AnchorToCheck } from './anchor-check.ts';
import { checkTree } from './check-tree.ts';
import { ExpectedRoots, storedCheckpoints, trusted } from './expected-roots.ts';
import { Findings } from './findings.ts';
import type { Note } from './finding.ts';
import {
  checkBoundaries,
  checkHistory,
  checkLeftovers,
  evidenceProblem,
  missingEvidence,
  type Waiting,
} from './leftovers.ts';
import { logBundles } from './log-bundles.ts';
import { checkUnsignedRecords } from './proof-check.ts';
import { checkPublished } from './published-check.ts';
import { RunCheck } from './run-check.ts';
import { SequenceCheck } from './sequence-check.ts';
import { rowsFrom } from './start.ts';
import { tilesBundles } from './tiles-bundles.ts';
import { report, tellShort, type VerifyReport } from './report.ts';
import { expected, keyOf, newestIn, publishedIn, sinceOf, type TrustOptions } from './trust.ts';
import { liveTiles } from './live-tiles.ts';
import type { ExpectedRoot, TileStore } from './tree-check.ts';
import { checkWitnesses } from './witness-check.ts';
import type { LogWriter } from '../writer-key.ts';

export interface VerifyLogOptions extends TrustOptions {
  readonly log: ObjectStore;
  /** Where the newest published checkpoint is. Without it nobody can see that the log was cut off after that. */
  readonly state?: ObjectStore | undefined;
  /** What the log store remembers of its past. */
  readonly history?: ObjectHistory | undefined;
  readonly anchors?: readonly AnchorToCheck[];
  /** Whose proofs count, of what is not signed yet. Without it nobody can tell whether a proof fits. */
  readonly writerKey?: (() => Promise<Uint8Array>) | undefined;
}

/**
 * Reads a whole log store, every byte, and tells everything in it that lockkeeper did not write so. Needs no network
 * but the stores', only reads; memory grows with the number of runs, not of entries. Throws what the stores throw, and
 * `invalid` for a verifier key or a trusted checkpoint that is none.
 *
 * What it cannot see: a log that whoever holds the key wrote anew from its beginning, where there is no given
 * checkpoint, no anchor and no witness to compare with.
 */
export async function verifyLog(options: VerifyLogOptions): Promise<VerifyReport> {
  const findings = new Findings();
  const { note } = findings;
  const { log, state } = placesAsFound(options, note);
  const own = await readVerifierKey(log);
  const key = keyOf(options, own, note);
  const published = key && (await publishedIn(state, key, note));
  const newest = key && (await newestIn(log, key, published));
  const [size, since] = [newest?.size ?? 0, key && sinceOf(options, key)];
  const tiles = liveTiles(log, state);
  const start = await rowsFrom(tiles, { since: since?.size ?? 0, size, note });
  const runs = new RunCheck(start.size > 0);
  const sequence = new SequenceCheck({ log, from: start.size, note });
  const tree = await checkTree({
    bundles: logBundles({ stretches: sequence.stretches(), from: start.size / tileWidth, size, tiles, note }),
    expected: rootsOf(log, { key, known: known(size, [published, publishedKey], since), from: start.size, note }),
    start,
    size,
    tiles,
    runs,
    note,
    threads: options.threads ?? 0,
    // What is there is looked at with everything else that lies in the store.
    evidenceProblem: async (hash) => ((await log.get(evidenceKey(hash))) ? undefined : missingEvidence),
  });
  tellShort(note, { sequenced: sequence.size, size, since, hasKey: own !== undefined });
  const writerKey = await options.writerKey?.();
  const writer = writerKey && key && { key: writerKey, origin: key.name };
  const waiting = await checkRest({ log, history: options.history, writer }, { sequence, size, runs, note });
  if (key) await checkCopies({ log, anchors: options.anchors ?? [] }, { key, published, size, note });
  const vouched = { checkpoint: published ?? newest, key: published ? publishedKey : checkpointKey(size), log, note };
  const witnesses = await checkWitnesses(options.trustedWitnesses, vouched);
  const seen = { size, waiting, checkpoint: newest, published: published?.size, witnesses };
  return report({ ...tree, ...seen, verifierKey: key, given: options.verifierKey }, findings);
}

function placesAsFound({ log, state }: VerifyLogOptions, note: Note): Pick<VerifyLogOptions, 'log' | 'state'> {
  return { log: asFound(log, note), state: state && asFound(state, note) };
}

interface RestOptions {
  readonly sequence: SequenceCheck;
  readonly size: number;
  readonly runs: RunCheck;
  readonly note: Note;
}

/** Everything in the log store that the tree does not speak of. */
async function checkRest(
  { log, history, writer }: Pick<VerifyLogOptions, 'log' | 'history'> & { readonly writer: LogWriter | undefined },
  { sequence, size, runs, note }: RestOptions,
): Promise<Waiting> {
  const { next, isWhole, lastDay } = sequence;
  const rest = { log, writer, next, size, isWhole, lastDay, runs, note };
  await checkBoundaries(rest, sequence.size);
  const isPlanted = await checkUnsignedRecords(rest);
  const waiting = await checkLeftovers({ ...rest, size: isPlanted ? size : Math.max(size, sequence.size) });
  if (history) await checkHistory(history, note);
  return waiting;
}

interface CopiesOptions {
  readonly key: VerifierKey;
  readonly published: SignedCheckpoint | undefined;
  readonly size: number;
  readonly note: Note;
}

/** What anchors have, and what readers are shown. */
async function checkCopies(
  { log, anchors }: Required<Pick<VerifyLogOptions, 'log' | 'anchors'>>,
  { key, published, size, note }: CopiesOptions,
): Promise<void> {
  await checkAnchors(anchors, { log, size, signer: key, note });
  if (published) await checkPublished(published, { log, signer: key, note });
}

interface RootsOptions {
  readonly key: VerifierKey | undefined;
  readonly known: readonly ExpectedRoot[];
  readonly from: number;
  readonly note: Note;
}

function rootsOf(log: ObjectStore, { key, known: roots, from, note }: RootsOptions): ExpectedRoots {
  const after = from === 0 ? undefined : from;
  return new ExpectedRoots(roots, key && storedCheckpoints(log, { signer: key, after, notify: note }));
}

/** The roots that are known beforehand, as far as there is a tree to compare with them. */
function known(
  size: number,
  [checkpoint, name]: readonly [SignedCheckpoint | undefined, string],
  since: SignedCheckpoint | undefined,
): readonly ExpectedRoot[] {
  const roots = [...expected(checkpoint, name), ...expected(since, 'the checkpoint given')];
  return roots.filter((one) => one.size <= size);
}

export interface VerifyTilesOptions extends TrustOptions {
  readonly store: ObjectStore;
  /** Looks at what else lies there, once the tree was looked at. */
  readonly alsoCheck?: (verified: VerifiedTiles) => Promise<void>;
}

/** A directory whose tree was looked at. */
export interface VerifiedTiles {
  /** What cannot be read in it is noted and absent. */
  readonly store: ObjectStore;
  readonly note: Note;
  readonly isNoted: (key: string) => boolean;
  /** How many entries were signed; 0 where no checkpoint counts. */
  readonly size: number;
  readonly checkpoint: SignedCheckpoint | undefined;
  /** The key that counts, as text. */
  readonly verifierKey: string | undefined;
}

/**
 * The same for a plain tlog-tiles directory: `checkpoint`, tiles, entry bundles, and the key in `log.vkey` where none
 * is given.
 */
export async function verifyTiles(options: VerifyTilesOptions): Promise<VerifyReport> {
  const findings = new Findings();
  const { note } = findings;
  const store = asFound(options.store, note);
  const tiles: TileStore = {
    get: async (path) => (await store.get(path))?.bytes,
    keyOf: (path) => path,
    hasPartial: true,
  };
  const own = await readVerifierKey(store);
  const key = keyOf(options, own, note);
  const checkpoint = await checkpointIn(store, key, note);
  const [size, since] = [checkpoint?.size ?? 0, key && sinceOf(options, key)];
  const start = await rowsFrom(tiles, { since: since?.size ?? 0, size, note });
  const tree = await checkTree({
    bundles: tilesBundles(tiles, { from: start.size / tileWidth, size, note }),
    expected: new ExpectedRoots(known(size, [checkpoint, 'checkpoint'], since)),
    start,
    size,
    tiles,
    runs: new RunCheck(start.size > 0),
    note,
    threads: options.threads ?? 0,
    evidenceProblem: (hash) => evidenceProblem(store, hash),
  });
  tellShort(note, { sequenced: size, size, since, hasKey: key !== undefined });
  const verifierKey = options.verifierKey ?? own;
  await options.alsoCheck?.({ store, note, isNoted: findings.isNoted, size, checkpoint, verifierKey });
  const witnesses = await checkWitnesses(options.trustedWitnesses, {
    checkpoint,
    key: 'checkpoint',
    log: undefined,
    note,
  });
  const seen = { size, checkpoint, published: checkpoint?.size, witnesses, waiting: { batches: 0, since: undefined } };
  return report({ ...tree, ...seen, verifierKey: key, given: options.verifierKey }, findings);
}

async function checkpointIn(
  store: ObjectStore,
  signer: VerifierKey | undefined,
  notify: Note,
): Promise<SignedCheckpoint | undefined> {
  const stored = await store.get('checkpoint');
  if (!stored) notify({ key: 'checkpoint', kind: 'missing', what: 'is missing' });
  return stored && signer && trusted(Buffer.from(stored.bytes).toString(), { key: 'checkpoint', signer, notify });
}
