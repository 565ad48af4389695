import { acknowledged, audited as auditedBy } from '../../audit/audited.ts';
import type { AuditEvent } from '../../audit/entry.ts';
import { LockkeeperError } from '../../base/error.ts';
import type { RotationDeps } from '../plan.ts';
import type { Run } from './under-way.ts';

/** Who records: the log and the credential, and the journal that the entries belong to where there is one. */
export interface Recorder extends Partial<Pick<Run, 'held'>> {
  readonly deps: Pick<RotationDeps, 'audit' | 'actor' | 'account'> & { readonly plan: { readonly name: string } };
}

/** What the log tells of one effect or fact; `rotation` where no journal names it yet. */
export interface Told {
  readonly action: string;
  readonly rotation?: string;
  readonly details: AuditEvent['details'];
}

/**
 * Intent into the log, then the effect, then its outcome with what `told` says of the answer; see
 * shared/audit/audited.ts.
 */
export async function audited<T>(
  run: Recorder,
  what: Told & { readonly told?: (answer: T) => AuditEvent['details'] },
  act: () => Promise<T>,
): Promise<T> {
  return await auditedBy(run.deps.audit, { event: () => eventOf(run, what), act, told: what.told });
}

/** One fact about this credential, durable on return. */
export async function record(run: Recorder, what: Told): Promise<void> {
  await acknowledged(run.deps.audit, { ...eventOf(run, what), stage: 'fact' });
}

/**
 * Records a fact that people are told too. A log that is down keeps nobody from hearing of it; its error is thrown
 * after `tell`.
 */
export async function recordAndTell(run: Recorder, what: Told, tell: () => Promise<void>): Promise<void> {
  let failure: LockkeeperError | undefined;
  try {
    await record(run, what);
  } catch (thrown) {
    if (!(thrown instanceof LockkeeperError)) throw thrown;
    failure = thrown;
  }
  await tell();
  if (failure) throw failure;
}

/** With the phase and epoch of the journal as it is now. */
function eventOf({ deps, held }: Recorder, { action, rotation, details }: Told): Omit<AuditEvent, 'stage' | 'result'> {
  const { plan, actor, account } = deps;
  const { journal } = held ?? {};
  return {
    action,
    subject: { kind: 'credential', id: plan.name },
    actor,
    correlation: rotation ?? journal?.rotation ?? plan.name,
    details: { phase: journal?.phase, epoch: journal?.epoch, account, ...details },
  };
}
