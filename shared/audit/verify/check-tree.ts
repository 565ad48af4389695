import { evidenceKey } from '../layout.ts';
import { tileWidth } from '../tlog/tile.ts';
import type { TileRows } from '../tlog/tile-rows.ts';
import { ahead } from './ahead.ts';
import { noBundle, type CheckedBundle } from './bundle-check.ts';
import { bundlePool, type BundlePool } from './bundle-pool.ts';
import type { ExpectedRoots } from './expected-roots.ts';
import type { Note } from './finding.ts';
import type { BundleBytes } from './log-bundles.ts';
import type { RunCheck } from './run-check.ts';
import { TreeCheck, type TileStore } from './tree-check.ts';

export interface CheckTreeOptions {
  readonly bundles: AsyncIterable<BundleBytes>;
  readonly expected: ExpectedRoots;
  /** The tree of what is not read. */
  readonly start: TileRows;
  /** How many entries were signed. */
  readonly size: number;
  readonly tiles: TileStore;
  readonly note: Note;
  readonly threads: number;
  /** Follows the runs of what is read. */
  readonly runs: RunCheck;
  /** What is wrong with the evidence of this hash; undefined where nothing is. */
  readonly evidenceProblem: (hash: string) => Promise<string | undefined>;
}

export interface TreeReport {
  /** How many entries were read. */
  readonly entries: number;
  /** Runs that began in what was read, and those of them that have no end yet: they go on, or were killed. */
  readonly runs: { readonly began: number; readonly open: number };
}

/** Hashes every entry, builds the tree anew, compares it with tiles and checkpoints, and follows every run. */
export async function checkTree(options: CheckTreeOptions): Promise<TreeReport> {
  const { start, size, tiles, note, expected, runs } = options;
  const tree = new TreeCheck({ tiles, size, from: start, note });
  const evidence = new EvidenceCheck(options);
  const pool = bundlePool(size - start.size > worthThreads ? options.threads : 0);
  let entries = 0;
  try {
    for await (const { bundle, checked, tile } of ahead(
      options.bundles,
      (next) => checkedBy(pool, tree, next),
      pool.ahead,
    )) {
      entries += checked.count;
      const begin = bundle.index * tileWidth;
      const roots = await expected.upTo(Math.min(size, begin + tileWidth));
      const isLonger = checked.count > (bundle.most ?? Infinity);
      if (isLonger)
        note({
          key: bundle.key,
          index: begin + (bundle.most ?? 0),
          kind: 'changed',
          what: 'was changed: from this entry on, nothing of it was signed',
        });
      const isTrusted = begin >= size || (await tree.add({ ...bundle, checked, tile }, roots));
      const problems =
        isTrusted && !isLonger
          ? [...checked.problems, ...runs.add(checked)]
          : checked.problems.filter(({ kind }) => kind === 'changed');
      if (!isTrusted || isLonger) runs.lose();
      for (const problem of problems) note({ key: bundle.key, ...problem });
      for (const hash of checked.evidence) await evidence.check(hash);
    }
    await tree.end(await expected.upTo(size));
    // Whatever else lies among the checkpoints is looked at as it is read.
    await expected.upTo(Infinity);
  } finally {
    await pool.close();
  }
  return { entries, runs: runs.runs };
}

/** Looks once at everything that entries rest on. */
class EvidenceCheck {
  readonly #options: CheckTreeOptions;
  readonly #seen = new Set<string>();

  constructor(options: CheckTreeOptions) {
    this.#options = options;
  }

  async check(hash: string): Promise<void> {
    if (this.#seen.has(hash)) return;
    this.#seen.add(hash);
    const what = await this.#options.evidenceProblem(hash);
    if (what !== undefined)
      this.#options.note({ key: evidenceKey(hash), kind: what.includes('missing') ? 'missing' : 'changed', what });
  }
}

/** A shorter log is verified before a thread has started. */
const worthThreads = 20_000;

interface Checked {
  readonly bundle: BundleBytes;
  readonly checked: CheckedBundle;
  /** The tile of its leaves, as it is stored. */
  readonly tile: Uint8Array | undefined;
}

async function checkedBy(pool: BundlePool, tree: TreeCheck, bundle: BundleBytes): Promise<Checked> {
  const { index, bytes } = bundle;
  const [checked, tile] = await Promise.all([
    bytes ? pool.check(index * tileWidth, bytes) : noBundle,
    tree.tile(index),
  ]);
  return { bundle: { ...bundle, bytes: undefined }, checked, tile };
}
