import { LockkeeperError } from '../../base/error.ts';
import type { ObjectHistory, ObjectStore } from '../../objects/contract.ts';
import { checkpointSizes, readVerifierKey, type SignedCheckpoint } from '../sealing/checkpoints.ts';
import { checkpointKey, evidenceKey, partialPrefix, publishedKey, sequenceKey, verifierKeyKey } from '../layout.ts';
import { noteIn } from '../vouching/saved-note.ts';
import { parseVerifierKey, type VerifierKey } from '../tlog/note.ts';
import { encodeBundle, entriesIn } from '../tlog/bundle.ts';
import { hashBytes } from '../tlog/merkle.ts';
import { bundlePath, parseTilePath, tilePath, tileWidth, type TilePath } from '../tlog/tile.ts';
import { checkAnchors, type AnchorToCheck } from './anchor-check.ts';
import { checkTree, type TreeReport } from './check-tree.ts';
import { ExpectedRoots, storedCheckpoints, trusted } from './expected-roots.ts';
import { Findings } from './findings.ts';
import type { Finding, Note } from './finding.ts';
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
import type { TileStore } from './tree-check.ts';
import { checkWitnesses, type WitnessPolicy, type WitnessReport } from './witness-check.ts';

/** What both ways of verifying take. */
export interface TrustOptions {
  /** The verifier key that counts, as text; without it the one that lies in the log, which proves less. */
  readonly verifierKey?: string | undefined;
  /**
   * A checkpoint that the caller trusts, as a signed note, or a text that holds one: the log must go on from it, and
   * what was before is not read again.
   */
  readonly since?: string | undefined;
  /** Whose cosignatures count; without it nobody's are looked for. */
  readonly trustedWitnesses?: WitnessPolicy | undefined;
  /** How many threads hash; 0 uses none of their own. */
  readonly threads?: number;
}

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

export interface VerifyReport extends TreeReport {
  /** Nothing was changed, and as many witnesses cosigned as must. */
  readonly ok: boolean;
  /** Everything that was changed, each named; empty where nothing was. Of very many the first thousand. */
  readonly findings: readonly Finding[];
  /** How many findings there are. */
  readonly found: number;
  /** How many entries were signed. */
  readonly size: number;
  /** Acknowledged entries without a place in the tree; whoever seals next gives them one. */
  readonly waiting: Waiting;
  /** The key that counted, and whether the caller gave it. */
  readonly verifierKey: string | undefined;
  readonly isKeyGiven: boolean;
  /** The newest checkpoint that counts. */
  readonly checkpoint: SignedCheckpoint | undefined;
  /**
   * How many entries the published checkpoint covers; undefined where none is known: then nobody can see that newer
   * ones were cut off.
   */
  readonly published: number | undefined;
  /** Who cosigned, of the witnesses that were given. */
  readonly witnesses: WitnessReport | undefined;
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
  const { log, state } = options;
  const findings = new Findings();
  const own = await readVerifierKey(log);
  const key = keyOf(options, own, findings.note);
  const published = key && (await publishedIn(state, key, findings.note));
  const newest = key && (await newestIn(log, key, published));
  const [size, since] = [newest?.size ?? 0, key && sinceOf(options, key)];
  const tiles = liveTiles(log, state);
  const start = await rowsFrom(tiles, { since: since?.size ?? 0, size, note: findings.note });
  const runs = new RunCheck(start.size > 0);
  const sequence = new SequenceCheck({ log, from: start.size, note: findings.note });
  const known = [...expected(published, publishedKey), ...expected(since, 'the checkpoint given')].filter(
    (one) => one.size <= size,
  );
  const stored =
    key &&
    storedCheckpoints(log, { signer: key, after: start.size === 0 ? undefined : start.size, notify: findings.note });
  const tree = await checkTree({
    bundles: logBundles({
      stretches: sequence.stretches(),
      from: start.size / tileWidth,
      size,
      tiles,
      note: findings.note,
    }),
    expected: new ExpectedRoots(known, stored),
    start,
    size,
    tiles,
    runs,
    note: findings.note,
    threads: options.threads ?? 0,
    // What is there is looked at with everything else that lies in the store.
    evidenceProblem: async (hash) => ((await log.get(evidenceKey(hash))) ? undefined : missingEvidence),
  });
  tellShort(findings.note, { sequenced: sequence.size, size, since, hasKey: own !== undefined });
  const writerKey = await options.writerKey?.();
  const writer = writerKey && key && { key: writerKey, origin: key.name };
  const rest = {
    log,
    writer,
    next: sequence.next,
    size,
    isWhole: sequence.isWhole,
    lastDay: sequence.lastDay,
    runs,
    note: findings.note,
  };
  await checkBoundaries(rest, sequence.size);
  const isPlanted = await checkUnsignedRecords(rest);
  const waiting = await checkLeftovers({ ...rest, size: isPlanted ? size : Math.max(size, sequence.size) });
  if (options.history) await checkHistory(options.history, findings.note);
  if (key) await checkAnchors(options.anchors ?? [], { log, size, signer: key, note: findings.note });
  if (key && published) await checkPublished(published, { log, signer: key, note: findings.note });
  const vouched = {
    checkpoint: published ?? newest,
    key: published ? publishedKey : checkpointKey(size),
    log,
    note: findings.note,
  };
  const witnesses = await checkWitnesses(options.trustedWitnesses, vouched);
  return report(
    {
      ...tree,
      size,
      waiting,
      verifierKey: key,
      given: options.verifierKey,
      checkpoint: newest,
      published: published?.size,
      witnesses,
    },
    findings,
  );
}

