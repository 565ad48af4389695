import { after, formatInstant, type Instant } from '../base/time.ts';
import type { Login, Session } from '../services/contract.ts';
import { beginning, notDue } from './begin.ts';
import type { Journal, Phase } from './journal.ts';
import { copyOf, currentLogins, oldLogins, sameLogin, stagedIn, stagedLogin, type Seen } from './seen.ts';
import type { Asked, BlockReason, Step } from './step.ts';

/**
 * The next step: a pure function of the journal, what the stores show, what the service answered, and the time. Every
 * scheduled run, every manual one and every recovery asks it until it says rest. `asked?` means: if that question has
 * no answer in this run yet, the step is to ask it, once.
 *
 * | phase     | what is seen                                        | next                                  |
 * |-----------|-----------------------------------------------------|---------------------------------------|
 * | none,done | (see begin.ts)                                      | rest, or plan                         |
 * | any       | blocked, or backing off; a person asked             | rest; unblock and go on               |
 * | planned   | a store holds a dead rotation's value               | abandon it there                      |
 * |           | a store holds nothing, or what was not acknowledged | stage there                           |
 * |           | every store holds the same value / different ones   | move to staged / replan               |
 * | staged    | the value is gone                                   | replan, or block if nothing logs in   |
 * |           | every store holds it                                | change → set                          |
 * | set       | new asked? accepted on every endpoint               | move to verified                      |
 * |           | new refused, current asked? accepted / refused      | retry change later / block            |
 * | verified  | a store does not hand it out yet                    | promote there                         |
 * |           | all do                                              | move to published                     |
 * | published | every store shows it as current                     | move to draining: the window begins   |
 * | draining  | window not over, or sessions left on the old slot   | rest                                  |
 * |           | a store hands out an old login again                | block                                 |
 * |           | drained                                             | retire → retired                      |
 * | retired   | old asked? refused / accepted                       | proven / retry retire later           |
 * |           | proven                                              | retire the copies, then move to done  |
 *
 * An emergency waits for nothing in `draining`, and ends by opening a review and telling people.
 */
export function decide(journal: Journal | undefined, seen: Seen, asked: Asked): Step {
  const underWay = journal && journal.phase !== 'done' ? journal : undefined;
  if (!underWay || (asked.leaked && !underWay.emergency)) return beginning(journal, seen, asked);
  if (underWay.blocked && asked.force)
    return { do: 'unblock', back: goingBack[underWay.blocked.reason] ?? underWay.phase };
  return resting(underWay, asked) ?? going[underWay.phase](underWay, seen, asked);
}

/**
 * Where a person's --now takes up a blocked rotation: the effect that seems not to have worked is done again, with the
 * same value.
 */
const goingBack: Readonly<Partial<Record<string, Phase>>> = {
  'nobody-logs-in': 'staged',
  'refused-after-set': 'staged',
  'old-still-accepted': 'draining',
};

/** What needs no look at the world: not due, blocked, or backing off. Undefined: look, then decide. */
export function restingAlready(journal: Journal | undefined, asked: Asked): Step | undefined {
  if (asked.force) return undefined;
  return journal && journal.phase !== 'done' ? resting(journal, asked) : notDue(journal, asked);
}

