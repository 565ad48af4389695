import { acknowledged, audited as auditedBy } from '../../audit/audited.ts';
import type { AuditEvent } from '../../audit/entry.ts';
import type { Run } from './under-way.ts';

/** Who records: the dependencies, and the journal that the entries belong to where there is one. */
export type Recorder = Pick<Run, 'deps' | 'held'>;

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
