import type { AuditEvent } from '../audit/entry.ts';
import type { Plain } from '../base/canonical.ts';
import { LockkeeperError } from '../base/error.ts';
import type { Run } from './under-way.ts';

/** One effect as the log tells it; `rotation` where no journal names it yet. */
export interface AuditedEffect {
  readonly action: string;
  readonly rotation?: string;
  readonly details: Readonly<Record<string, Plain | undefined>>;
}

/**
 * Intent into the log, then the effect, then its outcome. Without an acknowledged intent nothing happens; a failure is
 * recorded with its code and thrown on.
 */
export async function audited<T>(run: Run, what: AuditedEffect, effect: () => Promise<T>): Promise<T> {
  await record(run, what.action, 'intent', what.details, what.rotation ? { rotation: what.rotation } : {});
  let answer: T;
  try {
    answer = await effect();
  } catch (thrown) {
    if (!(thrown instanceof LockkeeperError)) throw thrown;
    await recordFailure(run, what, thrown);
    throw thrown;
  }
  await record(run, what.action, 'outcome', what.details, { ...(what.rotation && { rotation: what.rotation }), result: 'done' });
  return answer;
}

async function recordFailure(run: Run, what: AuditedEffect, error: LockkeeperError): Promise<void> {
  const result = error.code === 'rejected' || error.code === 'denied' ? 'refused' : error.code === 'uncertain' ? 'uncertain' : 'failed';
  const details = { ...what.details, code: error.code, message: error.message };
  try {
    await record(run, what.action, 'outcome', details, { ...(what.rotation && { rotation: what.rotation }), result });
  } catch (thrown) {
    if (!(thrown instanceof LockkeeperError)) throw thrown;
    const cause = new AggregateError([error, thrown]);
    throw new LockkeeperError(error.code, `${error.message}; the log did not take the outcome: ${thrown.message}`, { cause });
  }
}

/** One entry about this credential, durable on return. */
export async function record(
  run: Run,
  action: string,
  stage: AuditEvent['stage'],
  details: AuditEvent['details'],
  more: { readonly rotation?: string; readonly result?: NonNullable<AuditEvent['result']> } = {},
): Promise<void> {
  const { plan, actor, audit } = run.rooms;
  const { journal } = run.held ?? {};
  const correlation = more.rotation ?? journal?.rotation ?? plan.name;
  const where = { phase: journal?.phase, epoch: journal?.epoch };
  const subject = { kind: 'credential', id: plan.name } as const;
  await audit.record({ action, stage, subject, actor, correlation, details: { ...where, ...details }, ...(more.result && { result: more.result }) });
}
