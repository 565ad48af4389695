import { withhold } from '../../audit/entries/withhold.ts';
import { canonicalJson, type Plain } from '../../base/canonical.ts';
import { LockkeeperError } from '../../base/error.ts';
import { after, day } from '../../base/time.ts';
import type { PreparedChange } from '../../firewalls/contract.ts';
import { nameOf, type Closure } from './closure.ts';
import type { ClosingDeps } from './closing-deps.ts';

/**
 * Looks up in the log that lockkeeper closed exactly the rule that is to be put back: whoever writes to the state store
 * must not choose what is opened. `denied` where the log has no such closing. Errors: what reading the log throws.
 */
export async function refuseForgedUndo(deps: ClosingDeps, closure: Closure, prepared: PreparedChange): Promise<void> {
  const { closedAt, hash } = closure;
  const entries = closedAt === undefined ? [] : await deps.said.between(after(closedAt, -day), deps.world.now());
  const before = canonicalJson(withhold(prepared.before));
  const isClosed = entries.some(
    ({ event: { action, correlation, details } }) =>
      action === 'closure.apply' &&
      correlation === hash &&
      details['fingerprint'] === prepared.fingerprint &&
      canonicalJson(asRule(details['before'])) === before,
  );
  if (isClosed) return;
  throw new LockkeeperError('denied', `${nameOf(closure)} was not put back: the log has no closing of that very rule`, {
    hint: 'Find out who writes to the state store. The rule as it was is in the audit log: put it back by hand.',
  });
}

function asRule(before: Plain | undefined): Plain {
  return before ?? null;
}
