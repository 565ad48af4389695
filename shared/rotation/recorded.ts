import type { AuditEvent } from '../audit/entry.ts';
import type { Plain } from '../base/canonical.ts';
import { LockkeeperError } from '../base/error.ts';
import type { Run } from './under-way.ts';

type Details = Readonly<Record<string, Plain | undefined>>;

/** Who records: the rooms, and the journal that the entries belong to where there is one. */
export type Recorder = Pick<Run, 'rooms' | 'held'>;

/** One effect as the log tells it; `rotation` where no journal names it yet. */
export interface AuditedEffect {
  readonly action: string;
  readonly rotation?: string;
  readonly details: Details;
}

/**
 * Intent into the log, then the effect, then its outcome, with what `told` says of the answer. Without an acknowledged
 * intent nothing happens; a failure is recorded with its code and thrown on.
 */
export async function audited<T>(run: Recorder, what: AuditedEffect & { readonly told?: (answer: T) => Details }, effect: () => Promise<T>): Promise<T> {
  await record(run, { ...what, stage: 'intent' });
  let answer: T;
  try {
    answer = await effect();
  } catch (thrown) {
    if (!(thrown instanceof LockkeeperError)) throw thrown;
    await recordFailure(run, what, thrown);
    throw thrown;
  }
  await record(run, { ...what, details: { ...what.details, ...what.told?.(answer) }, stage: 'outcome', result: 'done' });
  return answer;
}

async function recordFailure(run: Recorder, what: AuditedEffect, error: LockkeeperError): Promise<void> {
  const details = { ...what.details, code: error.code, message: error.message };
  try {
    await record(run, { ...what, details, stage: 'outcome', result: resultOf(error) });
  } catch (thrown) {
    if (!(thrown instanceof LockkeeperError)) throw thrown;
    const cause = new AggregateError([error, thrown]);
    throw new LockkeeperError(error.code, `${error.message}; the log did not take the outcome: ${thrown.message}`, { cause });
  }
}

function resultOf(error: LockkeeperError): NonNullable<AuditEvent['result']> {
  if (error.code === 'uncertain') return 'uncertain';
  return error.code === 'rejected' || error.code === 'denied' ? 'refused' : 'failed';
}

/** One line about this credential, before phase and epoch are put to it. */
export interface Line extends AuditedEffect, Pick<AuditEvent, 'stage' | 'result'> {}

/** One entry about this credential, durable on return. */
export async function record(run: Recorder, line: Line): Promise<void> {
  const { plan, actor, audit } = run.rooms;
  const { journal } = run.held ?? {};
  const { action, stage, result } = line;
  const correlation = line.rotation ?? journal?.rotation ?? plan.name;
  const details = { phase: journal?.phase, epoch: journal?.epoch, ...line.details };
  const subject = { kind: 'credential', id: plan.name } as const;
  await audit.record({ action, stage, subject, actor, correlation, details, ...(result && { result }) });
}
