import { day } from '../../base/time.ts';
import type { Login, Slot } from '../../services/contract.ts';
import { currentLogins, sameLogin, versionIn } from '../decisions/seen.ts';
import { atRest, endedIds, settledCopies, underWay, type Facts } from './facts.ts';

/** What a check asks the service. Each login is asked once, so it fails at most once. */
export interface Questions {
  /** What consumers read. */
  readonly current: readonly Login[];
  /** Values that were ended and that a store still shows. Each costs a failed login where all is well. */
  readonly ended: readonly Login[];
  /** Every ended value that a store shows, also those that are not asked now. */
  readonly allEnded: readonly Login[];
  /** Users that should be idle. */
  readonly idle: readonly Slot[];
}

/** What to ask, given what the journal and the stores show. Pure. */
export function questionsOf(facts: Facts): Questions {
  const { service } = facts;
  if (service instanceof Error) return { current: [], ended: [], allEnded: [], idle: [] };
  const current = currentLogins({ copies: settledCopies(facts) }).filter(({ slot }) => service.slots.includes(slot));
  const allEnded = endedLogins(facts);
  return {
    current: mayBeRefused(facts) ? [] : current,
    ended: endedToTry(facts, allEnded),
    allEnded,
    idle: idleSlots(facts),
  };
}

/**
 * While a rotation is on its way, what a user who has one value reads is refused from the change until the new value is
 * published; in an emergency the leaked value is meant to be refused.
 */
function mayBeRefused(facts: Facts): boolean {
  const { service, copies } = facts;
  const isOneValue = !(service instanceof Error) && (service.strategy === 'single' || service.strategy === 'replacing');
  // Nobody knows whether a rotation is on its way.
  if (facts.journal instanceof Error) return isOneValue || copies.some(({ settlesMs }) => settlesMs > 0);
  const journal = underWay(facts);
  if (!journal) return false;
  return journal.emergency !== null || (isOneValue && ['staged', 'set', 'verified'].includes(journal.phase));
}

/** Of an alternating pair the users whose login no store hands out. */
function idleSlots(facts: Facts): readonly Slot[] {
  const { service } = facts;
  if (service instanceof Error || !atRest(facts)) return [];
  if (service.strategy !== 'alternating' || service.sessionsSeen !== 'exact') return [];
  const copies = settledCopies(facts);
  const isClear = copies.length === facts.copies.length && copies.every(({ current }) => current?.login);
  const used = currentLogins({ copies }).map(({ slot }) => slot);
  return isClear ? service.slots.filter((slot) => !used.includes(slot)) : [];
}

/** Values of which the journal says that they were ended, and that can be read in a store all the same. */
function endedLogins(facts: Facts): readonly Login[] {
  const { service, copies } = facts;
  const journal = atRest(facts);
  if (!journal || service instanceof Error) return [];
  const current = currentLogins({ copies });
  const found = copies.flatMap((copy) => {
    const staged = copy.pending && [...journal.past, journal.rotation].includes(copy.pending.rotation);
    const versions = endedIds(journal, copy).map((id) => versionIn(copy, id));
    return [...versions, ...(staged ? [copy.pending] : [])].flatMap((version) => version?.login ?? []);
  });
  return found.filter(
    (login, at) =>
      service.slots.includes(login.slot) &&
      !current.some((one) => sameLogin(one, login)) &&
      found.findIndex((one) => sameLogin(one, login)) === at,
  );
}

/**
 * One value a user and check, taking turns from day to day, and none of a user that consumers log in as: a server that
 * locks users after failed logins would lock them out. `triesEndedValues` allows those too.
 */
function endedToTry({ plan, copies, now }: Facts, ended: readonly Login[]): readonly Login[] {
  const used = new Set(currentLogins({ copies }).map(({ slot }) => slot));
  const bySlot = Map.groupBy(
    ended.filter(({ slot }) => plan.triesEndedValues === true || !used.has(slot)),
    ({ slot }) => slot,
  );
  return [...bySlot.values()].flatMap((logins) => logins[Math.floor(now / day) % logins.length] ?? []);
}