/**
 * The same for a plain tlog-tiles directory: `checkpoint`, tiles, entry bundles, and the key in `log.vkey` where none
 * is given.
 */
export async function verifyTiles(options: TrustOptions & { readonly store: ObjectStore }): Promise<VerifyReport> {
  const { store } = options;
  const findings = new Findings();
  const tiles: TileStore = {
    get: async (path) => (await store.get(path))?.bytes,
    keyOf: (path) => path,
    hasPartial: true,
  };
  const key = keyOf(options, await readVerifierKey(store), findings.note);
  const stored = await store.get('checkpoint');
  if (!stored) findings.note({ key: 'checkpoint', kind: 'missing', what: 'is missing' });
  const checkpoint =
    stored &&
    key &&
    trusted(Buffer.from(stored.bytes).toString(), { key: 'checkpoint', signer: key, notify: findings.note });
  const [size, since] = [checkpoint?.size ?? 0, key && sinceOf(options, key)];
  const start = await rowsFrom(tiles, { since: since?.size ?? 0, size, note: findings.note });
  const known = [...expected(checkpoint, 'checkpoint'), ...expected(since, 'the checkpoint given')].filter(
    (one) => one.size <= size,
  );
  const tree = await checkTree({
    bundles: tilesBundles(tiles, { from: start.size / tileWidth, size, note: findings.note }),
    expected: new ExpectedRoots(known),
    start,
    size,
    tiles,
    runs: new RunCheck(start.size > 0),
    note: findings.note,
    threads: options.threads ?? 0,
    evidenceProblem: (hash) => evidenceProblem(store, hash),
  });
  tellShort(findings.note, { sequenced: size, size, since, hasKey: key !== undefined });
  const waiting = { batches: 0, since: undefined };
  const witnesses = await checkWitnesses(options.trustedWitnesses, {
    checkpoint,
    key: 'checkpoint',
    log: undefined,
    note: findings.note,
  });
  return report(
    {
      ...tree,
      size,
      waiting,
      verifierKey: key,
      given: options.verifierKey,
      checkpoint,
      published: checkpoint?.size,
      witnesses,
    },
    findings,
  );
}

type Told = TreeReport &
  Pick<VerifyReport, 'size' | 'waiting' | 'checkpoint' | 'published' | 'witnesses'> & {
    readonly verifierKey: VerifierKey | undefined;
    readonly given: string | undefined;
  };

function report({ verifierKey, given, ...told }: Told, findings: Findings): VerifyReport {
  const key = verifierKey && `${verifierKey.name}+${verifierKey.id}`;
  const ok = findings.found === 0 && told.witnesses?.isEnough !== false;
  return {
    ...told,
    ok,
    findings: findings.first,
    found: findings.found,
    verifierKey: given ?? key,
    isKeyGiven: given !== undefined,
  };
}

