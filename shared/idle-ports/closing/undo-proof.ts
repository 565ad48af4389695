import type { AuditEvent } from '../../audit/entry.ts';
import { withhold } from '../../audit/entries/withhold.ts';
import { canonicalJson, type Plain } from '../../base/canonical.ts';
import { LockkeeperError } from '../../base/error.ts';
import { after, day, hour, instant } from '../../base/time.ts';
import type { PreparedChange } from '../../firewalls/contract.ts';
import { nameOf, type Closure } from './closure.ts';
import type { ClosingDeps } from './closing-deps.ts';

/**
 * Looks up in the log that lockkeeper closed exactly the rule that is to be put back: whoever writes to the state store
 * must not choose what is opened. `denied` where the log has no such closing. Errors: what reading the log throws.
 */
export async function refuseForgedUndo(deps: ClosingDeps, closure: Closure, prepared: PreparedChange): Promise<void> {
  const { closedAt = instant(0) } = closure;
  const { executionExpiresMs } = deps.policy;
  // It is nearly always in the hour that it was first tried, and undo must not wait for a week of entries.
  for (const within of [hour, executionExpiresMs + 7 * day]) {
    const entries = await deps.said.between(after(closedAt, -hour), after(closedAt, within));
    if (entries.some(({ event }) => isClosing(event, closure, prepared))) return;
  }
  throw new LockkeeperError('denied', `${nameOf(closure)} was not put back: the log has no closing of that very rule`, {
    hint: 'Find out who writes to the state store. The rule as it was is in the audit log: put it back by hand.',
  });
}

function isClosing({ action, correlation, details }: AuditEvent, { hash }: Closure, prepared: PreparedChange): boolean {
  if (action !== 'closure.apply' || correlation !== hash || details['fingerprint'] !== prepared.fingerprint)
    return false;
  return canonicalJson(asRule(details['before'])) === canonicalJson(withhold(prepared.before));
}

function asRule(before: Plain | undefined): Plain {
  return before ?? null;
}
