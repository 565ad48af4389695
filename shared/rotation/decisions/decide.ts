import { formatInstant } from '../../base/time.ts';
import { beginning, notDue } from './begin.ts';
import { draining } from './draining.ts';
import { finishing } from './finishing.ts';
import { joining } from './joining.ts';
import { missed } from './missed.ts';
import type { Journal, Order, Phase } from '../journal/journal.ts';
import { converging, publishing } from './publishing.ts';
import { theLogin, type Seen } from './seen.ts';
import { changing, staging, verifying } from './setting.ts';
import type { Asked, Step } from './step.ts';
import { isBackingOff, isTellingDue } from './trouble.ts';

/**
 * The next step: a pure function of the journal, what the stores show, what the service answered, and the time. Every
 * scheduled run, every manual one and every recovery asks it until it says rest. `asked?` means: if that question has
 * no answer in this run yet, the step is to ask it, once.
 *
 * | phase     | what is seen                                        | next                                  |
 * |-----------|-----------------------------------------------------|---------------------------------------|
 * | any       | an order that nobody was told of                    | announce it                           |
 * | none,done | (see begin.ts)                                      | rest, postpone, or plan               |
 * | any       | an order                                            | plan the emergency, at once           |
 * | any       | blocked, or backing off; a person asked             | rest; unblock and go on               |
 * | planned   | a store holds a dead rotation's value               | abandon it there                      |
 * |           | a store holds nothing, or what was not acknowledged | stage there                           |
 * |           | every store holds the same value / different ones   | move to staged / replan               |
 * | staged    | the value is gone                                   | replan, or block if nothing logs in   |
 * |           | every store holds it                                | change → set                          |
 * | set       | new asked? accepted on every endpoint               | move to verified                      |
 * |           | accepted on some, refused on others                 | ask again later, within bounds        |
 * |           | refused                                             | change again, within bounds, or block |
 * | verified  | new asked? no longer accepted                       | as in set                             |
 * |           | a store does not hand it out yet                    | promote there                         |
 * |           | all do                                              | move to published                     |
 * | published | every store shows it as current                     | refresh consumers, move to draining   |
 * | draining  | the stores hand out another login                   | follow it, or block                   |
 * |           | window not over, or sessions left on the old value  | rest; overdue: tell people, once      |
 * |           | new asked? refused                                  | change again, within bounds, or block |
 * |           | drained                                             | retire → retired                      |
 * | retired   | old asked? refused / accepted                       | proven / retire again                 |
 * |           | proven                                              | retire the copies, then move to done  |
 *
 * An emergency waits for nothing in `draining`. It goes on with the stores and endpoints that answer, says which are
 * left, and ends by opening a review.
 */
export function decide(journal: Journal | undefined, seen: Seen, asked: Asked): Step {
  const underWay = journal && journal.phase !== 'done' ? journal : undefined;
  const isOvertaken = (journal?.orders.length ?? 0) > 0 && !(underWay && isOnlyCopy(underWay, seen));
  if (!journal || !underWay || isOvertaken) return beginning(journal, seen, asked);
  if (underWay.blocked && asked.force)
    return { do: 'unblock', back: goingBack[underWay.blocked.reason] ?? underWay.phase };
  return joining(underWay, seen) ?? going[underWay.phase](underWay, seen, asked);
}

/**
 * With one value at a time the staged one may be the only one that logs in: it is handed out before an emergency takes its
 * place. One that is blocked is not waited for.
 */
function isOnlyCopy(journal: Journal, seen: Seen): boolean {
  const { strategy } = seen.service;
  if (journal.blocked || journal.emergency || (strategy !== 'single' && strategy !== 'replacing')) return false;
  const isSet = journal.phase === 'staged' || journal.phase === 'set' || journal.phase === 'verified';
  return isSet && theLogin(journal, seen) !== undefined && journal.copies.every(({ published }) => published === null);
}

/**
 * Where a person's --now takes up a blocked rotation: the effect that seems not to have worked is done again, with the
 * same value.
 */
const goingBack: Readonly<Partial<Record<string, Phase>>> = {
  'nobody-logs-in': 'staged',
  'refused-after-set': 'staged',
  'refused-after-publish': 'staged',
  'not-encrypted': 'set',
  'old-still-accepted': 'draining',
};

/**
 * What needs no look at the world, and comes before one: people who must be told, and reasons to rest. Undefined: look,
 * then decide.
 */
export function beforeLooking(journal: Journal | undefined, asked: Asked): Step | undefined {
  if (!journal) return asked.force ? undefined : notDue(journal, asked);
  const notice = asked.isMute ? undefined : noticeDue(journal, asked);
  if (notice) return notice;
  if (journal.orders.length > 0) return undefined;
  return asked.force ? undefined : resting(journal, asked);
}

/** Orders of which approvers do not know yet, also where the emergency began while nobody could be told. */
export function untold({ orders, emergency, phase }: Journal): readonly Order[] {
  const begun = phase === 'done' ? [] : (emergency?.orders ?? []);
  return [...begun, ...orders].filter((order) => !order.told);
}

function noticeDue(journal: Journal, asked: Asked): Step | undefined {
  if (untold(journal).length > 0) return { do: 'announce' };
  if (journal.blocked) return journal.blocked.told ? undefined : { do: 'alarm' };
  // Without a pause the step is tried now: it may work again, and a run that fails tells at its end.
  return isBackingOff(journal, asked.now) && isTellingDue(journal, asked.now) ? { do: 'warn' } : missed(journal, asked);
}

function resting(journal: Journal, asked: Asked): Step | undefined {
  const { blocked, trouble } = journal;
  if (blocked) return { do: 'rest', outcome: 'blocked', reason: blocked.reason, text: blocked.text };
  const early = journal.phase === 'done' ? notDue(journal, asked) : undefined;
  if (early || !trouble || !isBackingOff(journal, asked.now)) return early;
  const text = `${trouble.text}; attempt ${trouble.attempts + 1} not before ${formatInstant(trouble.notBefore)}`;
  return { do: 'rest', outcome: 'waiting', text, until: trouble.notBefore, sessions: [] };
}

/** What each phase does next. */
const going: Readonly<Record<Phase, (journal: Journal, seen: Seen, asked: Asked) => Step>> = {
  planned: staging,
  staged: changing,
  set: verifying,
  verified: publishing,
  published: converging,
  draining,
  retired: finishing,
  done: beginning,
};
