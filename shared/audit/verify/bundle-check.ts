import { asLockkeeperError } from '../../base/error.ts';
import { statementOf } from '../entries/statement.ts';
import { decodeBundle } from '../tlog/bundle.ts';
import { hashBytes, leafHash, treeRoot, type Hash } from '../tlog/merkle.ts';
import { hashesOf } from '../tlog/tile-rows.ts';
import { tileWidth } from '../tlog/tile.ts';

/** What a run's entries in one bundle say, taken together. */
export interface RunPart {
  readonly run: string;
  /** Index, counter and predecessor of its first entry here. */
  readonly index: number;
  readonly n: number;
  readonly previous: string;
  /** Counter that must come next, and leaf hash of its last entry here. */
  readonly next: number;
  readonly last: string;
  /** What its last entry counts, where the run ended here. */
  readonly counts: number | undefined;
}

/** What is wrong with one entry of the bundle. */
export interface EntryProblem {
  readonly index: number;
  readonly kind: 'changed' | 'chain' | 'omitted';
  readonly what: string;
}

/** A bundle as it was read and hashed. Plain data: it comes from a thread of its own where the log is long. */
export interface CheckedBundle {
  readonly count: number;
  /** Leaf hashes, one after the other. */
  readonly leaves: Uint8Array;
  /** The root over them, where they are as many as a tile holds. */
  readonly root: Hash | undefined;
  readonly runs: readonly RunPart[];
  readonly problems: readonly EntryProblem[];
  /** Hashes of the evidence that its entries rest on. */
  readonly evidence: readonly string[];
}

/** Of a bundle that cannot be read. */
export const noBundle: CheckedBundle = {
  count: 0,
  leaves: new Uint8Array(),
  root: undefined,
  runs: [],
  problems: [],
  evidence: [],
};

/**
 * Reads and hashes the entries of one bundle, `first` being the index of its first entry. Pure, and most of the work of
 * verifying a log. A bundle that cannot be taken apart has no leaves, and one problem.
 */
export function checkBundle(first: number, bytes: Uint8Array): CheckedBundle {
  let entries: readonly Uint8Array[];
  try {
    entries = decodeBundle(bytes);
  } catch (thrown) {
    return {
      ...noBundle,
      problems: [{ index: first, kind: 'changed', what: `was changed: ${asLockkeeperError(thrown).message}` }],
    };
  }
  const leaves = new Uint8Array(entries.length * hashBytes);
  const parts = new Map<string, RunPart>();
  const problems: EntryProblem[] = [];
  const evidence = new Set<string>();
  for (const [at, entry] of entries.entries()) {
    const leaf = leafHash(entry);
    leaves.set(leaf, at * hashBytes);
    const problem = follow(parts, entry, { index: first + at, hash: hex(leaf), evidence });
    if (problem) problems.push(problem);
  }
  const root = entries.length === tileWidth ? treeRoot(hashesOf(leaves)) : undefined;
  return { count: entries.length, leaves, root, runs: [...parts.values()], problems, evidence: [...evidence] };
}

function follow(
  parts: Map<string, RunPart>,
  entry: Uint8Array,
  { index, hash, evidence }: { readonly index: number; readonly hash: string; readonly evidence: Set<string> },
): EntryProblem | undefined {
  try {
    const { run, n, previous, counts, evidence: restsOn } = statementOf(entry);
    if (restsOn !== undefined) evidence.add(restsOn);
    const part = parts.get(run);
    const wrong =
      part && wrongAfter({ next: part.next, last: part.last, ended: part.counts !== undefined }, { run, n, previous });
    parts.set(run, { ...(part ?? { run, index, n, previous }), next: n + 1, last: hash, counts });
    if (counts !== undefined && counts !== n + 1)
      return { index, kind: 'omitted', what: `says that run ${run} has ${counts} entries, and is number ${n}` };
    return wrong && { index, ...wrong };
  } catch (thrown) {
    return { index, kind: 'changed', what: `was changed: ${asLockkeeperError(thrown).message}` };
  }
}

/** What is wrong with an entry that comes after the one of its run with `next - 1` and hash `last`. */
export function wrongAfter(
  before: { readonly next: number; readonly last: string; readonly ended: boolean },
  { run, n, previous }: { readonly run: string; readonly n: number; readonly previous: string },
): Omit<EntryProblem, 'index'> | undefined {
  if (before.ended) return { kind: 'chain', what: `is of run ${run}, which had ended` };
  if (n > before.next)
    return { kind: 'omitted', what: `is number ${n} of run ${run}; ${before.next} should come first` };
  if (n < before.next) return { kind: 'chain', what: `is number ${n} of run ${run} again` };
  if (previous !== before.last)
    return { kind: 'chain', what: `does not follow the entry before it in run ${run}: one of the two was rewritten` };
  return undefined;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}
