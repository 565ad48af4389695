import { toldText } from '../../audit/entries/withhold.ts';
import { formatInstant, instant, type Instant } from '../../base/time.ts';
import { visibleStart } from '../../base/visible.ts';
import type { Session, Slot } from '../../services/contract.ts';

/** Sessions of one user from one place. */
export type SessionGroup = {
  readonly slot: Slot;
  /** Address and program, fit for people and for the log: clients choose the name of their program. */
  readonly peer: string;
  readonly count: number;
  /** When the oldest of them began; undefined where the service tells that of none. */
  readonly since: Instant | undefined;
};

/** Up to so many sessions are named one by one. */
const fewSessions = 10;

/** One line a session, for people. */
export function sessionLine(session: Session): string {
  return lineOf(groupOf([session]));
}

/**
 * Who is logged in, one line a session; where there are many, one line for all of a user from one place. `most` lines
 * at most, the last of which counts what is left over.
 */
export function sessionLines(sessions: readonly Session[], most = 20): readonly string[] {
  const groups = sessions.length > fewSessions ? sessionGroups(sessions) : sessions.map((one) => groupOf([one]));
  if (groups.length <= most) return groups.map(lineOf);
  const over = groups.slice(most - 1);
  const count = over.reduce((sum, one) => sum + one.count, 0);
  return [...groups.slice(0, most - 1).map(lineOf), `and ${count} more from ${counted(over.length, 'other place')}`];
}

/** The sessions by user and place, those with the most sessions first, then the oldest. Pure. */
export function sessionGroups(sessions: readonly Session[]): readonly SessionGroup[] {
  const groups = [...Map.groupBy(sessions, ({ slot, peer }) => JSON.stringify([slot, peer])).values()].map(groupOf);
  return groups.toSorted((a, b) => b.count - a.count || (a.since ?? Infinity) - (b.since ?? Infinity));
}

/** `1 session`, `2 sessions`. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function groupOf(sessions: readonly Session[]): SessionGroup {
  const begun = sessions.flatMap(({ since }) => since ?? []);
  return {
    slot: sessions[0]?.slot ?? '',
    peer: visibleStart(toldText(sessions[0]?.peer ?? '')),
    count: sessions.length,
    since: begun.length === 0 ? undefined : instant(Math.min(...begun)),
  };
}

function lineOf({ slot, peer, count, since }: SessionGroup): string {
  if (count === 1) return `${slot} from ${peer}${since === undefined ? '' : ` since ${formatInstant(since)}`}`;
  return `${count} as ${slot} from ${peer}${since === undefined ? '' : `, the oldest since ${formatInstant(since)}`}`;
}
