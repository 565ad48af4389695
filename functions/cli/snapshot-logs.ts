import type { UsageEvidence } from '../../shared/usage/evidence.ts';
import type { CoverageExpectation } from '../../shared/idle-ports/judging/coverage/expected.ts';
import type { DescribedLog } from './snapshot-flow-logs.ts';

/** What was read of the objects of one flow log; undefined: of objects whose names tell no flow log. */
export interface LogEvidence {
  readonly log: string | undefined;
  readonly evidence: UsageEvidence;
}

/**
 * Each flow log with what was read of it alone, so that a log of rejects covers nothing and what one log lost another
 * can have. Objects without a log in their name stand for the described logs that have none. A log that is not
 * described any more was deleted: what it keeps is not known, so it covers only interfaces of which it has accepted
 * packets.
 */
export function expectations(
  described: readonly DescribedLog[],
  read: readonly LogEvidence[],
  nothing: UsageEvidence,
): readonly CoverageExpectation[] {
  const of = new Map(read.map(({ log, evidence }) => [log, evidence]));
  const unnamed = of.get(undefined);
  const known = described.map((log) => ({ ...log, evidence: of.get(log.name) ?? unnamed ?? nothing }));
  const isUnnamedTaken = described.some(({ name, traffic }) => !of.has(name) && traffic !== 'rejected');
  const names = new Set(described.map(({ name }) => name));
  const others = read.filter(({ log }) => (log === undefined ? !isUnnamedTaken : !names.has(log)));
  const all = [...known, ...others.map(({ log, evidence }) => deleted(log ?? 'without a name', evidence))];
  // To the judge no expectations at all mean one log of everything; an account without flow logs has one of nothing.
  return all.length > 0 ? all : [deleted('none', nothing)];
}

function deleted(name: string, evidence: UsageEvidence): CoverageExpectation {
  const accepted = evidence.rows.filter(({ kind }) => kind !== 'rejected').map((row) => row.interface);
  return {
    name,
    covers: [...new Set(accepted)],
    traffic: 'all',
    createdAt: undefined,
    trouble: undefined,
    hasFlags: undefined,
    evidence,
  };
}