/** The key that counts. One that lies in the log and is another than the given one is told. */
function keyOf({ verifierKey }: TrustOptions, own: string | undefined, note: Note): VerifierKey | undefined {
  if (verifierKey !== undefined) {
    if (own !== undefined && own !== verifierKey)
      note({ key: verifierKeyKey, kind: 'unsigned', what: 'is another key than the one given' });
    return parseVerifierKey(verifierKey);
  }
  if (own === undefined) return undefined;
  try {
    return parseVerifierKey(own);
  } catch (thrown) {
    if (!(thrown instanceof LockkeeperError)) throw thrown;
    note({ key: verifierKeyKey, kind: 'changed', what: `was changed: ${thrown.message}` });
    return undefined;
  }
}

function sinceOf({ since }: TrustOptions, key: VerifierKey): SignedCheckpoint | undefined {
  const wrong: Finding[] = [];
  const checkpoint =
    since === undefined
      ? undefined
      : trusted(noteIn(since, key.name), {
          key: 'the checkpoint given',
          signer: key,
          notify: (finding) => wrong.push(finding),
        });
  const [why] = wrong;
  if (why)
    throw new LockkeeperError('invalid', `the checkpoint given ${why.what}`, {
      hint: 'Give a checkpoint of this log, as it was saved earlier.',
    });
  return checkpoint;
}

async function publishedIn(
  state: ObjectStore | undefined,
  signer: VerifierKey,
  notify: Note,
): Promise<SignedCheckpoint | undefined> {
  const stored = await state?.get(publishedKey);
  return stored && trusted(Buffer.from(stored.bytes).toString(), { key: publishedKey, signer, notify });
}

/** The newest of the checkpoints in the log store, and of the published one, that counts. */
async function newestIn(
  log: ObjectStore,
  signer: VerifierKey,
  published: SignedCheckpoint | undefined,
): Promise<SignedCheckpoint | undefined> {
  const sizes: number[] = [];
  for await (const size of checkpointSizes(log, published?.size)) sizes.push(size);
  for (const size of sizes.toReversed()) {
    const stored = await log.get(checkpointKey(size));
    const checkpoint = stored && trusted(Buffer.from(stored.bytes).toString(), { key: '', signer, notify: () => {} });
    if (checkpoint?.size === size) return checkpoint;
  }
  return published;
}

function expected(checkpoint: SignedCheckpoint | undefined, key: string) {
  return checkpoint ? [{ size: checkpoint.size, root: checkpoint.root, key }] : [];
}

interface Sizes {
  readonly sequenced: number;
  readonly size: number;
  readonly since: SignedCheckpoint | undefined;
  readonly hasKey: boolean;
}

function tellShort(note: Note, { sequenced, size, since, hasKey }: Sizes): void {
  if (sequenced < size)
    note({
      key: sequenceKey(sequenced),
      index: sequenced,
      kind: 'cut-off',
      what: `is missing: ${size} entries were signed, and only ${sequenced} have their place`,
    });
  if (since && since.size > size)
    note({
      key: checkpointKey(since.size),
      kind: 'cut-off',
      what: `is missing: the log was longer, ${since.size} entries, when the checkpoint given was made`,
    });
  if (!hasKey && sequenced > 0)
    note({ key: verifierKeyKey, kind: 'missing', what: 'is missing: nobody can tell whether the entries were signed' });
}

function liveTiles(log: ObjectStore, state: ObjectStore | undefined): TileStore {
  return {
    async get(path) {
      const tile = partialIn(path);
      if (!tile) return (await log.get(path))?.bytes;
      const stored = await state?.get(`${partialPrefix}${path}`);
      // Whoever seals meanwhile may have filled it, and swept the partial one away.
      return stored ? stored.bytes : beginOf(tile, (await log.get(fullPath(tile)))?.bytes);
    },
    keyOf: (path) => (partialIn(path) ? `${partialPrefix}${path}` : path),
    hasPartial: state !== undefined,
  };
}

function partialIn(path: string): TilePath | undefined {
  const tile = parseTilePath(path);
  return tile && tile.width < tileWidth ? tile : undefined;
}

function fullPath(tile: TilePath): string {
  return tile.kind === 'entries' ? bundlePath(tile.index) : tilePath(tile.level, tile.index);
}

/** What the partial tile held, of the full one. */
function beginOf({ kind, width }: TilePath, full: Uint8Array | undefined): Uint8Array | undefined {
  if (kind === 'hashes') return full?.subarray(0, width * hashBytes);
  const entries = full && entriesIn(full);
  return entries && encodeBundle(entries.slice(0, width));
}
