import { leafHash, treeRoot, type Hash } from '../../shared/audit/tlog/merkle.ts';
import { consistencyProof } from '../../shared/audit/tlog/proof.ts';
import { vectorEntries } from './plain-log.ts';

/**
 * Proves that the log of `to` vector entries begins with that of `from`; hashed from the entries, not read from tiles.
 */
export async function consistencyBetween(from: number, to: number): Promise<readonly Hash[]> {
  const leaves = vectorEntries(to).map((entry) => leafHash(entry));
  return await consistencyProof(from, to, async (level, index) =>
    treeRoot(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level)),
  );
}
