import { LockkeeperError } from '../base/error.ts';
import type { AuditEvent, AuditLog } from './entry.ts';

type Details = AuditEvent['details'];

/** One effect and what the log tells of it. */
export interface AuditedEffect<T> {
  /** What the entries say besides how it went; asked anew for each of the two. */
  readonly event: () => Omit<AuditEvent, 'stage' | 'result'>;
  readonly act: () => Promise<T>;
  /** What the outcome says besides, once the answer is known. */
  readonly told?: ((answer: T) => Details) | undefined;
}

/**
 * Intent into the log, then the effect, then its outcome. Without an acknowledged intent nothing happens; a failure is
 * recorded with its code and message and thrown on. Throws what the log throws; a failure that the log did not take
 * keeps its code and names both. A process that dies in between leaves an intent alone: the next run repeats the pair.
 */
export async function audited<T>(log: AuditLog, { event, act, told }: AuditedEffect<T>): Promise<T> {
  await log.record({ ...event(), stage: 'intent' });
  let answer: T;
  try {
    answer = await act();
  } catch (thrown) {
    if (!(thrown instanceof LockkeeperError)) throw thrown;
    await recordFailure(log, event(), thrown);
    throw thrown;
  }
  const said = event();
  await log.record({ ...said, details: { ...said.details, ...told?.(answer) }, stage: 'outcome', result: 'done' });
  return answer;
}

async function recordFailure(log: AuditLog, event: Omit<AuditEvent, 'stage' | 'result'>, error: LockkeeperError): Promise<void> {
  const details = { ...event.details, code: error.code, message: error.message };
  try {
    await log.record({ ...event, details, stage: 'outcome', result: resultOf(error) });
  } catch (thrown) {
    if (!(thrown instanceof LockkeeperError)) throw thrown;
    const cause = new AggregateError([error, thrown]);
    throw new LockkeeperError(error.code, `${error.message}; the log did not take the outcome: ${thrown.message}`, { cause });
  }
}

/** `refused` where whoever was asked said no, and nothing was changed. */
function resultOf({ code }: LockkeeperError): NonNullable<AuditEvent['result']> {
  if (code === 'uncertain') return 'uncertain';
  return code === 'rejected' || code === 'denied' || code === 'conflict' ? 'refused' : 'failed';
}
