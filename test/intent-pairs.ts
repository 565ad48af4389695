import type { AuditEvent } from '../shared/audit/entry.ts';

/**
 * Intents that no outcome answers before the next intent of the same kind, and outcomes that no intent announced; in
 * words.
 */
export function unpaired(events: readonly AuditEvent[]): readonly string[] {
  const open = new Map<string, number>();
  const wrong: string[] = [];
  for (const { action, stage, result, correlation, details } of events) {
    const what = `${action} ${correlation} ${JSON.stringify([details['store'], details['slot']])}`;
    if (stage === 'intent') {
      if (open.get(what)) wrong.push(`${what}: a second intent without an outcome`);
      open.set(what, 1);
    } else if (stage === 'outcome') {
      // What a person may not do never had an intent.
      if (!open.get(what) && result !== 'refused') wrong.push(`${what}: an outcome without an intent`);
      open.delete(what);
    }
  }
  return [...wrong, ...[...open.keys()].map((what) => `${what}: no outcome`)];
}
