import { createHash } from 'node:crypto';
import { hasCode, LockkeeperError } from '../base/error.ts';
import type { Guard } from './contract.ts';
import type { PostgresAccess } from './postgres-access.ts';
import { beginPinned, durableCommit } from './postgres-session.ts';

/** What is done under the lock of one credential, and where. */
export interface LockedWork {
  readonly access: PostgresAccess;
  /** The primary. */
  readonly endpoint: string;
  readonly credential: string;
  /** What is tried, for errors. */
  readonly tried: string;
  readonly guard: Guard;
  /** After the guard, in its transaction; undefined: the guard is all there is. */
  readonly statement: string | undefined;
}

/**
 * Runs the guard and then the statement in one transaction under `pg_advisory_xact_lock`. Killed before COMMIT: the
 * server rolls back, nothing happened. Killed after: it happened, and doing it again is harmless. A COMMIT without an
 * answer is `uncertain`.
 */
export async function underLock(work: LockedWork): Promise<void> {
  const { access, endpoint, credential, tried, guard, statement } = work;
  let stopped: { readonly by: unknown } | undefined;
  let isCommitting = false;
  try {
    await access.asAdmin(endpoint, tried, async (client) => {
      await beginPinned(client, { writes: true });
      await client.query(durableCommit);
      await client.query(lockText, [lockKey(credential)]);
      await guard().catch((thrown: unknown) => {
        stopped = { by: thrown };
        throw thrown;
      });
      if (statement !== undefined) await client.query(statement);
      isCommitting = true;
      const { command } = await client.query('COMMIT');
      isCommitting = false;
      if (command !== 'COMMIT') throw rolledBack(`${tried} at ${endpoint}`);
    });
  } catch (thrown) {
    if (stopped) throw stopped.by;
    if (!isCommitting || statement === undefined || !isConnectionLoss(thrown)) throw thrown;
    throw new LockkeeperError('uncertain', `${thrown.message}; it may have happened`, {
      hint: 'The next run finds out by logging in.',
      cause: thrown,
    });
  }
}

const lockText = 'SELECT pg_catalog.pg_advisory_xact_lock($1::pg_catalog.int8)';

function rolledBack(tried: string): LockkeeperError {
  return new LockkeeperError('unreachable', `${tried}: the server rolled back`, { hint: 'The next run tries again.' });
}

function isConnectionLoss(thrown: unknown): thrown is LockkeeperError {
  return hasCode(thrown, 'unreachable') || hasCode(thrown, 'bug');
}

/** One lock for one credential, as a signed 64-bit number. */
function lockKey(credential: string): string {
  return createHash('sha256').update(`lockkeeper:${credential}`).digest().readBigInt64BE(0).toString();
}
