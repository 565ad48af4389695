import type { LockkeeperError } from '../../base/error.ts';
import { after, day, hour, type Instant } from '../../base/time.ts';
import type { ServiceDescription, Session } from '../../services/contract.ts';
import { lastEnd } from '../decisions/missed.ts';
import { entryOf, usable, versionIn, type CopySeen, type Heard, type Seen } from '../decisions/seen.ts';
import type { Journal } from '../journal/journal.ts';
import type { CredentialPlan } from '../plan.ts';
import { nextBegin } from '../schedule/due.ts';
import type { LastJournal } from './record.ts';

/** Everything that a check looked at. What could not be looked at is the error that came back. */
export interface Facts {
  readonly plan: CredentialPlan;
  readonly now: Instant;
  readonly journal: Journal | LockkeeperError | undefined;
  /** The newest journal that an earlier check saw. */
  readonly last: LastJournal | undefined;
  readonly service: ServiceDescription | LockkeeperError;
  readonly copies: readonly CopySeen[];
  readonly heard: readonly Heard[];
  /** Undefined: not asked for. */
  readonly sessions: readonly Session[] | LockkeeperError | undefined;
}

/** The journal of a credential that is lockkeeper's; undefined where there is none that can be read. */
export function adoptedJournal({ journal }: Pick<Facts, 'journal'>): Journal | undefined {
  return journal && !(journal instanceof Error) && journal.adopted ? journal : undefined;
}

/** The journal of a rotation that has begun and is not done. */
export function underWay({ journal }: Pick<Facts, 'journal'>): Journal | undefined {
  return journal && !(journal instanceof Error) && journal.phase !== 'done' ? journal : undefined;
}

/** The journal between two rotations. */
export function atRest(facts: Pick<Facts, 'journal'>): Journal | undefined {
  const journal = adoptedJournal(facts);
  return journal?.phase === 'done' ? journal : undefined;
}

/** The journal after a rotation whose proof says that every earlier value was ended. */
export function proven(facts: Pick<Facts, 'journal'>): Journal | undefined {
  const journal = atRest(facts);
  return journal?.proof ? journal : undefined;
}

/** What decisions rest on; undefined where the service does not tell what it is. */
export function seenOf({ service, copies, heard }: Pick<Facts, 'service' | 'copies' | 'heard'>): Seen | undefined {
  if (service instanceof Error) return undefined;
  return { service, copies, heard, sessions: undefined };
}

/** How far apart the clocks of two hosts may be. */
const clocksApartMs = hour;

/**
 * True where the store may still show what was before the last write of a rotation: its answer proves nothing. A write that
 * is far ahead of now comes from a wrong clock, and does not count.
 */
export function maySettle(copy: CopySeen, { journal, now }: Pick<Facts, 'journal' | 'now'>): boolean {
  if (copy.settlesMs === 0 || !journal || journal instanceof Error) return false;
  if (journal.phase !== 'done' && journal.drain === null) return true;
  const last = Math.max(journal.drain?.host ?? 0, journal.finishedAt ?? 0);
  return now < last + copy.settlesMs + clocksApartMs && last - now <= day;
}

/** Ids of the versions that this copy may hand out, as far as the journal says. */
export function expectedIds(journal: Journal, copy: CopySeen): readonly string[] {
  const entry = entryOf(journal, copy);
  if (!entry) return [];
  const { published, expects, staged } = entry;
  const all = journal.phase === 'done' ? [published ?? expects] : [expects, published, staged];
  return all.flatMap((id) => id ?? []);
}

/** Ids of versions that nobody may read any more. */
export function endedIds(journal: Journal, copy: CopySeen): readonly string[] {
  const entry = entryOf(journal, copy);
  return entry ? [...entry.ended, ...entry.ends].filter((id) => id !== copy.current?.id) : [];
}

/** Copies that can be read, and that show what is there now. */
export function settledCopies(facts: Facts): readonly CopySeen[] {
  return usable(facts).filter((copy) => !isDoubtful(copy, facts));
}

/** True where a store that settles shows something else than the journal says: an older version, or nothing. */
export function isDoubtful(copy: CopySeen, facts: Pick<Facts, 'journal' | 'now'>): boolean {
  const { journal } = facts;
  if (!journal || journal instanceof Error || !maySettle(copy, facts)) return false;
  const { current } = copy;
  return !current || !expectedIds(journal, copy).includes(current.id);
}

/** The address of a copy, for people. */
export function nameOf({ store, secret }: Pick<CopySeen, 'store' | 'secret'>): string {
  return `${store}/${secret}`;
}

/** The logins in the versions that the journal expects to be handed out, wherever they can be read. */
export function expectedLogins(journal: Journal, copies: readonly CopySeen[]) {
  return copies.flatMap((copy) => expectedIds(journal, copy).flatMap((id) => versionIn(copy, id)?.login ?? []));
}

/** Undefined where a rotation is not overdue; else since when it is due, or under way. */
export function overdueSince({ plan, now, journal }: Facts): Instant | undefined {
  if (!journal || journal instanceof Error || !journal.adopted) return undefined;
  if (journal.phase !== 'done') {
    const longMs = Math.max(plan.everyMs, 2 * plan.propagationMs);
    return now >= after(journal.startedAt, longMs + day) ? journal.startedAt : undefined;
  }
  const last = lastEnd(journal);
  // From there on it could begin by itself, and from the next one on it is more than one interval late.
  const begin = nextBegin(plan, last, journal.finishedAt ?? last);
  const next = begin && nextBegin(plan, begin.due, begin.due);
  return begin && next && now >= begin.at && now >= next.due ? begin.due : undefined;
}
