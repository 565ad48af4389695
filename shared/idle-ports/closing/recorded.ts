import { acknowledged, audited as auditedBy } from '../../audit/audited.ts';
import { toldText, withhold } from '../../audit/entries/withhold.ts';
import type { AuditEvent } from '../../audit/entry.ts';
import { isSamePerson } from '../../base/person-name.ts';
import { formatInstant } from '../../base/time.ts';
import type { ClosingDeps } from './closing-deps.ts';
import type { Closure } from './closure.ts';
import { approversOf } from './decision.ts';

/** What the log tells of one effect or fact about a closure. */
export interface Told {
  readonly action: string;
  /** Who caused it; lockkeeper itself where it is left out. */
  readonly actor?: string;
  readonly details?: AuditEvent['details'];
}

/** What the log tells of an effect, with what its answer adds. */
export interface ToldEffect<T> extends Told {
  readonly told?: (answer: T) => AuditEvent['details'];
}

/** Intent into the log, then the effect, then its outcome; see shared/audit/audited.ts. */
export async function audited<T>(
  deps: Pick<ClosingDeps, 'audit'>,
  what: ToldEffect<T> & { readonly closure: Closure },
  act: () => Promise<T>,
): Promise<T> {
  return await auditedBy(deps.audit, { event: () => eventOf(what.closure, what), act, told: what.told });
}

/** One fact about a closure, durable on return. */
export async function record(deps: Pick<ClosingDeps, 'audit'>, closure: Closure, what: Told): Promise<void> {
  await acknowledged(deps.audit, { ...eventOf(closure, what), stage: 'fact' });
}

/** What somebody asked for and may not have. It was never begun, so there is no intent. */
export async function recordRefused(deps: Pick<ClosingDeps, 'audit'>, closure: Closure, what: Told): Promise<void> {
  await acknowledged(deps.audit, { ...eventOf(closure, what), stage: 'outcome', result: 'refused' });
}

/**
 * What the log tells of a closing: on whose word (a long reason is whole in its decision), all else that was prepared,
 * and what became of it where somebody could try.
 */
export function applying(closure: Closure): ToldEffect<'refused' | 'reachable' | undefined> {
  const counts = approversOf(closure);
  const votes = closure.votes.filter(
    ({ answer, hash, who }) =>
      answer === 'approve' && hash === closure.hash && counts.some((one) => isSamePerson(one, who)),
  );
  const approvals = votes.map(({ who, why, hash, at }) => ({ who, why: toldText(why), hash, at: formatInstant(at) }));
  const { rejectsVisible, openConnectionsLastMs } = closure.prepared ?? {};
  return {
    action: 'closure.apply',
    details: { approvals, rejectsVisible, openConnectionsLastMs },
    told: (probe) => ({ probe }),
  };
}

/**
 * An entry about a closure. Each carries the rule as it is while it is open (`before`) and as closing leaves it
 * (`after`, null: gone), in closings and reopenings alike: any one entry is enough to rebuild it, but for what looks
 * like a secret, which is withheld here and only in the closure's journal.
 */
function eventOf(
  closure: Closure,
  { action, actor = 'lockkeeper', details }: Told,
): Omit<AuditEvent, 'stage' | 'result'> {
  const { firewall, opening, hash, prepared, proposal } = closure;
  const { before, after, fingerprint } = prepared ?? proposal;
  const rule = { firewall, before: withhold(before), after: withhold(after ?? null), fingerprint };
  return {
    action,
    actor,
    details: { ...rule, ...details },
    subject: { kind: 'opening', id: opening },
    correlation: hash,
  };
}
