import type { Interface } from '../../../firewalls/contract.ts';
import { after, dayOf, hour, type Instant } from '../../../base/time.ts';
import type { ScopeCoverage, UsageEvidence, Window } from '../../../usage/evidence.ts';
import type { CoverageExpectation } from './expected.ts';

/** What one log, or several together, showed of one interface inside the window. */
export interface Seen {
  /** The log saw nothing before. */
  readonly createdAt: Instant | undefined;
  /** UTC days with at least one row. */
  readonly days: ReadonlySet<string>;
  readonly hours: number;
  /** The log's own rhythm: rows in so many hours of a usual day. */
  readonly hoursADay: number;
  /** Every stretch without a row; undefined where the list is not complete. */
  readonly gaps: readonly Window[] | undefined;
  readonly lostHours: number;
  readonly lastSeen: Instant | undefined;
  /** Keys of objects that could not be read. */
  readonly unreadable: readonly string[];
  /** Objects with rows that could not be read. */
  readonly malformed: number;
}

/** A flow log with what its evidence says, by scope. */
export interface ReadLog extends CoverageExpectation {
  readonly evidence: UsageEvidence;
  readonly byScope: ReadonlyMap<string, ScopeCoverage>;
  /** Keys of objects that could not be read. */
  readonly unreadable: readonly string[];
  /** Objects with rows that could not be read. */
  readonly malformed: number;
}

const wholeDayMs = 24 * hour;

/** Looks through a log's evidence once, however many interfaces ask. */
export function readLog(log: CoverageExpectation, evidence: UsageEvidence): ReadLog {
  return {
    ...log,
    evidence,
    byScope: new Map(evidence.coverage.map((coverage) => [coverage.scope, coverage])),
    unreadable: evidence.damaged.filter(({ unreadable }) => unreadable !== undefined).map(({ key }) => key),
    malformed: evidence.damaged.filter(({ malformed }) => malformed > 0).length,
  };
}

/** The coverage of one interface by one log; rows from before the log existed do not count. */
export function seenBy(one: Interface, { evidence, byScope, createdAt, unreadable, malformed }: ReadLog): Seen {
  const found = [one.id, ...one.within.toReversed()].flatMap((scope) => byScope.get(scope) ?? [])[0];
  return {
    createdAt,
    days: new Set((found?.seenDays ?? []).filter((day) => createdAt === undefined || day >= firstWholeDay(createdAt))),
    hours: found?.seenHours ?? 0,
    hoursADay: found?.hoursADay ?? 0,
    gaps: found && allGaps(found, evidence.window),
    lostHours: found?.lostHours ?? 0,
    lastSeen: found?.lastSeen,
    unreadable,
    malformed,
  };
}

/** Several logs of one interface, one after the other or side by side, as one. */
export function together(each: readonly Seen[], window: Window): Seen {
  const created = each.map(({ createdAt }) => createdAt);
  const gaps = each.map((seen) => seen.gaps).reduce((one, other) => one && other && intersect(one, other));
  return {
    createdAt: created.includes(undefined) ? undefined : created.reduce((one, other) => ((one ?? 0) < (other ?? 0) ? one : other)),
    days: new Set(each.flatMap(({ days }) => [...days])),
    hours: gaps ? hoursOf(window) - total(gaps) : Math.max(...each.map(({ hours }) => hours)),
    // Without complete gaps nobody knows which hours overlap; days can always be joined.
    hoursADay: gaps ? Math.max(...each.map(({ hoursADay }) => hoursADay)) : 0,
    gaps,
    lostHours: each.reduce((sum, { lostHours }) => sum + lostHours, 0),
    lastSeen: each.map(({ lastSeen }) => lastSeen).reduce((one, other) => ((one ?? 0) > (other ?? 0) ? one : other)),
    unreadable: each.flatMap(({ unreadable }) => unreadable),
    malformed: each.reduce((sum, { malformed }) => sum + malformed, 0),
  };
}

/** Length in hours. */
export function hoursOf({ from, to }: Window): number {
  return (to - from) / hour;
}

/** The day of a log's creation counts only if it was created in the day's first hour. */
function firstWholeDay(createdAt: Instant): string {
  return dayOf(createdAt % wholeDayMs <= hour ? createdAt : after(createdAt, wholeDayMs));
}

/** The listed gaps, if together with the seen hours they make up the whole window. */
function allGaps({ gaps, seenHours }: ScopeCoverage, window: Window): readonly Window[] | undefined {
  return total(gaps) + seenHours >= Math.floor(hoursOf(window)) ? gaps : undefined;
}

function total(gaps: readonly Window[]): number {
  return gaps.reduce((sum, gap) => sum + hoursOf(gap), 0);
}

function intersect(some: readonly Window[], others: readonly Window[]): readonly Window[] {
  return some.flatMap((one) =>
    others.map((other) => ({ from: one.from > other.from ? one.from : other.from, to: one.to < other.to ? one.to : other.to })).filter(({ from, to }) => from < to),
  );
}
