import type { Instant } from '../../base/time.ts';
import type { Finding, Found, Unchecked } from './finding.ts';
import type { DriftRecord, KnownFinding } from './record.ts';

/** What one check changes about what is known. */
export interface News {
  /** Found for the first time; not in the log yet. */
  readonly fresh: readonly Finding[];
  /** Known, looked for, and no longer there. */
  readonly over: readonly KnownFinding[];
  /** Known, and this check could not look: they stay as they are. */
  readonly open: readonly KnownFinding[];
  /** What is to be written once fresh and over are in the log. */
  readonly record: DriftRecord;
}

/** Compares what was found with what is known. Pure. `rotation`: the one that the journal names. */
export function newsOf(
  known: DriftRecord,
  found: Found,
  at: { readonly now: Instant; readonly rotation: string | null; readonly journal: DriftRecord['journal'] },
): News {
  const isThere = ({ id }: KnownFinding) => found.findings.some((one) => one.id === id);
  const isOpen = (one: KnownFinding) => found.unchecked.some((what) => covers(what, one));
  const open = known.findings.filter((one) => !isThere(one) && isOpen(one));
  const over = known.findings.filter((one) => !isThere(one) && !isOpen(one));
  const fresh = found.findings.filter(({ id }) => !known.findings.some((one) => one.id === id));
  const begun = fresh.map(({ id, what, isTold = false }): KnownFinding => {
    return { id, what, since: at.now, rotation: at.rotation, told: isTold };
  });
  const record: DriftRecord = {
    ...known,
    journal: at.journal,
    findings: [...known.findings.filter((one) => !over.includes(one)), ...begun],
    // What is found again before people heard of its end has not ended for them.
    over: [
      ...known.over.filter(({ id }) => !begun.some((one) => one.id === id)),
      ...over.filter(({ told }) => told).map(({ id, what }) => ({ id, what })),
    ],
  };
  return { fresh, over, open, record };
}

/** The record once people were told everything in it. */
export function toldRecord(record: DriftRecord): DriftRecord {
  return { ...record, findings: record.findings.map((one) => ({ ...one, told: true })), over: [] };
}

function covers({ kind, place, rotation }: Unchecked, known: KnownFinding): boolean {
  const isOfKind =
    place === undefined ? known.id === kind || known.id.startsWith(`${kind} `) : known.id === `${kind} ${place}`;
  return isOfKind && (rotation === undefined || rotation === known.rotation);
}
