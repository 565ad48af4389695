import { LockkeeperError } from '../base/error.ts';
import { selfTestObject, type ObjectStore } from '../objects/contract.ts';
import { ChainCheck, type Finding } from './chain-check.ts';
import { headKey, indexOf } from './layout.ts';
import { readHead, type Head } from './head.ts';

export interface VerifyOptions {
  readonly log: ObjectStore;
  /** Where the head is. Without it nobody can see that entries were cut off the end. */
  readonly state?: ObjectStore | undefined;
}

export interface VerifyReport {
  /** How many entries are there. */
  readonly entries: number;
  readonly ok: boolean;
  /** Everything that was changed, each named; empty where nothing was. */
  readonly findings: readonly Finding[];
  /** How many entries the head vouches for; undefined where it was not checked or cannot be read. */
  readonly covered: number | undefined;
}

/**
 * Reads the whole log and tells everything in it that lockkeeper did not write so: a changed byte, a missing, moved,
 * doubled, foreign or cut-off entry, a broken chain, a counter of a run that jumps. Needs no key and no network, only
 * reads; memory grows with the number of runs, not of entries. Throws what the store throws.
 *
 * What it cannot see: whoever may write both stores can write another log that is sound in itself.
 */
export async function verify({ log, state }: VerifyOptions): Promise<VerifyReport> {
  // The head first: entries appended while this reads are after it.
  const head = state && (await checkedHead(state));
  const chain = new ChainCheck(head?.is);
  for await (const { key } of log.list('')) {
    const stored = await log.get(key);
    const index = indexOf(key);
    if (!stored) chain.note({ key, kind: 'missing', what: 'was listed and is gone' });
    else if (index !== undefined) chain.entry(key, index, stored.bytes);
    else if (!isSelfTest(key, stored.bytes)) chain.note({ key, kind: 'foreign', what: 'is no object of the log' });
  }
  const findings = [...(head?.findings ?? []), ...chain.end()];
  const lost = state && !head?.is && head?.findings.length === 0 && chain.entries > 0;
  if (lost) findings.push({ key: headKey, kind: 'head', what: 'is gone from the state store: nobody can tell how long the log was' });
  return { entries: chain.entries, ok: findings.length === 0, findings, covered: head?.is?.size };
}

async function checkedHead(state: ObjectStore): Promise<{ readonly is: Head | undefined; readonly findings: readonly Finding[] }> {
  try {
    return { is: await readHead(state), findings: [] };
  } catch (thrown) {
    if (!(thrown instanceof LockkeeperError && thrown.code === 'invalid')) throw thrown;
    return { is: undefined, findings: [{ key: headKey, kind: 'head', what: 'was changed' }] };
  }
}

function isSelfTest(key: string, bytes: Uint8Array): boolean {
  return key === selfTestObject.key && Buffer.compare(bytes, Buffer.from(selfTestObject.text)) === 0;
}
