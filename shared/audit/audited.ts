import { hasCode, LockkeeperError, type ErrorCode } from '../base/error.ts';
import { toldText } from './entries/withhold.ts';
import type { Acknowledgement, AuditEvent, AuditLog } from './entry.ts';

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
 * keeps its code and names both. A process that dies in between leaves an intent alone: the next run repeats
 * the pair, or goes on from a journal that had moved, which its entries show.
 */
export async function audited<T>(log: AuditLog, { event, act, told }: AuditedEffect<T>): Promise<T> {
  await acknowledged(log, { ...event(), stage: 'intent' });
  let answer: T;
  try {
    answer = await act();
  } catch (thrown) {
    if (!(thrown instanceof LockkeeperError)) throw thrown;
    await recordFailure(log, event(), thrown);
    throw thrown;
  }
  const said = event();
  await acknowledged(log, {
    ...said,
    details: { ...said.details, ...told?.(answer) },
    stage: 'outcome',
    result: 'done',
  });
  return answer;
}

/**
 * Records one event, durable on return. A log that takes nothing until a person fixes it is `denied`, whatever its
 * store says: a story reads `conflict`, `rejected` and the like as the answer of what it wanted to change, and would go
 * on.
 */
export async function acknowledged(log: AuditLog, event: AuditEvent): Promise<Acknowledgement> {
  try {
    return await log.record(event);
  } catch (cause) {
    if (!(cause instanceof LockkeeperError) || !answers.has(cause.code)) throw cause;
    throw new LockkeeperError('denied', cause.message, {
      cause,
      ...(cause.hint !== undefined && { hint: cause.hint }),
    });
  }
}

/** What stories decide on when a firewall, a service or a journal says it. */
const answers: ReadonlySet<ErrorCode> = new Set(['conflict', 'rejected', 'unsupported', 'not-found']);

async function recordFailure(
  log: AuditLog,
  event: Omit<AuditEvent, 'stage' | 'result'>,
  error: LockkeeperError,
): Promise<void> {
  const outcome = (message: string): AuditEvent => {
    return {
      ...event,
      details: { ...event.details, code: error.code, message },
      stage: 'outcome',
      result: resultOf(error),
    };
  };
  try {
    await acknowledged(log, outcome(toldText(error.message))).catch((thrown: unknown) => {
      // The intent had the rest, so there is no room for the message: how it went is told all the same.
      if (hasCode(thrown, 'invalid')) return acknowledged(log, outcome(`not told: ${thrown.message}`));
      throw thrown;
    });
  } catch (thrown) {
    if (!(thrown instanceof LockkeeperError)) throw thrown;
    const cause = new AggregateError([error, thrown]);
    throw new LockkeeperError(error.code, `${error.message}; the log did not take the outcome: ${thrown.message}`, {
      cause,
    });
  }
}

/** `refused` where whoever was asked said no, and nothing was changed. */
function resultOf({ code }: LockkeeperError): NonNullable<AuditEvent['result']> {
  if (code === 'uncertain') return 'uncertain';
  return code === 'rejected' || code === 'denied' || code === 'conflict' ? 'refused' : 'failed';
}
