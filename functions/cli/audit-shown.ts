import { SignedLeaves } from '../../shared/audit/export/signed-leaves.ts';
import type { IndexedEntry, UnreadableEntry } from '../../shared/audit/read.ts';
import type { Refused } from '../../shared/audit/sealing/waiting.ts';
import { tampered } from '../../shared/audit/tampered.ts';
import { leafHash } from '../../shared/audit/tlog/merkle.ts';
import { hasCode, LockkeeperError } from '../../shared/base/error.ts';
import { allEntriesOf, tilesOf, type AuditStores } from './audit.ts';

/** What is said about entries that were read. */
export interface Shown {
  /** How many were compared with the signed tree, and how many are not signed yet. */
  readonly signed: number;
  readonly unsigned: number;
}

export interface SignedEntriesOptions {
  /** The verifier key that counts before the configured one. */
  readonly key: string | undefined;
  readonly told: (shown: Shown) => void;
  /** Is told what is left out. */
  readonly refused?: ((one: Refused) => void) | undefined;
}

/**
 * The entries of a log of either kind in their order, each compared with the signed tree before it is handed out;
 * `told` is kept up to date meanwhile. `conflict` at the first that is not what
 * was signed, and at the end where signed ones are not there. Where nothing was signed yet, nothing is compared.
 */
export async function* signedEntries(
  stores: AuditStores,
  { key, told, refused }: SignedEntriesOptions,
): AsyncGenerator<IndexedEntry | UnreadableEntry> {
  const leaves = await leavesOf(stores, key);
  let [signed, unsigned] = [0, 0];
  for await (const entry of allEntriesOf(stores, refused)) {
    if (leaves && entry.index !== undefined && entry.index < leaves.size) {
      await leaves.expect(entry.index, 'unreadable' in entry ? hashOf(entry.bytes) : entry.hash);
      signed += 1;
    } else unsigned += 1;
    told({ signed, unsigned });
    yield entry;
  }
  if (leaves && signed !== leaves.size) throw tampered(`${leaves.size} entries were signed, and ${signed} are there`);
}

function hashOf(bytes: Uint8Array): string {
  return Buffer.from(leafHash(bytes)).toString('hex');
}

async function leavesOf(stores: AuditStores, key: string | undefined): Promise<SignedLeaves | undefined> {
  try {
    return await SignedLeaves.of(await tilesOf(stores, key));
  } catch (thrown) {
    if (stores.kind === 'log' && hasCode(thrown, 'not-found') && (await hasNoCheckpoint(stores))) return undefined;
    if (!(thrown instanceof LockkeeperError)) throw thrown;
    throw new LockkeeperError(
      thrown.code,
      `nothing is shown, for it cannot be compared with what was signed: ${thrown.message}`,
      {
        cause: thrown,
        hint: 'Run `lockkeeper audit verify`. With --unverified it is printed as it lies there.',
      },
    );
  }
}

async function hasNoCheckpoint({ log }: AuditStores): Promise<boolean> {
  for await (const _ of log.list('cp/')) return false;
  return true;
}
