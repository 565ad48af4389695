import { toldText } from '../../audit/entries/withhold.ts';
import { asLockkeeperError, hasCode, LockkeeperError } from '../../base/error.ts';
import { after, formatInstant } from '../../base/time.ts';
import type { PreparedChange } from '../../firewalls/contract.ts';
import { deliverOrLeave } from './ask.ts';
import { firewallOf, stepOf, type ClosingRooms, type Step } from './closing-rooms.ts';
import { moved, nameOf, notice, type Closure, type Reopening } from './closure.ts';
import { ClosureJournal, type HeldClosure } from './closure-journal.ts';
import { audited, recordRefused } from './recorded.ts';

/**
 * Puts a closed opening back exactly as it was, for a person with a reason. Repeating it says that it is open.
 * `denied` for somebody whom the opening does not concern, `invalid` without a reason or where nothing was closed,
 * `conflict` where somebody else changed the rule after it was closed: then nothing is changed.
 */
export async function reopen(
  rooms: ClosingRooms,
  held: HeldClosure,
  by: { readonly who: string; readonly why: string },
): Promise<Step> {
  const { closure } = held;
  await refuseReopening(rooms, closure, by);
  if (closure.phase === 'reopened' && (await isBack(rooms, closure)))
    return stepOf(closure, 'open', `${nameOf(closure)} is open`);
  const begun = closure.phase === 'reopening' ? held : await beginReopening(rooms, held, { ...by, automatic: false });
  const { closure: done } = await finishReopening(rooms, begun);
  await deliverOrLeave(rooms);
  return stepOf(done, 'reopened', `${nameOf(done)} is open again, exactly as it was`);
}

/**
 * Makes it durable that the opening comes back; from here on any run finishes it. `conflict` where another run was
 * quicker.
 */
export async function beginReopening(
  rooms: ClosingRooms,
  held: HeldClosure,
  by: Omit<Reopening, 'at'>,
): Promise<HeldClosure> {
  const { closure } = held;
  const now = rooms.world.now();
  const entry = {
    closure,
    action: 'closure.reopen',
    actor: by.who,
    details: { why: by.why, automatic: by.automatic, account: by.automatic ? undefined : rooms.account },
  };
  return await audited(rooms, entry, () => {
    return new ClosureJournal(rooms.state).save(
      held,
      moved(closure, 'reopening', { since: now, reopening: { ...by, at: now }, problem: undefined }),
    );
  });
}

/**
 * Carries a begun reopening out: restores, checks that the live rule has the very fingerprint it had, records it.
 * Repeatable. Where a person changed the rule meanwhile the closure is `failed`, people are told, and it throws
 * `conflict`.
 */
export async function finishReopening(rooms: ClosingRooms, held: HeldClosure): Promise<HeldClosure> {
  const { closure } = held;
  const prepared = preparedOf(closure);
  const who = closure.reopening?.who ?? 'lockkeeper';
  let refusal: unknown;
  try {
    await audited(
      rooms,
      { closure, action: 'closure.restore', actor: who, details: { why: closure.reopening?.why } },
      async () => {
        await firewallOf(rooms, closure.firewall)
          .restore(prepared)
          .catch((thrown: unknown) => {
            refusal = thrown;
            throw thrown;
          });
        await refuseUnlessBack(rooms, closure);
      },
    );
  } catch (thrown) {
    if (!hasCode(thrown, 'conflict') || thrown !== refusal) throw thrown;
    throw await giveUp(rooms, held, thrown);
  }
  const now = rooms.world.now();
  const text = `${nameOf(closure)} is open again, exactly as it was: ${who}: ${closure.reopening?.why ?? ''}`;
  const change = {
    since: now,
    until: after(now, rooms.policy.deniedForMs),
    notices: [...closure.notices, notice(closure, 'warning', text)],
  };
  return new ClosureJournal(rooms.state).save(held, moved(closure, 'reopened', change));
}

/** Who tried to reopen what does not concern him is in the log too. */
async function refuseReopening(
  rooms: ClosingRooms,
  closure: Closure,
  by: { readonly who: string; readonly why: string },
): Promise<void> {
  try {
    checkReopening(closure, by);
  } catch (thrown) {
    const { code, message } = asLockkeeperError(thrown);
    await recordRefused(rooms, closure, {
      action: 'closure.reopen',
      actor: by.who,
      details: { why: by.why, code, message: toldText(message), account: rooms.account },
    });
    throw thrown;
  }
}

function checkReopening(closure: Closure, by: { readonly who: string; readonly why: string }): void {
  const { approvers, excluded, owner } = closure.people;
  if (![...approvers, ...excluded, owner].includes(by.who)) {
    throw new LockkeeperError('denied', `${by.who} may not reopen ${nameOf(closure)}: it does not concern them`, {
      hint: `Ask one of ${[...new Set([...approvers, owner])].join(', ')}.`,
    });
  }
  if (by.why.trim() === '')
    throw new LockkeeperError('invalid', `reopening ${nameOf(closure)} needs a reason`, {
      hint: 'Say why in one sentence.',
    });
  preparedOf(closure);
}

function preparedOf(closure: Closure): PreparedChange {
  if (closure.prepared) return closure.prepared;
  throw new LockkeeperError(
    'invalid',
    `${nameOf(closure)} was not closed: it is ${closure.phase} since ${formatInstant(closure.since)}`,
    {
      hint: 'There is nothing to reopen.',
    },
  );
}

async function isBack(rooms: ClosingRooms, closure: Closure): Promise<boolean> {
  const { fingerprint } = preparedOf(closure);
  const state = await firewallOf(rooms, closure.firewall).openings();
  return state.openings.some((opening) => opening.id === closure.opening && opening.fingerprint === fingerprint);
}

async function refuseUnlessBack(rooms: ClosingRooms, closure: Closure): Promise<void> {
  if (await isBack(rooms, closure)) return;
  throw new LockkeeperError(
    'uncertain',
    `${nameOf(closure)} was restored, but the live rule is not exactly as it was`,
    {
      hint: 'The next run tries again. If it stays so, compare the live rule with the one in the question.',
    },
  );
}

async function giveUp(rooms: ClosingRooms, held: HeldClosure, cause: unknown): Promise<LockkeeperError> {
  const { closure } = held;
  const now = rooms.world.now();
  const problem = toldText(asLockkeeperError(cause).message);
  const text = `${nameOf(closure)} cannot be reopened: somebody changed the rule after it was closed; it is left as it is`;
  const change = {
    since: now,
    until: after(now, rooms.policy.deniedForMs),
    problem,
    notices: [...closure.notices, notice(closure, 'alarm', text)],
  };
  await new ClosureJournal(rooms.state).save(held, moved(closure, 'failed', change));
  return new LockkeeperError('conflict', text, {
    cause,
    hint: 'Put the rule right by hand, or remove it and reopen again: the rule as it was is in the question and in the audit log.',
  });
}