function resting(journal: Journal, asked: Asked): Step | undefined {
  if (asked.force) return undefined;
  const { blocked, trouble } = journal;
  if (blocked && !blocked.told) return { do: 'alarm' };
  if (blocked) return { do: 'rest', outcome: 'blocked', reason: blocked.reason, text: blocked.text };
  if (!trouble || asked.now >= trouble.notBefore) return undefined;
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

function staging(journal: Journal, seen: Seen): Step {
  for (const entry of journal.copies) {
    const { pending } = copyOf(seen, entry);
    if (!pending) return { do: 'stage', place: entry };
    // Staged, but the journal was never told: doing it again gives the same version, and tells the log which.
    if (pending.rotation === journal.rotation && entry.staged === null) return { do: 'stage', place: entry };
    if (pending.rotation === journal.rotation) continue;
    if (journal.past.includes(pending.rotation) || insists(journal, 'foreign-pending'))
      return { do: 'abandon', place: entry, rotation: pending.rotation };
    const text = `${entry.store}/${entry.secret} holds a value staged by ${pending.rotation}, which this journal does not know`;
    return block('foreign-pending', `${text}. Find out who staged it; a run with --now forgets it.`);
  }
  if (!stagedLogin(journal, seen)) return { do: 'replan', why: 'the stores hold different staged values' };
  return { do: 'move', to: 'staged' };
}

function changing(journal: Journal, seen: Seen): Step {
  const login = stagedLogin(journal, seen);
  if (!login) return lost(journal, seen);
  const { emergency } = journal;
  if (!emergency && seen.service.problems.length > 0) return unready(seen);
  if (emergency && !emergency.cleared && seen.service.strategy === 'alternating') {
    return { do: 'clear', logins: [knownLogin(journal, seen, journal.target) ?? login] };
  }
  return { do: 'change', login };
}

/**
 * The staged value is gone from a store. It was published nowhere, so another may follow as long as consumers get in.
 */
function lost(journal: Journal, seen: Seen): Step {
  const current = currentLogins(seen);
  if (seen.answers.current === undefined && current.length > 0)
    return { do: 'ask', candidate: 'current', logins: current };
  if (seen.answers.current || current.length === 0)
    return { do: 'replan', why: 'the staged value is gone from a store' };
  return block(
    'staged-value-lost',
    `the value that ${journal.rotation} staged is gone and the current one is refused. Set the password by hand.`,
  );
}

function verifying(journal: Journal, seen: Seen): Step {
  const login = stagedLogin(journal, seen);
  if (!login) return lost(journal, seen);
  if (seen.answers.new === undefined) return { do: 'ask', candidate: 'new', logins: [login] };
  if (seen.answers.new) return { do: 'move', to: 'verified' };
  const current = currentLogins(seen);
  if (seen.answers.current === undefined && current.length > 0)
    return { do: 'ask', candidate: 'current', logins: current };
  if (seen.answers.current === false) {
    return block(
      'nobody-logs-in',
      `neither the new value nor the current one logs in as ${journal.target}. Consumers are locked out: check the service, then run with --now.`,
    );
  }
  if (journal.refusals >= 2)
    return block(
      'refused-after-set',
      `the service took the new value of ${journal.target} and refuses it, for the third time. Current logins work.`,
    );
  return {
    do: 'retry',
    back: 'staged',
    text: `the service refuses the new value of ${journal.target} after it was set`,
  };
}

function publishing(journal: Journal, seen: Seen): Step {
  for (const entry of journal.copies) {
    if (entry.published !== null) continue;
    const copy = copyOf(seen, entry);
    const live = copy.current?.id ?? null;
    if (!stagedIn(journal, copy) || live === entry.from) return { do: 'promote', place: entry, from: entry.from };
    if (insists(journal, 'changed-by-hand')) return { do: 'rebase', place: entry, from: live };
    return handChanged(entry.store, entry.secret);
  }
  return { do: 'move', to: 'published' };
}

function converging(journal: Journal, seen: Seen): Step {
  const stray = journal.copies.find((entry) => copyOf(seen, entry).current?.id !== entry.published);
  if (!stray || insists(journal, 'changed-by-hand')) return { do: 'move', to: 'draining' };
  if (journal.refusals >= 3) return handChanged(stray.store, stray.secret);
  return {
    do: 'retry',
    back: 'published',
    text: `${stray.store}/${stray.secret} does not show the published value yet`,
  };
}

function draining(journal: Journal, seen: Seen, asked: Asked): Step {
  const { strategy, sessionsSeen } = seen.service;
  const ends = after(journal.convergedAt ?? asked.now, asked.plan.propagationMs);
  const logins = worthless(journal, seen);
  if (journal.emergency) return { do: 'retire', logins, endSessions: true };
  // A single user's old value died with the change: nothing is left to spare.
  if (strategy === 'single') return { do: 'retire', logins, endSessions: false };
  if (asked.now < ends) return waiting(`consumers may hold the old value until ${formatInstant(ends)}`, ends, []);
  if (sessionsSeen !== 'none') {
    if (!seen.sessions) return { do: 'ask-sessions', slots: [...new Set(logins.map((login) => login.slot))] };
    const left =
      strategy === 'additive' || sessionsSeen === 'age'
        ? seen.sessions.filter((one) => !(one.since && one.since >= ends))
        : seen.sessions;
    if (left.length > 0) return waiting(`${left.length} sessions left: ${peers(left)}`, undefined, left);
  }
  const handedOut = currentLogins(seen).find((login) => isOld(login, logins, strategy === 'additive'));
  if (handedOut)
    return block(
      'in-use-again',
      `a store hands out ${handedOut.slot} again, which is about to be retired. Publish there what the other stores hand out, or replace everything with --now --leaked.`,
    );
  if (seen.service.problems.length > 0) return unready(seen);
  if (logins.length === 0 && !insists(journal, 'old-value-gone'))
    return block(
      'old-value-gone',
      'no store keeps the old value, so it cannot be taken from the service. Remove it by hand, then run with --now.',
    );
  return { do: 'retire', logins, endSessions: false };
}

function finishing(journal: Journal, seen: Seen): Step {
  if (!journal.proof) {
    const old = oldLogins(journal, seen);
    if (old.length === 0) return { do: 'prove', proof: 'value-gone' };
    if (seen.answers.old === undefined) return { do: 'ask', candidate: 'old', logins: old };
    if (!seen.answers.old) return { do: 'prove', proof: 'refused' };
    if (journal.refusals >= 2)
      return block(
        'old-still-accepted',
        'an old value still logs in after it was retired. Look for trust rules or lagging replicas at the service.',
      );
    return { do: 'retry', back: 'draining', text: 'an old value still logs in after it was retired' };
  }
  const kept = journal.copies.find((entry) => !entry.retired && entry.from !== null);
  if (kept?.from) return { do: 'retire-copy', place: kept, version: kept.from };
  if (journal.emergency && !journal.emergency.reviewed) return { do: 'review' };
  if (journal.emergency && !journal.emergency.told) return { do: 'notify' };
  return { do: 'move', to: 'done' };
}

/** The logins that must end: of an alternating pair the other user, else the old values of the same user. */
function worthless(journal: Journal, seen: Seen): readonly Login[] {
  const old = oldLogins(journal, seen);
  if (seen.service.strategy !== 'alternating') return old;
  const others = seen.service.slots.filter((slot) => slot !== journal.target);
  return others.flatMap((slot) => old.find((login) => login.slot === slot) ?? placeholder(journal, seen, slot));
}

/**
 * Where no store keeps the old value any more, the user itself still ends: an alternating user is retired by its name.
 */
function placeholder(journal: Journal, seen: Seen, slot: string): readonly Login[] {
  const any = currentLogins(seen)[0] ?? stagedLogin(journal, seen);
  return any ? [{ slot, value: any.value }] : [];
}

function knownLogin(journal: Journal, seen: Seen, slot: string): Login | undefined {
  return oldLogins(journal, seen).find((login) => login.slot === slot);
}

/** What was blocked, a person was told and then ran with --now; an emergency goes over it at once. */
function insists(journal: Journal, reason: BlockReason): boolean {
  return journal.emergency !== null || journal.overruled === reason;
}

function isOld(login: Login, old: readonly Login[], byValue: boolean): boolean {
  return old.some((one) => (byValue ? sameLogin(one, login) : one.slot === login.slot));
}

function peers(sessions: readonly Session[]): string {
  const named = sessions
    .slice(0, 5)
    .map((one) => `${one.slot} from ${one.peer}${one.since === undefined ? '' : ` since ${formatInstant(one.since)}`}`);
  return named.join(', ') + (sessions.length > 5 ? ', …' : '');
}

function unready(seen: Seen): Step {
  return { do: 'rest', outcome: 'blocked', reason: 'service-not-ready', text: seen.service.problems.join('\n') };
}

function waiting(text: string, until: Instant | undefined, sessions: readonly Session[]): Step {
  return { do: 'rest', outcome: 'waiting', text, until, sessions };
}

function handChanged(store: string, secret: string): Step {
  return block(
    'changed-by-hand',
    `${store}/${secret} was changed by somebody else during the rotation. A run with --now goes on from what it holds.`,
  );
}

function block(reason: BlockReason, text: string): Step {
  return { do: 'block', reason, text };
}
