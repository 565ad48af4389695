import { leafHash, treeRoot, type Hash } from '../../shared/audit/tlog/merkle.ts';
import { partialPrefix } from '../../shared/audit/layout.ts';
import { parseVerifierKey } from '../../shared/audit/tlog/note.ts';
import { decodeSequence, endOf, type SequencedBatch } from '../../shared/audit/sealing/sequence.ts';
import { decodeBatch } from '../../shared/audit/sealing/batch.ts';
import { TileRows } from '../../shared/audit/tlog/tile-rows.ts';
import { parseTilePath, tileWidth } from '../../shared/audit/tlog/tile.ts';
import { checkBundle } from '../../shared/audit/verify/bundle-check.ts';
import { storedCheckpoints } from '../../shared/audit/verify/expected-roots.ts';
import type { Finding, Note } from '../../shared/audit/verify/finding.ts';
import { checkLeftovers } from '../../shared/audit/verify/leftovers.ts';
import { bundleOf } from '../../shared/audit/verify/log-bundles.ts';
import { RunCheck } from '../../shared/audit/verify/run-check.ts';
import { SequenceCheck, stretchOf } from '../../shared/audit/verify/sequence-check.ts';
import { TreeCheck, type TileStore } from '../../shared/audit/verify/tree-check.ts';
import type { ObjectStore } from '../../shared/objects/contract.ts';
import type { LongLog } from '../audit/long-log.ts';
import { stored } from '../audit/place.ts';
import type { Target } from './tamper-log.ts';

/**
 * What verification says of one object that holds other bytes, the rest of the log being as it was: by the very
 * functions that a whole verification calls for it, given only what they read. A hundred thousand changes are looked at
 * this way.
 */
export class ObjectChecks {
  readonly #at: LongLog;
  readonly #entries: readonly Uint8Array[];
  readonly #roots: readonly Hash[];
  readonly #batches = new Map<string, { readonly batch: SequencedBatch; readonly first: number }>();

  constructor(at: LongLog) {
    this.#at = at;
    const records = [...at.bucket.objects]
      .filter(([key]) => key.startsWith('seq/'))
      .map(([, { bytes }]) => decodeSequence(bytes))
      .toSorted((a, b) => a.first - b.first);
    for (const { first, batches } of records) {
      let next = first;
      for (const batch of batches) {
        this.#batches.set(batch.key, { batch, first: next });
        next += batch.count;
      }
      if (next !== endOf({ first, batches, previous: '' })) throw new Error('a record is not as long as its batches');
    }
    this.#entries = [...this.#batches.keys()].flatMap((key) => decodeBatch(stored(at.bucket, key)).entries);
    const full = Math.floor(this.#entries.length / tileWidth);
    this.#roots = Array.from({ length: full }, (_, index) => treeRoot(this.#slots(index).map(leafHash)));
  }

  /** Undefined for objects that only a whole verification looks at. */
  async check(target: Target, bytes: Uint8Array): Promise<readonly Finding[] | undefined> {
    const findings: Finding[] = [];
    const isKnown = await this.#look(target, bytes, (finding) => findings.push(finding));
    return isKnown ? findings : undefined;
  }

  async #look({ key, kind }: Target, bytes: Uint8Array, note: Note): Promise<boolean> {
    const log = withOnly(this.#at.log, key, bytes);
    if (kind === 'inbox') return await this.#batch(log, key, note);
    if (kind === 'seq')
      for await (const _ of new SequenceCheck({ log, from: Number(key.slice('seq/'.length)), note }).stretches());
    else if (kind === 'cp')
      for await (const _ of storedCheckpoints(log, {
        signer: parseVerifierKey(this.#at.verifierKey),
        after: undefined,
        notify: note,
      }));
    else if (['cosig', 'evidence', 'self-test'].includes(kind)) await this.#leftover(log, note);
    else return await this.#tile(key, bytes, note);
    return true;
  }

  async #batch(log: ObjectStore, key: string, note: Note): Promise<boolean> {
    const placed = this.#batches.get(key);
    if (placed) await stretchOf({ log, note }, placed.batch, placed.first);
    return placed !== undefined;
  }

  async #leftover(log: ObjectStore, note: Note): Promise<void> {
    await checkLeftovers({
      log,
      next: new Map(),
      size: this.#entries.length,
      isWhole: true,
      writer: undefined,
      lastDay: '',
      runs: new RunCheck(false),
      note,
    });
  }

  async #tile(key: string, bytes: Uint8Array, note: Note): Promise<boolean> {
    const path = key.replace(partialPrefix, '');
    const tile = parseTilePath(path);
    if (!tile) return false;
    const { log, state } = this.#at;
    const tiles: TileStore = {
      get: async (wanted) =>
        wanted === path
          ? bytes
          : (await (wanted.includes('.p/') ? state.get(`${partialPrefix}${wanted}`) : log.get(wanted)))?.bytes,
      keyOf: (wanted) => (wanted.includes('.p/') ? `${partialPrefix}${wanted}` : wanted),
      hasPartial: true,
    };
    const size = this.#entries.length;
    if (tile.kind === 'entries') await bundleOf({ tiles, size, note }, tile.index, this.#slots(tile.index));
    else if (tile.level === 0) await this.#leaves(tile.index, { tiles, size, note });
    else await new TreeCheck({ tiles, size, from: this.#rows(this.#roots.length), note }).end();
    return true;
  }

  async #leaves(
    index: number,
    options: { readonly tiles: TileStore; readonly size: number; readonly note: Note },
  ): Promise<void> {
    const tree = new TreeCheck({ ...options, from: this.#rows(index) });
    const checked = { ...noEntries, ...leavesOf(this.#slots(index)) };
    await tree.add({ index, key: 'bundle', checked, tile: await tree.tile(index) }, []);
  }

  /** The tree of so many full bundles. */
  #rows(bundles: number): TileRows {
    return new TileRows({ size: bundles * tileWidth, levels: [[], this.#roots.slice(0, bundles)] });
  }

  #slots(index: number): readonly Uint8Array[] {
    return this.#entries.slice(index * tileWidth, (index + 1) * tileWidth);
  }
}

const noEntries = checkBundle(0, new Uint8Array());

function leavesOf(entries: readonly Uint8Array[]) {
  const leaves = entries.map(leafHash);
  return {
    count: entries.length,
    leaves: Buffer.concat(leaves),
    root: leaves.length === tileWidth ? treeRoot(leaves) : undefined,
  };
}

/** A store that lists one object only, which holds these bytes; all others can be read. */
function withOnly(store: ObjectStore, key: string, bytes: Uint8Array): ObjectStore {
  return {
    ...store,
    get: async (wanted) => (wanted === key ? { bytes, version: 'changed' } : await store.get(wanted)),
    async *list(prefix) {
      if (key.startsWith(prefix)) yield { key, size: bytes.length };
    },
  };
}
