import { acknowledged } from '../../shared/audit/audited.ts';
import { inboxPrefix, numberIn, parseBatchKey, sequencePrefix } from '../../shared/audit/layout.ts';
import type { RunLog } from '../../shared/audit/log.ts';
import { sha256 } from '../../shared/base/canonical.ts';
import { LockkeeperError } from '../../shared/base/error.ts';
import type { ObjectStore } from '../../shared/objects/contract.ts';

/** What admitting takes. */
export interface AdmitDeps {
  readonly audit: RunLog;
  readonly log: ObjectStore;
  /** Who vouches: the account at the terminal. */
  readonly account: string;
}

/** An entry names so many at most. */
const mostAtOnce = 200;

/**
 * A person vouches for batches of the inbox that have no valid proof, as those that an earlier version wrote and nobody
 * sealed: each of `names` is the key of one, of the folder of a run, or of a sequence record. It is recorded, with the hash of each, before it
 * counts. Answers their keys. `not-found` where there is none of a name, `invalid` for more than 200.
 */
export async function admit(
  names: readonly string[],
  { audit, log, account }: AdmitDeps,
): Promise<ReadonlySet<string>> {
  const keys = (await Promise.all(names.map((name) => batchesOf(log, name)))).flat();
  if (keys.length > mostAtOnce)
    throw new LockkeeperError(
      'invalid',
      `nothing was admitted: these are ${keys.length} objects, and ${mostAtOnce} at most go at once`,
      {
        hint: 'Name fewer, and repeat it.',
      },
    );
  const batches = await Promise.all(keys.map(async (key) => ({ key, sha256: await hashOf(log, key) })));
  await acknowledged(audit, {
    action: 'audit.admit',
    stage: 'fact',
    subject: { kind: 'log', id: names[0] ?? '' },
    actor: account,
    correlation: names[0] ?? '',
    details: { batches },
  });
  return new Set(keys);
}

async function batchesOf(log: ObjectStore, name: string): Promise<readonly string[]> {
  if (numberIn(name, sequencePrefix) !== undefined && (await log.get(name))) return [name];
  const folder = /^inbox\/[^/]+\/[^/]+\/?$/.test(name) ? `${name.replace(/\/$/, '')}/` : undefined;
  const keys: string[] = [];
  for await (const { key } of log.list(folder ?? (name.startsWith(inboxPrefix) ? name : inboxPrefix)))
    if (parseBatchKey(key) && (folder !== undefined || key === name)) keys.push(key);
  if (keys.length > 0) return keys;
  throw new LockkeeperError('not-found', `nothing was admitted: the inbox has no batch ${name}`, {
    hint: '`lockkeeper audit seal` and `audit verify` name what stays outside.',
  });
}

async function hashOf(log: ObjectStore, key: string): Promise<string> {
  const stored = await log.get(key);
  if (stored) return sha256(stored.bytes);
  throw new LockkeeperError('not-found', `nothing was admitted: ${key} is gone`, { hint: 'Try again.' });
}
